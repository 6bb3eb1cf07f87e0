package admin

import (
	"encoding/hex"
	"html/template"
	"net/http"

	"muster/directory"
)

// accountPage is one's own account.
type accountPage struct {
	Administrator directory.Administrator
	HasPassword   bool
	Codes         int // recovery codes left
	Passkeys      []passkeyRow
	CanPasskey    bool
	Sessions      []directory.AdminSession
	Current       directory.ID
}

type passkeyRow struct {
	directory.Passkey
	Key string
}

func (s *Server) account(v *visit) error {
	ctx := v.Request().Context()
	if v.acting.Administrator == directory.NoID {
		return v.render(http.StatusOK, "account-sso", nil)
	}
	a, c, err := s.directory.Administrator(ctx, v.acting.Administrator)
	if err != nil {
		return err
	}
	sessions, err := s.directory.AdminSessions(ctx, a.ID)
	if err != nil {
		return err
	}
	p := accountPage{Administrator: a, HasPassword: c.Password != "", Codes: len(c.Recovery), CanPasskey: s.passkeys != nil,
		Sessions: sessions, Current: v.session.ID}
	for _, known := range c.Passkeys {
		p.Passkeys = append(p.Passkeys, passkeyRow{known, hex.EncodeToString(known.ID)})
	}
	return v.render(http.StatusOK, "account", p)
}

// endSession ends one of one's own sessions, or all.
func (s *Server) endSession(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	id := directory.NoID
	if f.Value("session") != "all" {
		var ok bool
		if id, ok = directory.ParseID(f.Value("session")); !ok {
			return directory.ErrNotFound
		}
	}
	if err := s.directory.EndAdminSessions(v.Request().Context(), v.acting, v.acting.Administrator, id); err != nil {
		return err
	}
	return v.done("/admin/account", "session-ended")
}

// passwordPage sets a password together with an authenticator app.
type passwordPage struct {
	Form   form
	Secret string
	QR     template.URL
	// Recovery codes, shown once, after it is set.
	Recovery []string
}

func (s *Server) passwordForm(v *visit) error {
	h, err := v.self()
	if err != nil {
		return err
	}
	key, err := newTOTP(h.Email)
	if err != nil {
		return err
	}
	return s.showPassword(v, http.StatusOK, h.Email, passwordPage{Secret: key.Secret()})
}

func (s *Server) showPassword(v *visit, status int, email string, p passwordPage) error {
	key, err := totpKey(email, p.Secret)
	if err != nil {
		return err
	}
	if p.QR, err = qrImage(key); err != nil {
		return err
	}
	return v.render(status, "password", p)
}

// setPassword sets both, when a code shows that the app has the secret.
func (s *Server) setPassword(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	h, err := v.self()
	if err != nil {
		return err
	}
	fresh := directory.Credentials{TOTP: []byte(f.Value("secret"))}
	if fault := passwordFault(f.Value("password"), h.Email); fault != "" {
		f.fail("password", fault)
	}
	if len(fresh.TOTP) < 32 || len(fresh.TOTP) > 64 || !spendTOTP(&fresh, f.Value("code"), s.now()) {
		f.fail("code", "password.wrong-code")
	}
	if len(f.Faults) > 0 {
		return s.showPassword(v, http.StatusUnprocessableEntity, h.Email, passwordPage{Form: f, Secret: f.Value("secret")})
	}
	if fresh.Password, err = s.hashPassword(v.Request().Context(), f.Value("password")); err != nil {
		return err
	}
	var codes []string
	codes, fresh.Recovery = newRecoveryCodes(s.directory.HashCode)
	_, err = s.directory.EditAdministrator(v.Request().Context(), v.acting, h.ID, func(_ *directory.Administrator, c *directory.Credentials) error {
		c.Password, c.TOTP, c.TOTPStep, c.Recovery = fresh.Password, fresh.TOTP, fresh.TOTPStep, fresh.Recovery
		return nil
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "recovery", passwordPage{Recovery: codes})
}

func (s *Server) removePassword(v *visit) error {
	_, err := s.directory.EditAdministrator(v.Request().Context(), v.acting, v.acting.Administrator,
		func(_ *directory.Administrator, c *directory.Credentials) error {
			c.Password, c.TOTP, c.TOTPStep, c.Recovery = "", nil, 0, nil
			return nil
		})
	if err != nil {
		return err
	}
	return v.done("/admin/account", "password-removed")
}
