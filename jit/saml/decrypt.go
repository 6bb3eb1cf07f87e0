package saml

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	_ "crypto/sha1" // OAEP's default digest, harmless there
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"errors"

	"github.com/beevik/etree"
)

// maxEncryptedKeys bounds the private key operations of one message. Providers send one key per recipient.
const maxEncryptedKeys = 4

var errSealed = errors.New("saml: cannot be decrypted")

// sealed is an encrypted assertion whose methods are on the list.
type sealed struct {
	cipher contentCipher
	keys   []encryptedKey
	value  []byte
}

// contentCipher is AES with a key length, in a mode.
type contentCipher struct {
	keySize int
	gcm     bool
}

// encryptedKey is a content key for us, or for another recipient.
type encryptedKey struct {
	options rsa.OAEPOptions
	value   []byte
}

// contentCipherOf knows the AES methods of XML Encryption. 3DES is not among them.
func contentCipherOf(uri string) (contentCipher, bool) {
	switch uri {
	case nsEncryption + "aes128-cbc":
		return contentCipher{keySize: 16}, true
	case nsEncryption + "aes192-cbc":
		return contentCipher{keySize: 24}, true
	case nsEncryption + "aes256-cbc":
		return contentCipher{keySize: 32}, true
	case nsEncryption11 + "aes128-gcm":
		return contentCipher{keySize: 16, gcm: true}, true
	case nsEncryption11 + "aes192-gcm":
		return contentCipher{keySize: 24, gcm: true}, true
	case nsEncryption11 + "aes256-gcm":
		return contentCipher{keySize: 32, gcm: true}, true
	}
	return contentCipher{}, false
}

// sealed reads the envelope. Its errors depend on what everybody can see in the message, never on the plaintext.
func (sp *ServiceProvider) sealed(encrypted *etree.Element) (*sealed, error) {
	if len(sp.keys()) == 0 {
		return nil, refuse(ReasonEncrypted, "the assertion is encrypted but this connection has no key")
	}
	data := only(encrypted, nsEncryption, "EncryptedData")
	if data == nil {
		return nil, refuse(ReasonEncrypted, "not one EncryptedData in the EncryptedAssertion")
	}
	envelope := &sealed{}
	uri := encryptionMethod(data)
	var known bool
	if envelope.cipher, known = contentCipherOf(uri); !known {
		return nil, refuse(ReasonAlgorithm, "encryption method %.100q", uri)
	}
	var err error
	if envelope.value, err = cipherValue(data); err != nil {
		return nil, err
	}
	for el := range elements(encrypted) {
		if !is(el, nsEncryption, "EncryptedKey") {
			continue
		}
		key, err := readEncryptedKey(el)
		if err != nil {
			return nil, err
		}
		envelope.keys = append(envelope.keys, key)
	}
	if len(envelope.keys) == 0 || len(envelope.keys) > maxEncryptedKeys {
		return nil, refuse(ReasonEncrypted, "%d encrypted keys, 1 to %d are tried", len(envelope.keys), maxEncryptedKeys)
	}
	return envelope, nil
}

func readEncryptedKey(el *etree.Element) (encryptedKey, error) {
	var key encryptedKey
	method := only(el, nsEncryption, "EncryptionMethod")
	digest, mask := crypto.SHA1, crypto.SHA1 // the defaults of XML Encryption 5.5
	uri := encryptionMethod(el)
	switch uri {
	case nsEncryption + "rsa-oaep-mgf1p":
	case nsEncryption11 + "rsa-oaep":
		if el := only(method, nsEncryption11, "MGF"); el != nil {
			mask = hashOf(attribute(el, "Algorithm"))
		}
	default:
		return key, refuse(ReasonAlgorithm, "key encryption method %.100q, RSA-OAEP is needed", uri)
	}
	if el := only(method, nsSignature, "DigestMethod"); el != nil {
		digest = hashOf(attribute(el, "Algorithm"))
	}
	if digest == 0 || mask == 0 || only(method, nsEncryption, "OAEPparams") != nil {
		return key, refuse(ReasonAlgorithm, "RSA-OAEP with parameters that are not supported")
	}
	var err error
	key.options = rsa.OAEPOptions{Hash: digest, MGFHash: mask}
	key.value, err = cipherValue(el)
	return key, err
}

// hashOf knows the digests of OAEP and of its mask generation function; 0 is none of them.
func hashOf(uri string) crypto.Hash {
	switch uri {
	case digestSHA1, nsEncryption11 + "mgf1sha1":
		return crypto.SHA1
	case nsEncryption + "sha256", nsEncryption11 + "mgf1sha256":
		return crypto.SHA256
	case methodsMore + "sha384", nsEncryption11 + "mgf1sha384":
		return crypto.SHA384
	case nsEncryption + "sha512", nsEncryption11 + "mgf1sha512":
		return crypto.SHA512
	}
	return 0
}

func encryptionMethod(el *etree.Element) string {
	if method := only(el, nsEncryption, "EncryptionMethod"); method != nil {
		return attribute(method, "Algorithm")
	}
	return ""
}

func cipherValue(el *etree.Element) ([]byte, error) {
	if data := only(el, nsEncryption, "CipherData"); data != nil {
		if value := only(data, nsEncryption, "CipherValue"); value != nil {
			decoded, err := base64.StdEncoding.DecodeString(compact(text(value)))
			if err == nil {
				return decoded, nil
			}
		}
	}
	return nil, refuse(ReasonEncrypted, "no CipherValue in base64 in the %s", el.Tag)
}

// open decrypts, and puts the assertion where it was encrypted, so that it has the namespaces of its place. Its errors
// are for trustEncrypted's eyes.
func (sp *ServiceProvider) open(envelope *sealed, encrypted *etree.Element, filter *prefilter) (*etree.Element, error) {
	plaintext, err := sp.decrypt(envelope)
	if err != nil {
		return nil, refuse(ReasonEncrypted, "the assertion is not encrypted for the key of this connection, or damaged")
	}
	inner := prefilter{ids: filter.ids}
	if plaintext, err = inner.prefiltered(plaintext); err != nil {
		return nil, err
	}
	assertion, err := parse(plaintext)
	if err != nil {
		return nil, err
	}
	response := encrypted.Parent()
	index := encrypted.Index()
	response.RemoveChildAt(index)
	response.InsertChildAt(index, assertion)
	if !is(assertion, nsAssertion, "Assertion") {
		return nil, refuse(ReasonStructure, "the plaintext is no assertion")
	}
	return assertion, structured(response)
}

// decrypt tries the encrypted keys with each of ours; at most one of them fits.
func (sp *ServiceProvider) decrypt(envelope *sealed) ([]byte, error) {
	for _, own := range sp.keys() {
		for _, key := range envelope.keys {
			content, err := own.Private.Decrypt(nil, key.value, &key.options)
			if err != nil || len(content) != envelope.cipher.keySize {
				continue
			}
			block, err := aes.NewCipher(content)
			if err != nil {
				continue
			}
			if envelope.cipher.gcm {
				return decryptGCM(block, envelope.value)
			}
			return decryptCBC(block, envelope.value)
		}
	}
	return nil, errSealed
}

func decryptGCM(block cipher.Block, value []byte) ([]byte, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil || len(value) < aead.NonceSize() {
		return nil, errSealed
	}
	return aead.Open(nil, value[:aead.NonceSize()], value[aead.NonceSize():], nil)
}

// decryptCBC strips the padding of XML Encryption 5.2: the last byte counts, the others may be anything.
func decryptCBC(block cipher.Block, value []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(value) < 2*size || len(value)%size != 0 {
		return nil, errSealed
	}
	plaintext := make([]byte, len(value)-size)
	cipher.NewCBCDecrypter(block, value[:size]).CryptBlocks(plaintext, value[size:])
	padding := int(plaintext[len(plaintext)-1])
	if padding < 1 || padding > size {
		return nil, errSealed
	}
	return plaintext[:len(plaintext)-padding], nil
}
