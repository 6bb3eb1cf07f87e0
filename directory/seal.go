package directory

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// sealMark begins a sealed secret, so that it is told from one in clear.
var sealMark = []byte("sealed:1:")

// The purposes for which a key is derived.
const (
	forSecrets = "secrets at rest"
	forCursors = "cursors of lists"

	forAdministrators = "credentials of administrators"
)

// sealKey is derived from the store's own key, another one for each purpose.
func (d *Directory) sealKey(purpose string) [16]byte {
	mac := hmac.New(sha256.New, d.pepper)
	mac.Write([]byte(purpose))
	return [16]byte(mac.Sum(nil)[:16])
}

// Unseal returns a secret that Configure stored.
func (d *Directory) Unseal(sealed []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(sealed, sealMark)
	if !ok {
		return nil, errRecord
	}
	return unseal(d.sealKey(forSecrets), NoID, body)
}

// sealSecrets replaces the clear secrets of a connection; one that equals the
// stored secret keeps its sealed form, so that setting it again changes nothing.
func (d *Directory) sealSecrets(c, old *Connection) error {
	if c.OIDC == nil || len(c.OIDC.Secret) == 0 || bytes.HasPrefix(c.OIDC.Secret, sealMark) {
		return nil
	}
	trust := *c.OIDC
	c.OIDC = &trust
	if old != nil && old.OIDC != nil {
		if plain, err := d.Unseal(old.OIDC.Secret); err == nil && hmac.Equal(plain, trust.Secret) {
			trust.Secret = old.OIDC.Secret
			return nil
		}
	}
	sealed, err := seal(bytes.Clone(sealMark), d.sealKey(forSecrets), NoID, trust.Secret)
	trust.Secret = sealed
	return err
}

// saltSize is how much randomness goes into each sealing's own key. Strangers
// may have as many values sealed as they like: with the nonce it makes a
// repetition unthinkable.
const saltSize = 16

// SealFor encrypts a small value that leaves this store, such as a cookie, so
// that only UnsealFor of the same purpose reads it again, on any node.
func (d *Directory) SealFor(purpose string, plain []byte) ([]byte, error) {
	salt := make([]byte, saltSize, saltSize+sealOverhead+len(plain))
	rand.Read(salt)
	return seal(salt, d.purposeKey(purpose, salt), NoID, plain)
}

// UnsealFor returns what SealFor encrypted for that purpose, and ErrUnauthorized
// for anything else.
func (d *Directory) UnsealFor(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) < saltSize {
		return nil, ErrUnauthorized
	}
	salt, body := sealed[:saltSize], sealed[saltSize:]
	plain, err := unseal(d.purposeKey(purpose, salt), NoID, body)
	if err != nil {
		return nil, ErrUnauthorized
	}
	return plain, nil
}

func (d *Directory) purposeKey(purpose string, salt []byte) [16]byte {
	mac := hmac.New(sha256.New, d.pepper)
	mac.Write([]byte("sealed for "))
	mac.Write(salt)
	mac.Write([]byte(purpose))
	return [16]byte(mac.Sum(nil)[:16])
}
