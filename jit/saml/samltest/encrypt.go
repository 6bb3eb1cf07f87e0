package samltest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
)

// Recipient is a service provider for which assertions are encrypted.
type Recipient struct {
	Certificate *x509.Certificate
	GCM         bool // AES-256-GCM instead of AES-256-CBC
}

// ReadMetadata reads the certificates that a service provider's metadata publishes for a use, "signing" or "encryption".
func ReadMetadata(document []byte, use string) ([]*x509.Certificate, error) {
	var entity crewjam.EntityDescriptor
	if err := xml.Unmarshal(document, &entity); err != nil {
		return nil, fmt.Errorf("samltest: read metadata: %w", err)
	}
	var list []*x509.Certificate
	for _, role := range entity.SPSSODescriptors {
		for _, key := range role.KeyDescriptors {
			for _, encoded := range key.KeyInfo.X509Data.X509Certificates {
				der, err := base64.StdEncoding.DecodeString(encoded.Data)
				if err != nil {
					return nil, fmt.Errorf("samltest: read metadata: %w", err)
				}
				certificate, err := x509.ParseCertificate(der)
				if err != nil {
					return nil, fmt.Errorf("samltest: read metadata: %w", err)
				}
				if key.Use == use {
					list = append(list, certificate)
				}
			}
		}
	}
	return list, nil
}

// Encrypt puts the assertion of a response, signed or not, into an EncryptedAssertion. It fits Bend.After.
func (r Recipient) Encrypt(response *etree.Element) error {
	assertion := response.SelectElement("Assertion")
	if assertion == nil {
		return errors.New("samltest: no assertion to encrypt")
	}
	plaintext, err := etree.NewDocumentWithRoot(assertion.Copy()).WriteToBytes()
	if err != nil {
		return fmt.Errorf("samltest: encrypt: %w", err)
	}
	data, err := r.encrypted(plaintext)
	if err != nil {
		return fmt.Errorf("samltest: encrypt: %w", err)
	}
	index := assertion.Index()
	response.RemoveChildAt(index)
	encrypted := etree.NewElement("saml:EncryptedAssertion")
	encrypted.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	encrypted.AddChild(data)
	response.InsertChildAt(index, encrypted)
	return nil
}

const (
	xmlenc   = "http://www.w3.org/2001/04/xmlenc#"
	xmlenc11 = "http://www.w3.org/2009/xmlenc11#"
)

// encrypted is an EncryptedData element with a new content key for the recipient.
func (r Recipient) encrypted(plaintext []byte) (*etree.Element, error) {
	public, ok := r.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the certificate has no RSA key")
	}
	content := make([]byte, 32)
	_, _ = rand.Read(content)
	method, ciphertext, err := r.seal(content, plaintext)
	if err != nil {
		return nil, err
	}
	wrapped, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, public, content, nil)
	if err != nil {
		return nil, err
	}
	data := etree.NewElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", xmlenc)
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", method)
	info := data.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	key := info.CreateElement("xenc:EncryptedKey")
	key.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", xmlenc+"rsa-oaep-mgf1p")
	addCipherValue(key, wrapped)
	addCipherValue(data, ciphertext)
	return data, nil
}

func addCipherValue(el *etree.Element, value []byte) {
	text := base64.StdEncoding.EncodeToString(value)
	el.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(text)
}

// seal encrypts with AES-256 in the recipient's mode.
func (r Recipient) seal(content, plaintext []byte) (method string, ciphertext []byte, err error) {
	block, err := aes.NewCipher(content)
	if err != nil {
		return "", nil, err
	}
	if r.GCM {
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return "", nil, err
		}
		return xmlenc11 + "aes256-gcm", gcm.Seal(nil, nil, plaintext, nil), nil
	}
	padding := aes.BlockSize - len(plaintext)%aes.BlockSize
	plaintext = append(plaintext, bytes.Repeat([]byte{byte(padding)}, padding)...)
	ciphertext = make([]byte, aes.BlockSize+len(plaintext))
	_, _ = rand.Read(ciphertext[:aes.BlockSize])
	cipher.NewCBCEncrypter(block, ciphertext[:aes.BlockSize]).CryptBlocks(ciphertext[aes.BlockSize:], plaintext)
	return xmlenc + "aes256-cbc", ciphertext, nil
}
