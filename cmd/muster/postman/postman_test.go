package postman_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"muster/cmd/muster/postman"
	"muster/directory"
	"muster/directory/engine/memory"
)

// mailbox is an SMTP server that keeps what it takes.
type mailbox struct {
	mu     sync.Mutex
	got    []*mail.Message
	bodies []string
	refuse error // of recipients
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{b: b}, nil }

func (b *mailbox) refusing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = err
}

func (b *mailbox) taken() ([]*mail.Message, []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got, b.bodies
}

type visit struct {
	b    *mailbox
	user string
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(string, *smtp.MailOptions) error {
	if v.user == "" {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (v *visit) Rcpt(string, *smtp.RcptOptions) error {
	v.b.mu.Lock()
	defer v.b.mu.Unlock()
	return v.b.refuse
}

func (v *visit) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	v.b.mu.Lock()
	defer v.b.mu.Unlock()
	v.b.got, v.b.bodies = append(v.b.got, m), append(v.b.bodies, string(body))
	return err
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "muster" || password != "pass:word" {
			return errors.New("who?")
		}
		v.user = user
		return nil
	}), nil
}

// scene is a directory, a mailbox and a postman between them.
type scene struct {
	*testing.T
	dir  *directory.Directory
	box  *mailbox
	post *postman.Postman
	log  bytes.Buffer
	now  time.Time
	addr string

	trust *tls.Config
}

// certified is a certificate of 127.0.0.1, and who believes it.
func certified(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	site := httptest.NewTLSServer(nil)
	defer site.Close()
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	return &tls.Config{Certificates: site.TLS.Certificates}, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

func play(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, box: &mailbox{}, now: time.Now()}
	store := memory.New(memory.Options{})
	t.Cleanup(func() { _ = store.Close() })
	var err error
	if s.dir, err = directory.Open(t.Context(), store, directory.Options{Now: func() time.Time { return s.now }}); err != nil {
		t.Fatal(err)
	}
	setup := directory.Setup{Org: directory.Org{ID: "acme", Name: "Acme\r\nBcc: eve@evil.example"}, Connections: []directory.Connection{{
		ID: "idp", Welcome: true, Write: directory.Write{SCIM: directory.Create}, SAML: &directory.SAMLTrust{EntityID: "https://idp.example"}}}}
	if _, err := s.dir.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(s.box)
	server.TLSConfig, s.trust = certified(t)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if problems, err := s.dir.Check(context.Background()); err != nil || len(problems) > 0 {
			t.Errorf("Check: %v %v", problems, err)
		}
	})
	s.addr = listener.Addr().String()
	s.serve("smtp://muster:pass%3Aword@" + s.addr)
	return s
}

func (s *scene) serve(raw string) {
	s.Helper()
	at, err := postman.ParseServer(raw)
	if err != nil {
		s.Fatal(err)
	}
	at.TLS = s.trust
	if s.post, err = postman.New(postman.Options{Directory: s.dir, Server: at, From: "Acme <id@acme.example>", Base: "https://id.acme.example",
		Log: slog.New(slog.NewTextHandler(&s.log, nil))}); err != nil {
		s.Fatal(err)
	}
}

// create has the identity provider push somebody, which queues a letter.
func (s *scene) create(name, address string) {
	s.Helper()
	var a directory.Attributes
	a.Set(directory.UserName, directory.Text(address))
	a.Set(directory.DisplayName, directory.Text(name))
	a.Set(directory.Emails, directory.Value{directory.NewElement(directory.Field{Name: "value", Text: address}, directory.Field{Name: "primary", Text: "true"})})
	if _, err := s.dir.Apply(s.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: a}); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) deliver() (sent bool) {
	s.Helper()
	sent, err := s.post.Deliver(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return sent
}

func TestAWelcomeIsSentOnceAndLeadsToTheOwnSignIn(t *testing.T) {
	s := play(t)
	s.create("Ada\r\nBcc: eve@evil.example", "ada+tag@acme.example")
	if !s.deliver() || s.deliver() {
		t.Fatal("one letter is to be sent")
	}
	got, bodies := s.box.taken()
	if len(got) != 1 {
		t.Fatalf("%d letters\n%s", len(got), &s.log)
	}
	h, body := got[0].Header, bodies[0]
	to, err := h.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "ada+tag@acme.example" || h.Get("Bcc") != "" {
		t.Errorf("to %v, bcc %q, %v", to, h.Get("Bcc"), err)
	}
	if h.Get("Auto-Submitted") != "auto-generated" || !strings.HasSuffix(h.Get("Message-ID"), "@id.acme.example>") || !strings.Contains(h.Get("From"), "id@acme.example") {
		t.Errorf("%v", h)
	}
	if !strings.Contains(body, "https://id.acme.example/c/idp/login\r\n") || !strings.Contains(body, "no password") {
		t.Errorf("%s", body)
	}
}

func TestWhatCannotBeSentNowIsSentLaterAndWhatIsRefusedIsNot(t *testing.T) {
	s := play(t)
	s.create("Ada", "ada@acme.example")
	s.box.refusing(&smtp.SMTPError{Code: 451, Message: "later"})
	if !s.deliver() || s.deliver() {
		t.Fatal("it is to be tried, once")
	}
	s.box.refusing(nil)
	s.now = s.now.Add(time.Minute)
	if !s.deliver() {
		t.Fatal("it is to be tried again")
	}
	if got, _ := s.box.taken(); len(got) != 1 {
		t.Fatalf("%d letters\n%s", len(got), &s.log)
	}
	s.create("Bob", "bob@acme.example")
	s.box.refusing(&smtp.SMTPError{Code: 550, Message: "no such user"})
	s.deliver()
	s.box.refusing(nil)
	s.now = s.now.Add(time.Hour)
	if s.deliver() {
		t.Error("a refused letter is sent again")
	}
}

// What is wrong with our account is no reason to drop anybody's letter, and is told without the password.
func TestAWrongPasswordDropsNothingAndIsNotLogged(t *testing.T) {
	s := play(t)
	s.serve("smtp://muster:another-secret@" + s.addr)
	s.create("Ada", "ada@acme.example")
	s.deliver()
	if strings.Contains(s.log.String(), "another-secret") || !strings.Contains(s.log.String(), "letter not sent") {
		t.Errorf("%s", &s.log)
	}
	s.serve("smtp://muster:pass%3Aword@" + s.addr)
	s.now = s.now.Add(time.Minute)
	s.deliver()
	if got, _ := s.box.taken(); len(got) != 1 {
		t.Errorf("%d letters", len(got))
	}
}

func TestAServerIsReadStrictlyAndWithoutShowingItsPassword(t *testing.T) {
	for _, raw := range []string{"http://u:hidden@h", "smtp://u:hidden@", "smtp://u:hidden@h/path", "smtp://u:hidden@h?tls=none", "smtp://u:hid%zzden@h", "u:hidden@h", "smtp://u:hidden@h:x"} {
		if _, err := postman.ParseServer(raw); err == nil || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "zzden") {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for raw, want := range map[string]string{"smtp://u:hidden@mail.example": "mail.example:587", "smtps://mail.example": "mail.example:465", "smtp://mail.example:25": "mail.example:25"} {
		if s, err := postman.ParseServer(raw); err != nil || s.String() != want {
			t.Errorf("%s: %v %v", raw, s, err)
		}
	}
	if _, err := postman.New(postman.Options{From: "nobody"}); err == nil {
		t.Error("a sender without an address")
	}
}

// A certificate that nobody vouches for ends the conversation before anything is said.
func TestAServerWithoutAGoodCertificateGetsNothing(t *testing.T) {
	s := play(t)
	good := s.trust
	s.trust = nil
	s.serve("smtp://muster:pass%3Aword@" + s.addr)
	s.create("Ada", "ada@acme.example")
	s.deliver()
	if got, _ := s.box.taken(); len(got) != 0 || !strings.Contains(s.log.String(), "certificate") {
		t.Errorf("%d letters\n%s", len(got), &s.log)
	}
	s.trust = good
	s.serve("smtp://muster:pass%3Aword@" + s.addr)
	s.now = s.now.Add(time.Minute)
	s.deliver()
	if got, _ := s.box.taken(); len(got) != 1 {
		t.Errorf("%d letters", len(got))
	}
}
