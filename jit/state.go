package jit

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/directory"
)

// pending is a sign-in under way. It is kept nowhere but in the browser that started it, sealed into a cookie: whoever
// asks for sign-ins without end has nothing written here, and any node can take the answer. That a request is answered
// once is what signIn spends its id for.
type pending struct {
	Request    string    `json:"request"`
	Connection string    `json:"connection"`
	Return     string    `json:"return,omitempty"` // an own path
	Started    time.Time `json:"started"`
	// Kept is what the protocol itself must know again, some hundred bytes.
	Kept json.RawMessage `json:"kept,omitempty"`
}

// A pending sign-in lasts for as long as a person may need to type a password and find the telephone.
const (
	pendingPurpose  = "sign-in under way"
	pendingLifetime = 10 * time.Minute
)

func (p pending) expires() time.Time { return p.Started.Add(pendingLifetime) }

// maxCookie is what browsers surely keep of one cookie, its name and attributes apart (RFC 6265 §6.1).
const maxCookie = 3800

// sealPending is the cookie's value of a sign-in that starts now. A path for which the cookie has no room is forgotten.
func (s *Server) sealPending(p pending) (cookie string, err error) {
	p.Started = s.now().UTC()
	record, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("a pending sign-in: %w", err)
	}
	sealed, err := s.directory.SealFor(pendingPurpose, record)
	if err != nil {
		return "", err
	}
	if cookie = base64.RawURLEncoding.EncodeToString(sealed); len(cookie) > maxCookie && p.Return != "" {
		p.Return = ""
		return s.sealPending(p)
	}
	return cookie, nil
}

// openPending reads the cookie of a request. It must have been made by this connection, and not too long ago; that the
// browser has it shows that the browser made the request.
func (s *Server) openPending(request, connection, cookie string) (pending, error) {
	var p pending
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return p, refuse(unknownRequest, "the cookie of request %.100q is not one of ours", request)
	}
	record, err := s.directory.UnsealFor(pendingPurpose, sealed)
	if errors.Is(err, directory.ErrUnauthorized) {
		return p, refuse(unknownRequest, "the cookie of request %.100q is not one of ours", request)
	}
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(record, &p); err != nil {
		return p, fmt.Errorf("a pending sign-in: %w", err)
	}
	switch {
	case p.Request != request:
		return p, refuse(unknownRequest, "the cookie of request %.100q belongs to request %q", request, p.Request)
	case p.Connection != connection:
		return p, refuse(unknownRequest, "request %q was made by connection %q", request, p.Connection)
	case !s.now().Before(p.expires()):
		return p, refuse(unknownRequest, "request %q was made more than %s ago, at %s", request, pendingLifetime, p.Started.Format(time.RFC3339))
	}
	return p, nil
}

const maxReturn = 2000

// ownPath returns path when it leads to this host and nowhere else, "" otherwise. Browsers read a backslash as a slash
// and skip tabs and line ends, so anything that is not a plain character is refused.
func ownPath(path string) string {
	if len(path) > maxReturn || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return ""
	}
	for _, c := range []byte(path) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return ""
		}
	}
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || climbs(u.Path) {
		return ""
	}
	return path
}

// climbs says whether a path has a segment . or .., plain or escaped: what is left when those are taken out may start
// with //, which names a host to whoever reads it once more.
func climbs(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}

// relayState is carried to the provider and back. It means nothing; some providers insist on one.
func relayState() string { return rand.Text() }
