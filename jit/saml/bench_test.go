package saml_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"ssp/response-01", "ssp-asssig/response-01", "ssp/response-02"} {
		b.Run(name, func(b *testing.B) {
			r := record(b, name)
			sp, expect := r.provider(), r.expect()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sp.Verify(r.form, expect); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFloor is what no verification can do without: decode, one pass over the tokens, one digest, one RSA.
func BenchmarkFloor(b *testing.B) {
	r := record(b, "ssp/response-01")
	key, ok := r.idp.Certificates[0].PublicKey.(*rsa.PublicKey)
	if !ok {
		b.Fatal("no RSA key")
	}
	value := make([]byte, key.Size())
	value[len(value)-1] = 2
	b.ReportAllocs()
	for b.Loop() {
		document, err := base64.StdEncoding.DecodeString(r.form)
		if err != nil {
			b.Fatal(err)
		}
		decoder := xml.NewDecoder(bytes.NewReader(document))
		for err == nil {
			_, err = decoder.RawToken()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
		digest := sha256.Sum256(document)
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], value) == nil {
			b.Fatal("verified")
		}
	}
}

func BenchmarkFiveThousandGroups(b *testing.B) {
	s := newScene(b)
	groups := make([]string, 5000)
	for i := range groups {
		groups[i] = fmt.Sprintf("Group %d", i)
	}
	s.person.Attributes = []saml.Attribute{{Name: "groups", Values: groups}}
	form := encoded(s.document(b, samltest.Bend{}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.sp.Verify(form, s.expect()); err != nil {
			b.Fatal(err)
		}
	}
}
