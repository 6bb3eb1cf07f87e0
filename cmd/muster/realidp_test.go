package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/jit/saml/samltest"
)

// realIdP is SimpleSAMLphp, on a port of its own.
type realIdP struct {
	t      *testing.T
	base   string
	folder string
	state  realIdPState
}

// realIdPState is what testdata/saml/simplesamlphp reads at each request.
type realIdPState struct {
	People map[string]map[string][]string `json:"people"` // "name:password" -> attributes
	Keys   map[string]string              `json:"keys"`
	SP     map[string]any                 `json:"sp,omitempty"`
}

const realIdPPages = "/usr/share/simplesamlphp/www"

// startRealIdP starts it, or says that it is left out. Where servers are asked for, one that is missing is a failure.
func startRealIdP(t *testing.T) *realIdP {
	t.Helper()
	if os.Getenv("MUSTER_TEST_SERVERS") != "1" {
		t.Logf("left out: %s needs php and simplesamlphp (set MUSTER_TEST_SERVERS=1)", t.Name())
		return nil
	}
	if _, err := os.Stat(realIdPPages); err != nil {
		t.Fatalf("simplesamlphp: %v (apt-get install simplesamlphp php-cli php-xml php-mbstring php-sqlite3 php-curl)", err)
	}
	config, err := filepath.Abs("../../testdata/saml/simplesamlphp")
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	idp := &realIdP{t: t, base: "http://" + address, folder: t.TempDir()}
	idp.newKey("first")
	idp.state.Keys = map[string]string{"privatekey": "first.key", "certificate": "first.crt"}
	idp.tell()
	cmd := exec.Command("php", "-d", "error_reporting=E_ALL & ~E_DEPRECATED", "-d", "display_errors=0", "-S", address, "-t", realIdPPages)
	cmd.Env = append(os.Environ(), "SIMPLESAMLPHP_CONFIG_DIR="+config, "SSP_FOLDER="+idp.folder, "SSP_BASE="+idp.base)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			own, _ := os.ReadFile(filepath.Join(idp.folder, "ssp.log"))
			t.Logf("the provider said:\n%s\n%s", log.String(), own)
		}
	})
	for range 100 {
		if connection, err := net.Dial("tcp", address); err == nil {
			_ = connection.Close()
			return idp
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("SimpleSAMLphp does not start:\n%s", log.String())
	return nil
}

// tell writes the state down for the next request.
func (idp *realIdP) tell() {
	idp.t.Helper()
	content, err := json.Marshal(idp.state)
	if err != nil {
		idp.t.Fatal(err)
	}
	at := filepath.Join(idp.folder, "idp.json")
	if err := os.WriteFile(at+".new", content, 0o600); err != nil {
		idp.t.Fatal(err)
	}
	if err := os.Rename(at+".new", at); err != nil {
		idp.t.Fatal(err)
	}
}

func (idp *realIdP) newKey(name string) {
	idp.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		idp.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		idp.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".key": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
		name + ".crt": {Type: "CERTIFICATE", Bytes: certificate},
	} {
		if err := os.WriteFile(filepath.Join(idp.folder, file), pem.EncodeToMemory(block), 0o600); err != nil {
			idp.t.Fatal(err)
		}
	}
}

const realIdPConfiguration = `
orgs:
  - id: acme
    rules:
      - {when: 'groups eq "Engineering"', set: {license: full}}
    connections:
      - id: real-idp
        write: {sso: create}
        saml: {metadata_url: "%s/saml2/idp/metadata.php", sign_requests: true}
`

// serveFor starts muster for the provider, on an address that stays over restarts.
func (idp *realIdP) serveFor(listen, store string) *process {
	idp.t.Helper()
	file := filepath.Join(idp.folder, "muster.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, realIdPConfiguration, idp.base), 0o600); err != nil {
		idp.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "serve", "--listen", listen, "--store", store, "--allow-private-fetch", "--apply", file)
	cmd.Args[0] = "muster"
	cmd.Env = os.Environ()
	p, err := startProcess(cmd)
	if err != nil {
		idp.t.Fatal(err)
	}
	return p
}

// introduce tells the provider of muster by muster's own metadata: it verifies requests and encrypts assertions with the
// certificate in there.
func (idp *realIdP) introduce(base, cipher string) {
	idp.t.Helper()
	page := open(idp.t, http.DefaultClient, base+"/c/real-idp/saml/metadata")
	certificates, err := samltest.ReadMetadata([]byte(page.text), "encryption")
	if err != nil || len(certificates) == 0 {
		idp.t.Fatalf("muster's metadata: %v\n%s", err, page.text)
	}
	idp.state.SP = map[string]any{
		"entityid": base + "/c/real-idp/saml/metadata", "AssertionConsumerService": base + "/c/real-idp/saml/acs",
		"certData": base64.StdEncoding.EncodeToString(certificates[0].Raw), "validate.authnrequest": true,
		"saml20.sign.response": true, "saml20.sign.assertion": true, "assertion.encryption": true, "sharedkey_algorithm": cipher,
		"NameIDFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "simplesaml.nameidattribute": "uniqueUserId",
	}
	idp.tell()
}

// signInByForms goes from muster to the provider, says to be ada if it asks, and comes back by the form it makes.
func (s *surfer) signInByForms(base string) page {
	s.t.Helper()
	page := open(s.t, s.Client, base+"/c/real-idp/login")
	for strings.Contains(page.text, "<form") && page.url.Host != strings.TrimPrefix(base, "http://") {
		page = s.post(page, url.Values{"username": {"ada"}, "password": {"secret"}})
	}
	return page
}

// post sends a page's first form with its hidden fields, and with those of the values that it asks for.
func (s *surfer) post(page page, values url.Values) page {
	s.t.Helper()
	action := regexp.MustCompile(`<form[^>]* action="([^"]*)"`).FindStringSubmatch(page.text)
	if action == nil {
		s.t.Fatalf("no form at %s (%d):\n%s", page.url, page.status, page.text)
	}
	to, err := page.url.Parse(html.UnescapeString(action[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	fields := url.Values{}
	for name := range values {
		if strings.Contains(page.text, `name="`+name+`"`) {
			fields[name] = values[name]
		}
	}
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page.text, -1) {
		fields.Set(html.UnescapeString(hidden[1]), html.UnescapeString(hidden[2]))
	}
	response, err := s.PostForm(to.String(), fields)
	return take(s.t, response, err)
}

// LF-1, FL-1, FD-6: sign-in with signed requests and encrypted assertions, a change of groups, logout, and a certificate
// that is rolled over.
func TestPeopleComeAndGoByARealSAMLProvider(t *testing.T) {
	idp := startRealIdP(t)
	if idp == nil {
		return
	}
	ada := map[string][]string{"uniqueUserId": {"ada-1"}, "email": {"ada@corp.example"}, "firstName": {"Ada"}, "lastName": {"Lovelace"},
		"displayName": {"Ada Lovelace"}, "groups": {"Engineering"}}
	idp.state.People = map[string]map[string][]string{"ada:secret": ada}
	idp.tell()
	store := "bolt://" + filepath.Join(idp.folder, "muster.db")
	server := idp.serveFor("127.0.0.1:0", store)
	t.Cleanup(func() { _ = server.stop() })
	base := server.base
	idp.introduce(base, "http://www.w3.org/2001/04/xmlenc#aes256-cbc")
	expect := func(when string, s *surfer, want string) {
		t.Helper()
		if got := s.in(base); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}

	browser := newSurfer(t)
	if page := browser.signInByForms(base); page.url.Path != "/me" || page.status != http.StatusOK {
		t.Fatalf("the first sign-in ends at %s (%d):\n%s", page.url, page.status, page.text)
	}
	expect("created", browser, "Ada Lovelace (ada@corp.example) [Engineering]")

	ada["groups"], ada["lastName"], ada["displayName"] = []string{"Sales"}, []string{"King"}, []string{"Ada King"}
	idp.introduce(base, "http://www.w3.org/2009/xmlenc11#aes256-gcm")
	other := newSurfer(t)
	other.signInByForms(base)
	expect("updated", other, "Ada King (ada@corp.example) [Sales]")

	request, err := http.NewRequest(http.MethodPost, base+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := browser.Do(request)
	take(t, response, err)
	expect("signed out", browser, "")
	browser.signInByForms(base) // the provider's own session remembers what it knew when that began
	expect("signed in again", browser, "Ada Lovelace (ada@corp.example) [Engineering]")

	// The provider publishes its next certificate, muster reads of it, and then the provider signs with it.
	idp.newKey("second")
	idp.state.Keys["new_privatekey"], idp.state.Keys["new_certificate"] = "second.key", "second.crt"
	idp.tell()
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	server = idp.serveFor(strings.TrimPrefix(base, "http://"), store)
	idp.state.Keys = map[string]string{"privatekey": "second.key", "certificate": "second.crt"}
	idp.tell()
	late := newSurfer(t)
	late.signInByForms(base)
	expect("with the new certificate", late, "Ada King (ada@corp.example) [Sales]")

	idp.newKey("stranger")
	idp.state.Keys = map[string]string{"privatekey": "stranger.key", "certificate": "stranger.crt"}
	idp.tell()
	stranger := newSurfer(t)
	if page := stranger.signInByForms(base); page.status != http.StatusForbidden || !strings.Contains(page.text, "invalid_assertion") {
		t.Errorf("a certificate that nobody published: %d\n%s", page.status, page.text)
	}
	expect("with an unknown certificate", stranger, "")
}
