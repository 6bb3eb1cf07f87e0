package jit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/directory"
)

// pending is a sign-in under way, kept in the directory under the id of its request.
type pending struct {
	Connection string   `json:"connection"`
	Return     string   `json:"return,omitempty"` // an own path
	Browser    [32]byte `json:"browser"`          // SHA-256 of the binding cookie's value
}

// A pending sign-in is kept for as long as a person may need to type a password and find the telephone.
const (
	pendingKind     = "sign-in"
	pendingLifetime = 10 * time.Minute
)

// keepPending remembers a request and returns the value of the cookie that binds it to this browser.
func (s *Server) keepPending(ctx context.Context, request string, p pending) (cookie string, err error) {
	cookie = rand.Text()
	p.Browser = sha256.Sum256([]byte(cookie))
	record, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("a pending sign-in: %w", err)
	}
	return cookie, s.directory.Keep(ctx, pendingKind, request, record, s.now().Add(pendingLifetime))
}

// takePending uses a request up. It must be of this connection and from the browser with this cookie; a request that
// is neither is gone, too, for somebody is trying things with it.
func (s *Server) takePending(ctx context.Context, request, connection, cookie string) (pending, error) {
	var p pending
	record, err := s.directory.Take(ctx, pendingKind, request)
	if errors.Is(err, directory.ErrSpent) {
		return p, refuse(unknownRequest, "request %q was answered before, or more than %s ago", request, pendingLifetime)
	}
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(record, &p); err != nil {
		return p, fmt.Errorf("a pending sign-in: %w", err)
	}
	browser := sha256.Sum256([]byte(cookie))
	switch {
	case p.Connection != connection:
		return p, refuse(unknownRequest, "request %q was made by connection %q", request, p.Connection)
	case subtle.ConstantTimeCompare(browser[:], p.Browser[:]) != 1:
		return p, refuse(unknownRequest, "request %q was made by another browser", request)
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
