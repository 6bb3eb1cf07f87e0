package directory

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
)

// sealMark begins a sealed secret, so that it is told from one in clear.
var sealMark = []byte("sealed:1:")

// sealKey is derived from the store's own key.
func (d *Directory) sealKey() [16]byte {
	mac := hmac.New(sha256.New, d.pepper)
	mac.Write([]byte("secrets at rest"))
	return [16]byte(mac.Sum(nil)[:16])
}

// Unseal returns a secret that Configure stored.
func (d *Directory) Unseal(sealed []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(sealed, sealMark)
	if !ok {
		return nil, errRecord
	}
	return unseal(d.sealKey(), NoID, body)
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
	sealed, err := seal(bytes.Clone(sealMark), d.sealKey(), NoID, trust.Secret)
	trust.Secret = sealed
	return err
}
