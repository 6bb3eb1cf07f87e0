package admin

import (
	"errors"
	"net/http"

	"muster/directory"
)

// signInPage is what the sign-in page shows.
type signInPage struct {
	Form     form
	Next     string
	Passkeys bool // this server can take passkeys
	SSO      bool
}

func (s *Server) signInForm(v *visit) error {
	if v.acting.Name != "" {
		return v.Redirect(http.StatusSeeOther, nextAddress(v.QueryParam("next")))
	}
	return v.render(http.StatusOK, "signin", s.signInPage(form{}, v.QueryParam("next")))
}

func (s *Server) signInPage(f form, next string) signInPage {
	return signInPage{f, nextAddress(next), s.passkeys != nil, s.options.PersonSession != nil}
}

// signIn is by e-mail, password and a code. What was wrong is not said: nobody learns who is an administrator.
func (s *Server) signIn(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	email := directory.NormalEmail(f.Value("email"))
	if len(email) > 254 || len(f.Value("password")) > maxPassword {
		return s.refuseSignIn(v, f, email)
	}
	keys := []string{accountKey(email), addressKey(v.RealIP())}
	if err := s.throttle.admit(keys...); err != nil {
		return err
	}
	id, err := s.proven(v, email, f.Value("password"), f.Value("code"))
	if err != nil {
		return err
	}
	if id == directory.NoID {
		s.throttle.failed(keys...)
		return s.refuseSignIn(v, f, email)
	}
	s.throttle.succeeded(keys[0])
	if err := v.begin(directory.AdminSession{Administrator: id, Method: methodPassword}); err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, nextAddress(f.Value("next")))
}

// refuseSignIn shows the form again, and keeps in the log of events that somebody tried an account that is there.
func (s *Server) refuseSignIn(v *visit, f form, email string) error {
	if a, _, err := s.directory.AdministratorByEmail(v.Request().Context(), email); err == nil {
		by := directory.Acting{Name: a.Email, Request: v.request()}
		if err := s.directory.Audit(v.Request().Context(), by, directory.AdminRefused,
			directory.AttributeChange{Attribute: "administrator", After: directory.Text(a.Email)}); err != nil {
			return err
		}
	}
	f.fail("", "signin.wrong")
	return v.render(http.StatusUnprocessableEntity, "signin", s.signInPage(f, f.Value("next")))
}

// errWrong ends an edit that is not to be.
var errWrong = errors.New("wrong")

// proven says whose password and code these are, NoID when nobody's. The code is spent with it.
func (s *Server) proven(v *visit, email, password, code string) (directory.ID, error) {
	ctx := v.Request().Context()
	a, c, err := s.directory.AdministratorByEmail(ctx, email)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return directory.NoID, err
	}
	match, renew, err := s.verifyPassword(ctx, c.Password, password)
	if err != nil || !match || a.ID == directory.NoID {
		return directory.NoID, err
	}
	fresh := c.Password
	if renew {
		if fresh, err = s.hashPassword(ctx, password); err != nil {
			return directory.NoID, err
		}
	}
	_, err = s.directory.EditAdministrator(ctx, directory.Acting{Administrator: a.ID, Name: a.Email, Request: v.request()}, a.ID,
		func(_ *directory.Administrator, now *directory.Credentials) error {
			if now.Password != c.Password || !spendTOTP(now, code, s.now()) && !s.directory.SpendCode(now, plainCode(code)) {
				return errWrong
			}
			now.Password = fresh
			return nil
		})
	if errors.Is(err, errWrong) {
		return directory.NoID, nil
	}
	return a.ID, err
}
