package jit

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/jit/oidc"
)

// clientKeyUse is what a connection's own keys for proving itself to its OpenID provider are kept under.
const clientKeyUse = "oidc"

// NewClientKey makes a key by which a connection proves itself to its OpenID provider. It is RSA with a certificate,
// which every provider takes: Entra ID takes nothing else.
func NewClientKey(connection string, now time.Time) (directory.OwnKey, error) {
	const bits, lifetime = 2048, 20 * 365 * 24 * time.Hour
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return directory.OwnKey{}, fmt.Errorf("make a client key: %w", err)
	}
	serial := new(big.Int).SetBytes([]byte(rand.Text()))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: connection},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return directory.OwnKey{}, fmt.Errorf("make a client key: %w", err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return directory.OwnKey{}, fmt.Errorf("make a client key: %w", err)
	}
	return directory.OwnKey{Private: encoded, Public: certificate}, nil
}

// clientKeys are the connection's own keys, the one that signs first. The first one is made when it is first needed.
func (s *Server) clientKeys(ctx context.Context, conn *directory.Connection) ([]*oidc.ClientKey, error) {
	stored, err := s.directory.OwnKeys(ctx, conn.ID, clientKeyUse)
	if err == nil && len(stored) == 0 {
		stored, err = s.firstClientKey(ctx, conn)
	}
	if err != nil {
		return nil, err
	}
	keys := make([]*oidc.ClientKey, len(stored))
	for i, k := range stored {
		if keys[i], err = s.readClientKey(k); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// firstClientKey lets one request at a time make a key, for that is the work of many.
func (s *Server) firstClientKey(ctx context.Context, conn *directory.Connection) ([]directory.OwnKey, error) {
	s.making.Lock()
	defer s.making.Unlock()
	stored, err := s.directory.OwnKeys(ctx, conn.ID, clientKeyUse)
	if err != nil || len(stored) > 0 {
		return stored, err
	}
	made, err := NewClientKey(conn.ID, s.now())
	if err != nil {
		return nil, err
	}
	return s.directory.FirstOwnKey(ctx, conn.ID, clientKeyUse, made)
}

// readClientKey remembers keys by their certificates: reading one costs as much as signing with it.
func (s *Server) readClientKey(k directory.OwnKey) (*oidc.ClientKey, error) {
	if known, ok := s.keys.Load(string(k.Public)); ok {
		return known.(*oidc.ClientKey), nil
	}
	private, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("a client key: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a client key of type %T", private)
	}
	certificate, err := x509.ParseCertificate(k.Public)
	if err != nil {
		return nil, fmt.Errorf("a client key: %w", err)
	}
	key := &oidc.ClientKey{Private: signer, Certificate: certificate}
	s.keys.Store(string(k.Public), key)
	return key, nil
}

// keySet publishes the connection's own keys: nothing, for one that proves itself in another way.
func (s *Server) keySet(c echo.Context) error {
	conn, _, err := s.connection(c)
	if err != nil {
		return err
	}
	var keys []*oidc.ClientKey
	if conn.OIDC != nil && conn.OIDC.ClientAuth == directory.PrivateKeyJWT {
		if keys, err = s.clientKeys(c.Request().Context(), conn); err != nil {
			return about(err, conn)
		}
	}
	document, err := oidc.KeySet(keys...)
	if err != nil {
		return about(err, conn)
	}
	return c.Blob(http.StatusOK, "application/jwk-set+json", document)
}
