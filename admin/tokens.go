package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/directory"
)

// tokensPage lists the tokens of applications and of the administration API: an organisation's, or the operators'.
// Those of connections stand with their connection.
type tokensPage struct {
	Base   string
	Tokens []issuedToken
	Kinds  []directory.TokenKind
	Roles  []directory.AdminRole
	Form   form
}

// issuedToken is a token, and whether somebody has to look after it.
type issuedToken struct {
	directory.Token
	Warning *directory.TokenWarning
	Expired bool
	Revoke  string // address
}

// tokenEnd asks for confirmation before a token ends.
type tokenEnd struct {
	Token directory.Token
	Base  string
	Form  form
}

const (
	// tokenDays is the lifetime that the form proposes, longestToken the longest one.
	tokenDays    = 365
	longestToken = 3650
)

func (s *Server) tokenPages(under string, need directory.AdminRole) []page {
	all := under + "/tokens"
	return []page{
		{get, all, need, s.tokens, "tokens"},
		{post, all, need, s.newToken, ""},
		{get, all + "/revoke", need, s.revokeForm, ""},
		{post, all + "/revoke", need, s.revokeTokenPage, ""},
	}
}

func (s *Server) tokens(v *visit) error {
	return s.showTokens(v, http.StatusOK, form{values: url.Values{"days": {strconv.Itoa(tokenDays)}}})
}

func (s *Server) showTokens(v *visit, status int, f form) error {
	ctx := v.Request().Context()
	list, err := s.directory.Tokens(ctx, v.org())
	if err != nil {
		return err
	}
	warnings, err := s.directory.TokenWarnings(ctx, v.org())
	if err != nil {
		return err
	}
	p := tokensPage{Base: v.here("/tokens"), Form: f, Kinds: []directory.TokenKind{directory.AppToken, directory.AdminToken}, Roles: orgRoles()}
	for _, t := range list {
		if t.Kind == directory.SCIMToken {
			continue
		}
		row := issuedToken{Token: t, Expired: !t.Expires.IsZero() && !s.now().Before(t.Expires),
			Revoke: p.Base + "/revoke?" + url.Values{"kind": {string(t.Kind)}, "name": {t.Name}}.Encode()}
		if i := slices.IndexFunc(warnings, func(w directory.TokenWarning) bool { return w.Token == t }); i >= 0 {
			row.Warning = &warnings[i]
		}
		p.Tokens = append(p.Tokens, row)
	}
	return v.render(status, "tokens", p)
}

// newToken makes a token and shows its secret, this once. A name that is taken is refused: replacing a secret that is in
// use must not happen by a slip.
func (s *Server) newToken(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	t := v.wantedToken(&f, s.now())
	if len(f.Faults) == 0 {
		known, err := s.knownToken(v, t)
		if err != nil {
			return err
		}
		if known != nil {
			f.fail("name", "tokens.name-taken")
		}
	}
	if len(f.Faults) == 0 {
		secret, err := s.makeToken(v.Request().Context(), v.acting, t)
		if err == nil {
			return v.render(http.StatusOK, "secret", secretPage{"token", t.Name, secret, v.here("/tokens")})
		}
		if !f.failed(err) {
			return err
		}
		f.gather()
	}
	return s.showTokens(v, http.StatusUnprocessableEntity, f)
}

// wantedToken reads the form and notes what is wrong with it.
func (v *visit) wantedToken(f *form, now time.Time) directory.Token {
	t := directory.Token{Org: v.org(), Name: strings.TrimSpace(f.Value("name")), Kind: directory.TokenKind(f.Value("kind"))}
	if t.Name == "" || len(t.Name) > 100 {
		f.fail("name", "tokens.name-wrong")
	}
	switch {
	case v.policy == nil:
		t.Kind, t.Role = directory.AdminToken, directory.Operator
	case t.Kind == directory.AdminToken:
		if t.Role = directory.AdminRole(f.Value("role")); !slices.Contains(orgRoles(), t.Role) {
			f.fail("role", "administrator.role-missing")
		}
	case t.Kind != directory.AppToken:
		f.fail("kind", "tokens.kind-missing")
	}
	if typed := f.Value("days"); typed != "" {
		days, err := strconv.Atoi(typed)
		if err != nil || days < 1 || days > longestToken {
			f.fail("days", "tokens.days-wrong")
		}
		t.Expires = now.AddDate(0, 0, days)
	}
	return t
}

// knownToken is the token with that kind and name, nil when there is none.
func (s *Server) knownToken(v *visit, t directory.Token) (*directory.Token, error) {
	list, err := s.directory.Tokens(v.Request().Context(), v.org())
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(k directory.Token) bool { return k.Connection == "" && k.Kind == t.Kind && k.Name == t.Name })
	if i < 0 {
		return nil, nil
	}
	return &list[i], nil
}

func (s *Server) revokeForm(v *visit) error {
	return s.showRevoke(v, http.StatusOK, form{values: v.QueryParams()})
}

func (s *Server) showRevoke(v *visit, status int, f form) error {
	t, err := s.knownToken(v, directory.Token{Kind: directory.TokenKind(f.Value("kind")), Name: f.Value("name")})
	if err == nil && t == nil {
		err = directory.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.render(status, "token-end", tokenEnd{*t, v.here("/tokens"), f})
}

// revokeTokenPage ends a token whose name was typed.
func (s *Server) revokeTokenPage(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	if f.Value("name") == "" || strings.TrimSpace(f.Value("object")) != f.Value("name") {
		f.fail("object", "end.object-wrong")
		return s.showRevoke(v, http.StatusUnprocessableEntity, f)
	}
	err = s.endToken(v.Request().Context(), v.acting, directory.Token{Org: v.org(), Name: f.Value("name"), Kind: directory.TokenKind(f.Value("kind"))})
	if err != nil {
		return err
	}
	return v.done(v.here("/tokens"), "token-revoked")
}
