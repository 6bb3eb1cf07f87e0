package directory

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"slices"
	"time"
)

// Credentials are how one administrator proves who they are. Nothing in them
// opens anything by itself: passkeys are public keys, the password is a slow
// hash, recovery codes are keyed hashes, and the TOTP secret is sealed at rest.
type Credentials struct {
	Passkeys []Passkey `json:"passkeys,omitempty"`
	// Password is a hash in PHC form, "" for none. It counts together with TOTP.
	Password string `json:"password,omitempty"`
	// TOTP is the shared secret of RFC 6238, nil for none; TOTPStep the newest
	// time step that was used up, so that no code counts twice.
	TOTP     []byte `json:"totp,omitempty"`
	TOTPStep uint64 `json:"totpStep,omitempty"`
	// Recovery are the keyed hashes of codes that stand in for TOTP, each once.
	Recovery [][]byte `json:"recovery,omitempty"`
}

// Passkey is one authenticator.
type Passkey struct {
	ID      []byte    `json:"id"` // the credential id
	Name    string    `json:"name"`
	Record  []byte    `json:"record"` // what the verifier keeps of it
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"`
}

// SignsIn says whether the credentials are enough to come in.
func (c *Credentials) SignsIn() bool {
	return len(c.Passkeys) > 0 || c.Password != "" && len(c.TOTP) > 0
}

const maxPasskeys = 20

// clone lets a function that may run twice edit a copy.
func (c *Credentials) clone() Credentials {
	d := *c
	d.Passkeys, d.Recovery = slices.Clone(c.Passkeys), slices.Clone(c.Recovery)
	return d
}

// adminRecord is an administrator as stored.
type adminRecord struct {
	Administrator
	Credentials Credentials `json:"credentials"`
}

// isAble: an operator who can come in without any connection's help.
func (a *adminRecord) isAble() bool { return a.Grants.IsOperator() && a.Credentials.SignsIn() }

// sealed is the record with its secret sealed, for the store.
func (d *Directory) sealedAdmin(a *adminRecord) ([]byte, error) {
	stored := *a
	if len(a.Credentials.TOTP) > 0 {
		box, err := seal(bytes.Clone(sealMark), d.sealKey(forAdministrators), a.ID, a.Credentials.TOTP)
		if err != nil {
			return nil, err
		}
		stored.Credentials.TOTP = box
	}
	return json.Marshal(&stored)
}

func (d *Directory) openedAdmin(record []byte) (*adminRecord, error) {
	var a adminRecord
	if err := json.Unmarshal(record, &a); err != nil {
		return nil, errRecord
	}
	if box, ok := bytes.CutPrefix(a.Credentials.TOTP, sealMark); ok {
		plain, err := unseal(d.sealKey(forAdministrators), a.ID, box)
		if err != nil {
			return nil, err
		}
		a.Credentials.TOTP = plain
	}
	return &a, nil
}

// HashCode is the form in which a recovery code is kept.
func (d *Directory) HashCode(code string) []byte { return d.hashSecret(tableAdmin, code) }

// SpendCode takes a recovery code off the list; false when it is not on it.
func (d *Directory) SpendCode(c *Credentials, code string) bool {
	hash := d.HashCode(code)
	at := slices.IndexFunc(c.Recovery, func(known []byte) bool { return hmac.Equal(known, hash) })
	if at < 0 {
		return false
	}
	c.Recovery = slices.Delete(slices.Clone(c.Recovery), at, at+1)
	return true
}
