package saml_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"testing"

	"github.com/beevik/etree"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

const (
	enc   = "http://www.w3.org/2001/04/xmlenc#"
	enc11 = "http://www.w3.org/2009/xmlenc11#"
)

// encryption is how a provider encrypts an assertion.
type encryption struct {
	cipher    string // URI
	keySize   int
	transport string      // URI
	digest    crypto.Hash // of OAEP
	mask      crypto.Hash
	edit      func(plaintext []byte) []byte    // before
	value     func(ciphertext []byte) []byte   // after
	element   func(encrypted *etree.Element)   // after
	key       func(encryptedKey []byte) []byte // after
}

func usual() encryption {
	return encryption{cipher: enc + "aes256-cbc", keySize: 32, transport: enc + "rsa-oaep-mgf1p", digest: crypto.SHA1, mask: crypto.SHA1}
}

// encryptAssertion puts the assertion of a response into an EncryptedAssertion for our key.
func encryptAssertion(response *etree.Element, e encryption) {
	assertion := assertionIn(response)
	index := assertion.Index()
	plaintext, err := etree.NewDocumentWithRoot(assertion.Copy()).WriteToBytes()
	must(err)
	if e.edit != nil {
		plaintext = e.edit(plaintext)
	}
	content := make([]byte, e.keySize)
	_, err = rand.Read(content)
	must(err)
	ciphertext := encrypt(e, content, plaintext)
	if e.value != nil {
		ciphertext = e.value(ciphertext)
	}
	wrapped := wrap(e, content)
	if e.key != nil {
		wrapped = e.key(wrapped)
	}
	encrypted := etree.NewElement("saml:EncryptedAssertion")
	data := encrypted.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", enc)
	data.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", e.cipher)
	key := data.CreateElement("ds:KeyInfo").CreateElement("xenc:EncryptedKey")
	method := key.CreateElement("xenc:EncryptionMethod")
	method.CreateAttr("Algorithm", e.transport)
	if e.digest != crypto.SHA1 {
		method.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", map[crypto.Hash]string{crypto.SHA256: enc + "sha256", crypto.SHA512: enc + "sha512"}[e.digest])
	}
	if e.mask != crypto.SHA1 {
		mask := method.CreateElement("xenc11:MGF")
		mask.CreateAttr("xmlns:xenc11", enc11)
		mask.CreateAttr("Algorithm", enc11+"mgf1sha256")
	}
	key.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(wrapped))
	data.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(ciphertext))
	if e.element != nil {
		e.element(encrypted)
	}
	response.RemoveChildAt(index)
	response.InsertChildAt(index, encrypted)
}

func encrypt(e encryption, content, plaintext []byte) []byte {
	block, err := aes.NewCipher(content)
	must(err)
	if e.cipher == enc11+"aes128-gcm" || e.cipher == enc11+"aes192-gcm" || e.cipher == enc11+"aes256-gcm" {
		aead, err := cipher.NewGCM(block)
		must(err)
		nonce := make([]byte, aead.NonceSize())
		return aead.Seal(nonce, nonce, plaintext, nil)
	}
	padding := aes.BlockSize - len(plaintext)%aes.BlockSize
	plaintext = append(plaintext, bytes.Repeat([]byte{0xa5}, padding)...)
	plaintext[len(plaintext)-1] = byte(padding)
	ciphertext := make([]byte, aes.BlockSize+len(plaintext))
	cipher.NewCBCEncrypter(block, ciphertext[:aes.BlockSize]).CryptBlocks(ciphertext[aes.BlockSize:], plaintext)
	return ciphertext
}

// wrap encrypts a content key, with a mask digest of its own where the standard has one (which Go cannot write).
func wrap(e encryption, content []byte) []byte {
	if e.transport == enc+"rsa-1_5" {
		return make([]byte, ownKey().Size()) // never looked at
	}
	if e.digest == e.mask {
		wrapped, err := rsa.EncryptOAEP(e.digest.New(), rand.Reader, &ownKey().PublicKey, content, nil)
		must(err)
		return wrapped
	}
	return oaep(e.digest, e.mask, content)
}

// oaep is RFC 8017 7.1.1 with two digests.
func oaep(digest, mask crypto.Hash, message []byte) []byte {
	public := &ownKey().PublicKey
	hash := digest.New()
	block := make([]byte, public.Size())
	seed, data := block[1:1+hash.Size()], block[1+hash.Size():]
	copy(data, hash.Sum(nil))
	data[len(data)-len(message)-1] = 1
	copy(data[len(data)-len(message):], message)
	_, err := rand.Read(seed)
	must(err)
	mgf1(mask, data, seed)
	mgf1(mask, seed, data)
	sealed := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(public.E)), public.N)
	return sealed.FillBytes(make([]byte, public.Size()))
}

func mgf1(mask crypto.Hash, out, seed []byte) {
	for counter := 0; len(out) > 0; counter++ {
		hash := mask.New()
		hash.Write(seed)
		hash.Write([]byte{0, 0, 0, byte(counter)})
		n := 0
		for i, b := range hash.Sum(nil) {
			if i < len(out) {
				out[i] ^= b
				n++
			}
		}
		out = out[n:]
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func withOwnKey(t testing.TB, s *scene) {
	t.Helper()
	own := s.provider(t, "", ownKey())
	s.sp.Key = &saml.KeyPair{Private: ownKey(), Certificate: own.Certificate}
}

// sealed returns a response whose signed assertion is encrypted.
func (s *scene) sealed(t testing.TB, e encryption) []byte {
	t.Helper()
	return s.document(t, samltest.Bend{After: func(response *etree.Element) { encryptAssertion(response, e) }})
}

func TestEncryptedAssertionsAreOpened(t *testing.T) {
	s := newScene(t)
	withOwnKey(t, s)
	for _, c := range []struct {
		cipher  string
		keySize int
	}{
		{enc + "aes128-cbc", 16}, {enc + "aes192-cbc", 24}, {enc + "aes256-cbc", 32},
		{enc11 + "aes128-gcm", 16}, {enc11 + "aes192-gcm", 24}, {enc11 + "aes256-gcm", 32},
	} {
		e := usual()
		e.cipher, e.keySize = c.cipher, c.keySize
		t.Run(c.cipher, func(t *testing.T) { s.accepted(t, s.sealed(t, e)) })
	}
	for _, c := range []struct {
		transport    string
		digest, mask crypto.Hash
	}{
		{enc + "rsa-oaep-mgf1p", crypto.SHA256, crypto.SHA1}, {enc11 + "rsa-oaep", crypto.SHA1, crypto.SHA1},
		{enc11 + "rsa-oaep", crypto.SHA256, crypto.SHA256}, {enc11 + "rsa-oaep", crypto.SHA512, crypto.SHA256},
	} {
		e := usual()
		e.transport, e.digest, e.mask = c.transport, c.digest, c.mask
		t.Run(fmt.Sprint(c.transport, c.digest, c.mask), func(t *testing.T) { s.accepted(t, s.sealed(t, e)) })
	}
	t.Run("the key beside the data", func(t *testing.T) {
		e := usual()
		e.element = func(encrypted *etree.Element) {
			key := encrypted.FindElement(".//EncryptedKey")
			key.CreateAttr("xmlns:xenc", enc)
			encrypted.AddChild(key)
		}
		s.accepted(t, s.sealed(t, e))
	})
	t.Run("a key for somebody else first", func(t *testing.T) {
		e := usual()
		e.element = func(encrypted *etree.Element) {
			key := encrypted.FindElement(".//EncryptedKey")
			other := key.Copy()
			other.FindElement(".//CipherValue").SetText("AAAA")
			key.Parent().InsertChildAt(0, other)
		}
		s.accepted(t, s.sealed(t, e))
	})
	t.Run("unsigned in a signed response", func(t *testing.T) {
		s.accepted(t, s.document(t, samltest.Bend{Sign: samltest.SignResponse, Before: func(response *etree.Element) { encryptAssertion(response, usual()) }}))
	})
}

func TestEncryptedAssertionsThatCannotBeTrustedAreRefused(t *testing.T) {
	s := newScene(t)
	e := usual()
	s.refused(t, s.sealed(t, e), saml.ReasonEncrypted) // no key
	withOwnKey(t, s)
	s.accepted(t, s.sealed(t, e))

	t.Run("64 unsigned inside", func(t *testing.T) {
		s.refused(t, s.document(t, samltest.Bend{Sign: samltest.SignNothing, After: func(response *etree.Element) { encryptAssertion(response, usual()) }}), saml.ReasonEncrypted)
	})
	listed := map[string]func(e *encryption){
		"65 RSA 1.5":              func(e *encryption) { e.transport = enc + "rsa-1_5" },
		"65 3DES":                 func(e *encryption) { e.cipher = enc + "tripledes-cbc" },
		"65 no cipher":            func(e *encryption) { e.cipher = "" },
		"65 no transport":         func(e *encryption) { e.transport = "" },
		"65 an unknown mask":      func(e *encryption) { e.mask = crypto.SHA256; e.transport = enc11 + "rsa-oaep"; e.element = renameMask },
		"65 parameters to OAEP":   func(e *encryption) { e.element = addParameters },
		"65 an unknown transport": func(e *encryption) { e.transport = "urn:x" },
	}
	for name, bend := range listed {
		t.Run(name, func(t *testing.T) {
			e := usual()
			bend(&e)
			s.refused(t, s.sealed(t, e), saml.ReasonAlgorithm)
		})
	}
	// 66 to 68: one answer, whatever is wrong inside.
	var answer string
	inside := map[string]func(e *encryption){
		"66 no ciphertext":              func(e *encryption) { e.value = cut(0) },
		"66 one byte":                   func(e *encryption) { e.value = cut(1) },
		"66 the vector alone":           func(e *encryption) { e.value = cut(16) },
		"66 a cut block":                func(e *encryption) { e.value = cut(33) },
		"66 GCM, no ciphertext":         func(e *encryption) { e.cipher = enc11 + "aes256-gcm"; e.value = cut(0) },
		"66 GCM, a cut nonce":           func(e *encryption) { e.cipher = enc11 + "aes256-gcm"; e.value = cut(11) },
		"66 GCM, the nonce alone":       func(e *encryption) { e.cipher = enc11 + "aes256-gcm"; e.value = cut(12) },
		"66 a key of another length":    func(e *encryption) { e.keySize = 16 },
		"66 an empty encrypted key":     func(e *encryption) { e.key = cut(0) },
		"66 a short encrypted key":      func(e *encryption) { e.key = cut(7) },
		"67 a flipped last byte":        func(e *encryption) { e.value = flipped(-1) },
		"67 a flipped byte":             func(e *encryption) { e.value = flipped(100) },
		"67 a flipped vector":           func(e *encryption) { e.value = flipped(0) },
		"67 GCM, a flipped byte":        func(e *encryption) { e.cipher = enc11 + "aes256-gcm"; e.value = flipped(100) },
		"67 a flipped encrypted key":    func(e *encryption) { e.key = flipped(9) },
		"68 a DOCTYPE in the plaintext": func(e *encryption) { e.edit = prefixed("<!DOCTYPE x>") },
		"68 two roots in the plaintext": func(e *encryption) { e.edit = suffixed("<x/>") },
		"68 a comment in the plaintext": func(e *encryption) { e.edit = replaced("ada@", "ada@<!-- -->") },
		"68 no XML in the plaintext":    func(e *encryption) { e.edit = func([]byte) []byte { return []byte("hello") } },
		"68 no plaintext":               func(e *encryption) { e.edit = func([]byte) []byte { return nil } },
		"68 something else encrypted":   func(e *encryption) { e.edit = func([]byte) []byte { return []byte("<x/>") } },
		"68 two assertions nested":      func(e *encryption) { e.edit = replaced("</saml:Assertion>", "<saml:Assertion/></saml:Assertion>") },
		"68 an ID of the response": func(e *encryption) {
			e.edit = replaced("<saml:Subject>", `<saml:Subject ID="response-id">`)
		},
		"a changed plaintext": func(e *encryption) { e.edit = replaced("ada@", "eve@") },
	}
	for name, bend := range inside {
		t.Run(name, func(t *testing.T) {
			e := usual()
			bend(&e)
			document := s.document(t, samltest.Bend{Before: edit("ID", "response-id"), After: func(response *etree.Element) { encryptAssertion(response, e) }})
			s.refused(t, document, saml.ReasonEncrypted)
			_, err := s.verify(document)
			if answer == "" {
				answer = err.Error()
			}
			if err.Error() != answer {
				t.Errorf("another answer: %v", err)
			}
		})
	}
}

// A signed response protects the ciphertext, so its errors may help.
func TestWhatASignedResponseEncryptsIsJudgedTheSame(t *testing.T) {
	s := newScene(t)
	withOwnKey(t, s)
	sealed := func(e encryption) []byte {
		return s.document(t, samltest.Bend{Sign: samltest.SignResponse, Before: func(response *etree.Element) {
			edit("ID", "response-id")(response)
			encryptAssertion(response, e)
		}})
	}
	s.accepted(t, sealed(usual()))
	for name, c := range map[string]struct {
		bend   func(e *encryption)
		reason saml.Reason
	}{
		"no plaintext": {func(e *encryption) { e.edit = func([]byte) []byte { return nil } }, saml.ReasonMalformed},
		"a padding too long": {func(e *encryption) {
			e.value = flipped(-17)
		}, saml.ReasonEncrypted},
		"GCM, a flipped byte":       {func(e *encryption) { e.cipher = enc11 + "aes256-gcm"; e.value = flipped(100) }, saml.ReasonEncrypted},
		"a key of another length":   {func(e *encryption) { e.keySize = 16 }, saml.ReasonEncrypted},
		"something else encrypted":  {func(e *encryption) { e.edit = func([]byte) []byte { return []byte("<x/>") } }, saml.ReasonStructure},
		"an encrypted one inside":   {func(e *encryption) { e.edit = func([]byte) []byte { return []byte(another) } }, saml.ReasonStructure},
		"two assertions nested":     {func(e *encryption) { e.edit = replaced("</saml:Assertion>", "<saml:Assertion/></saml:Assertion>") }, saml.ReasonStructure},
		"a signature deep inside":   {func(e *encryption) { e.edit = replaced("</saml:Subject>", "<Signature/></saml:Subject>") }, saml.ReasonSignature},
		"an ID of the response":     {func(e *encryption) { e.edit = replaced("<saml:Subject>", `<saml:Subject ID="response-id">`) }, saml.ReasonMalformed},
		"a DOCTYPE":                 {func(e *encryption) { e.edit = prefixed("<!DOCTYPE x>") }, saml.ReasonDoctype},
		"an assertion for another":  {func(e *encryption) { e.edit = replaced(ours, theirs) }, saml.ReasonAudience},
		"an inner signature broken": {func(e *encryption) { e.edit = replaced("</saml:Issuer>", "</saml:Issuer>"+emptySignature) }, saml.ReasonSignature},
	} {
		t.Run(name, func(t *testing.T) {
			e := usual()
			c.bend(&e)
			s.refused(t, sealed(e), c.reason)
		})
	}
}

const another = `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`

const emptySignature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`

func renameMask(encrypted *etree.Element) {
	encrypted.FindElement(".//MGF").CreateAttr("Algorithm", "urn:x")
}

func addParameters(encrypted *etree.Element) {
	encrypted.FindElement(".//EncryptedKey/EncryptionMethod").CreateElement("xenc:OAEPparams").SetText("AAAA")
}

func edit(name, value string) func(*etree.Element) {
	return func(response *etree.Element) { response.CreateAttr(name, value) }
}

func cut(length int) func([]byte) []byte {
	return func(value []byte) []byte { return value[:length] }
}

func flipped(index int) func([]byte) []byte {
	return func(value []byte) []byte {
		value[(index+len(value))%len(value)] ^= 0x55
		return value
	}
}
