package saml

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// KeyPair is a private key and the certificate by which the identity provider knows it.
type KeyPair struct {
	Private     *rsa.PrivateKey
	Certificate *x509.Certificate
}

// A new key is as strong as every identity provider takes, and its certificate lasts: providers look at the key, and
// those that look at the date would lock everybody out.
const (
	keyBits     = 2048
	keyLifetime = 10 * 365 * 24 * time.Hour
)

// NewKeyPair makes a key with a self-signed certificate of that common name, cut to the 64 characters that one may have.
func NewKeyPair(commonName string, now time.Time) (*KeyPair, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("saml: make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("saml: make a certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName[:min(len(commonName), 64)]},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(keyLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, fmt.Errorf("saml: make a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	return &KeyPair{private, certificate}, err
}

// ParseKeyPair reads a key in PKCS #8 and its certificate in DER.
func ParseKeyPair(private, certificate []byte) (*KeyPair, error) {
	key, err := x509.ParsePKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("saml: read a key: %w", err)
	}
	pair := &KeyPair{}
	var ok bool
	if pair.Private, ok = key.(*rsa.PrivateKey); !ok {
		return nil, errors.New("saml: read a key: it is no RSA key")
	}
	if pair.Certificate, err = x509.ParseCertificate(certificate); err != nil {
		return nil, fmt.Errorf("saml: read a certificate: %w", err)
	}
	return pair, nil
}

// Marshal is what ParseKeyPair reads.
func (k *KeyPair) Marshal() (private, certificate []byte, err error) {
	private, err = x509.MarshalPKCS8PrivateKey(k.Private)
	return private, k.Certificate.Raw, err
}
