package saml

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

// KeyPair is a private key and the certificate by which the identity provider knows it.
type KeyPair struct {
	Private     *rsa.PrivateKey
	Certificate *x509.Certificate
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
