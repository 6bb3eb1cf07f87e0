package admin

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"muster/directory"
)

// newPasskeys prepares WebAuthn for a host, nil where browsers bind no passkey to it: an address has no name.
func newPasskeys(origin, host string) (*webauthn.WebAuthn, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, nil
	}
	return webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "muster", RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
}

// holder is an administrator as WebAuthn sees one.
type holder struct {
	directory.Administrator
	credentials []webauthn.Credential
}

func newHolder(a directory.Administrator, c directory.Credentials) (holder, error) {
	h := holder{Administrator: a}
	for _, p := range c.Passkeys {
		var known webauthn.Credential
		if err := json.Unmarshal(p.Record, &known); err != nil {
			return h, fmt.Errorf("passkey %q: %w", p.Name, err)
		}
		h.credentials = append(h.credentials, known)
	}
	return h, nil
}

func (h holder) WebAuthnID() []byte                         { return h.ID[:] }
func (h holder) WebAuthnName() string                       { return h.Email }
func (h holder) WebAuthnDisplayName() string                { return h.Name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// ceremony is what is kept between the two halves.
const (
	ceremonyKind     = "administrator passkey"
	ceremonyLifetime = 5 * time.Minute
	maxCeremony      = 64 << 10
)

// begun is the answer to the first half.
type begun struct {
	State   string `json:"state"`
	Options any    `json:"options"`
}

// finishing is what the browser sends for the second half.
type finishing struct {
	State      string          `json:"state"`
	Name       string          `json:"name"`
	Credential json.RawMessage `json:"credential"`
}

// wentOn tells the browser where to go.
type wentOn struct {
	Next string `json:"next"`
}

// keepCeremony stores the first half under a name that only this browser learns.
func (v *visit) keepCeremony(options any, half *webauthn.SessionData) error {
	s := v.server
	record, err := json.Marshal(half)
	if err != nil {
		return err
	}
	state := rand.Text()
	if err := s.directory.Keep(v.Request().Context(), ceremonyKind, state, record, s.now().Add(ceremonyLifetime)); err != nil {
		return err
	}
	return v.JSON(http.StatusOK, begun{state, options})
}

// takeCeremony reads the second half and uses the first up.
func (v *visit) takeCeremony() (f finishing, half webauthn.SessionData, err error) {
	body := http.MaxBytesReader(v.Response(), v.Request().Body, maxCeremony)
	if err := json.NewDecoder(body).Decode(&f); err != nil {
		return f, half, refuse(http.StatusBadRequest, "bad_request", "The passkey's answer could not be read.")
	}
	record, err := v.server.directory.Take(v.Request().Context(), ceremonyKind, f.State)
	if err != nil {
		return f, half, err
	}
	return f, half, json.Unmarshal(record, &half)
}

func (s *Server) withPasskeys() error {
	if s.passkeys == nil {
		return refuse(http.StatusNotFound, "no_passkeys", "Passkeys need a server with a name; this one is reached by its address.")
	}
	return nil
}

// beginPasskeySignIn asks for any passkey of this server; it tells who it is by itself.
func (s *Server) beginPasskeySignIn(v *visit) error {
	if err := errors.Join(s.withPasskeys(), s.throttle.admit(addressKey(v.RealIP()))); err != nil {
		return err
	}
	options, half, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return err
	}
	return v.keepCeremony(options, half)
}

func (s *Server) finishPasskeySignIn(v *visit) error {
	if err := errors.Join(s.withPasskeys(), s.throttle.admit(addressKey(v.RealIP()))); err != nil {
		return err
	}
	f, half, err := v.takeCeremony()
	if err != nil {
		return err
	}
	id, err := s.passkeyHolder(v, f, half)
	if err != nil {
		s.throttle.failed(addressKey(v.RealIP()))
		s.log.Info("a passkey was refused", "request", v.request(), "error", err)
		return refuse(http.StatusForbidden, "refused", "This passkey does not open the administration here.")
	}
	if err := v.begin(directory.AdminSession{Administrator: id, Method: methodPasskey}); err != nil {
		return err
	}
	return v.JSON(http.StatusOK, wentOn{nextAddress(v.QueryParam("next"))})
}

// passkeyHolder verifies an assertion, keeps what the authenticator counted, and says whose it is.
func (s *Server) passkeyHolder(v *visit, f finishing, half webauthn.SessionData) (directory.ID, error) {
	ctx := v.Request().Context()
	parsed, err := protocol.ParseCredentialRequestResponseBytes(f.Credential)
	if err != nil {
		return directory.NoID, err
	}
	user, credential, err := s.passkeys.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if len(handle) != len(directory.NoID) {
			return nil, directory.ErrNotFound
		}
		a, c, err := s.directory.Administrator(ctx, directory.ID(handle))
		if err != nil {
			return nil, err
		}
		return newHolder(a, c)
	}, half, parsed)
	if err != nil {
		return directory.NoID, err
	}
	if credential.Authenticator.CloneWarning {
		return directory.NoID, errors.New("the authenticator counts backwards: it may be a copy")
	}
	a := user.(holder).Administrator
	by := directory.Acting{Administrator: a.ID, Name: a.Email, Request: v.request()}
	_, err = s.directory.EditAdministrator(ctx, by, a.ID, func(_ *directory.Administrator, c *directory.Credentials) error {
		at := slices.IndexFunc(c.Passkeys, func(p directory.Passkey) bool { return bytes.Equal(p.ID, credential.ID) })
		if at < 0 {
			return directory.ErrNotFound
		}
		record, err := json.Marshal(credential)
		c.Passkeys[at].Record, c.Passkeys[at].Used = record, s.now().UTC().Truncate(time.Minute)
		return err
	})
	return a.ID, err
}

// beginPasskey adds a passkey to one's own account.
func (s *Server) beginPasskey(v *visit) error {
	if err := s.withPasskeys(); err != nil {
		return err
	}
	h, err := v.self()
	if err != nil {
		return err
	}
	var known []protocol.CredentialDescriptor
	for _, c := range h.credentials {
		known = append(known, c.Descriptor())
	}
	options, half, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return err
	}
	return v.keepCeremony(options, half)
}

// self is the administrator who asks. A person by single sign-on has no account here.
func (v *visit) self() (holder, error) {
	a, c, err := v.server.directory.Administrator(v.Request().Context(), v.acting.Administrator)
	if err != nil {
		return holder{}, err
	}
	return newHolder(a, c)
}

func (s *Server) finishPasskey(v *visit) error {
	if err := s.withPasskeys(); err != nil {
		return err
	}
	f, half, err := v.takeCeremony()
	if err != nil {
		return err
	}
	h, err := v.self()
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(f.Credential)
	if err != nil {
		return refuse(http.StatusBadRequest, "bad_request", "The passkey's answer could not be read.")
	}
	credential, err := s.passkeys.CreateCredential(h, half, parsed)
	if err != nil {
		s.log.Info("a passkey was not added", "request", v.request(), "error", err)
		return refuse(http.StatusForbidden, "refused", "This passkey could not be verified.")
	}
	record, err := json.Marshal(credential)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(f.Name)
	if name == "" || len(name) > 100 {
		name = "passkey of " + s.now().UTC().Format(time.DateOnly)
	}
	_, err = s.directory.EditAdministrator(v.Request().Context(), v.acting, h.ID, func(_ *directory.Administrator, c *directory.Credentials) error {
		c.Passkeys = append(c.Passkeys, directory.Passkey{ID: credential.ID, Name: name, Record: record, Created: s.now().UTC()})
		return nil
	})
	if err != nil {
		return err
	}
	return v.JSON(http.StatusOK, wentOn{"/admin/account?done=passkey-added"})
}

func (s *Server) removePasskey(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	_, err = s.directory.EditAdministrator(v.Request().Context(), v.acting, v.acting.Administrator,
		func(_ *directory.Administrator, c *directory.Credentials) error {
			at := slices.IndexFunc(c.Passkeys, func(p directory.Passkey) bool { return fmt.Sprintf("%x", p.ID) == f.Value("passkey") })
			if at < 0 {
				return directory.ErrNotFound
			}
			c.Passkeys = slices.Delete(c.Passkeys, at, at+1)
			return nil
		})
	if err != nil {
		return err
	}
	return v.done("/admin/account", "passkey-removed")
}
