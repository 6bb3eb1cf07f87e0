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
	Return     string    `json:"return,omitempty"` // what destination allowed
	Started    time.Time `json:"started"`
	Test       string    `json:"test,omitempty"` // the test sign-in that this is, "" for none
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

// destination returns the address when it leads to this host or to an application of the organisation, "" otherwise.
func destination(address string, org *directory.Org) string {
	if path := ownPath(address); path != "" {
		return path
	}
	origin := originOf(address)
	if origin == "" || !slices.Contains(org.ReturnOrigins, origin) {
		return ""
	}
	return address
}

// anywhere returns an address to which some organisation may let people go. Whose it is, destination asks when that is
// known: the sign-in page does not know it yet.
func anywhere(address string) string {
	if ownPath(address) == "" && originOf(address) == "" {
		return ""
	}
	return address
}

// originOf is the scheme and host of a web address, "" for anything that could be read in two ways.
func originOf(address string) string {
	if len(address) > maxReturn || !plain(address) {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || climbs(u.Path) {
		return ""
	}
	origin := u.Scheme + "://" + u.Host
	if rest, ok := strings.CutPrefix(address, origin); !ok || rest != "" && !strings.ContainsAny(rest[:1], "/?#") {
		return ""
	}
	return origin
}

// plain: browsers read a backslash as a slash and skip tabs and line ends, so anything that is not a plain character is
// refused.
func plain(address string) bool {
	for _, c := range []byte(address) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

// ownPath returns path when it leads to this host and nowhere else, "" otherwise.
func ownPath(path string) string {
	if len(path) > maxReturn || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || !plain(path) {
		return ""
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
