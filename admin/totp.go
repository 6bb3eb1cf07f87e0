package admin

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"muster/directory"
)

// Time-based codes, RFC 6238: six digits, SHA-1, 30 seconds, which is what every authenticator app can do.
const (
	totpPeriod    = 30 * time.Second
	totpDrift     = 1 // steps before and after
	recoveryCodes = 10
)

// newTOTP draws a secret for an administrator.
func newTOTP(email string) (*otp.Key, error) {
	return totp.Generate(totp.GenerateOpts{Issuer: "muster", AccountName: email, SecretSize: 20, Rand: rand.Reader})
}

// totpKey rebuilds the key of a secret, for showing it again.
func totpKey(email, secret string) (*otp.Key, error) {
	return otp.NewKeyFromURL(fmt.Sprintf("otpauth://totp/muster:%s?secret=%s&issuer=muster&period=30&digits=6&algorithm=SHA1",
		template.URLQueryEscaper(email), template.URLQueryEscaper(secret)))
}

// spendTOTP says whether the code is right now, and uses its time step up: no code counts twice.
func spendTOTP(c *directory.Credentials, code string, now time.Time) bool {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	step := uint64(now.Unix()) / uint64(totpPeriod/time.Second)
	for at := step - totpDrift; at <= step+totpDrift; at++ {
		ok, err := hotp.ValidateCustom(code, at, string(c.TOTP), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if ok && err == nil && at > c.TOTPStep {
			c.TOTPStep = at
			return true
		}
	}
	return false
}

// qrImage is the key as a picture to scan.
func qrImage(key *otp.Key) (template.URL, error) {
	image, err := key.Image(200, 200)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, image); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// newRecoveryCodes draws codes that stand in for the app, each once. Only their hashes are kept.
func newRecoveryCodes(hash func(string) []byte) (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		code := strings.ToLower(rand.Text()[:16])
		codes, hashes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:]), append(hashes, hash(code))
	}
	return codes, hashes
}

// plainCode is a recovery code as it was drawn, however it was typed.
func plainCode(typed string) string {
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(typed))
}
