package admin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// argon are the parameters of argon2id (RFC 9106). A hash made with others is made anew at the next sign-in.
type argon struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

const (
	saltLength  = 16
	keyLength   = 32
	minPassword = 12 // characters
	maxPassword = 1024
	// hashesAtOnce bounds the memory that people who knock can make us use: 4 x 19 MiB.
	hashesAtOnce = 4
)

// argonNow is what the OWASP recommends as the least: 19 MiB, two passes.
func argonNow() argon { return argon{memory: 19 * 1024, time: 2, threads: 1} }

// hashPassword returns a hash in PHC form.
func (s *Server) hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	rand.Read(salt)
	a := argonNow()
	key, err := s.derive(ctx, a, password, salt)
	if err != nil {
		return "", err
	}
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads, encode(salt), encode(key)), nil
}

// derive hashes when it is this request's turn.
func (s *Server) derive(ctx context.Context, a argon, password string, salt []byte) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, a.time, a.memory, a.threads, keyLength), nil
}

// verifyPassword says whether the password has this hash, and whether it should be hashed anew. Where there is no hash
// it takes as long.
func (s *Server) verifyPassword(ctx context.Context, hash, password string) (match, renew bool, err error) {
	if hash == "" {
		hash = s.decoy
	}
	a, salt, want, err := parseHash(hash)
	if err != nil {
		return false, false, err
	}
	got, err := s.derive(ctx, a, password, salt)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && hash != s.decoy, a != argonNow(), nil
}

// makeDecoy makes the hash that stands in for accounts without one.
func (s *Server) makeDecoy() (err error) {
	s.decoy, err = s.hashPassword(context.Background(), rand.Text())
	return err
}

func parseHash(hash string) (a argon, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	var version int
	if len(parts) != 6 || parts[1] != "argon2id" {
		return a, nil, nil, fmt.Errorf("not an argon2id hash")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return a, nil, nil, fmt.Errorf("argon2id of another version")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads); err != nil {
		return a, nil, nil, fmt.Errorf("parameters of argon2id: %w", err)
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return a, nil, nil, err
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return a, salt, key, err
}

// passwordFault says what is wrong with a new password, "" when it will do. Length is what counts (NIST SP 800-63B).
func passwordFault(password, email string) string {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return fmt.Sprintf("At least %d characters; a few words make a good one.", minPassword)
	case len(password) > maxPassword:
		return fmt.Sprintf("At most %d bytes.", maxPassword)
	case strings.Contains(strings.ToLower(password), strings.ToLower(email)):
		return "Your e-mail address is no secret."
	case strings.Count(password, password[:1]) == len(password):
		return "Not the same character over and over."
	}
	return ""
}
