package jit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"muster/directory"
	"muster/jit/oidc/oidctest"
)

// provider is an OpenID provider on a port of its own.
type provider struct {
	*oidctest.OP
	mu    sync.Mutex
	clock func() time.Time
}

const clientSecret = "the client's secret: %+&"

// openID starts a provider with the client muster, and whoever else there is. Ada is at every browser.
func openID(t testing.TB, others ...oidctest.Client) *provider {
	t.Helper()
	p := &provider{clock: time.Now}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	clients := append([]oidctest.Client{{ID: "muster", Secret: clientSecret}}, others...)
	p.OP, err = oidctest.NewOP(oidctest.Options{Issuer: "http://" + server.Listener.Addr().String(), Key: key, Clients: clients, Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p
	server.Start()
	t.Cleanup(server.Close)
	p.SignIn(oidcAda())
	return p
}

func (p *provider) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock()
}

// connection is one of the provider's that creates people at sign-in.
func (p *provider) connection(id string) directory.Connection {
	c := justInTime(id)
	c.OIDC = &directory.OIDCTrust{Issuer: p.Issuer, ClientID: "muster", Secret: []byte(clientSecret)}
	return c
}

// playOpenID is play with the provider's clock being the scene's.
func playOpenID(t testing.TB, p *provider, connections ...directory.Connection) *scene {
	t.Helper()
	s := play(t, directory.Org{}, connections...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock = s.now
	return s
}

// oidcAda is the complete person, with whatever else the provider says about her.
func oidcAda(more ...any) oidctest.Person {
	return oidcPerson("ada-1", append([]any{"email", "ada@corp.example", "given_name", "Ada", "family_name", "Lovelace"}, more...)...)
}

func oidcPerson(subject string, pairs ...any) oidctest.Person {
	p := oidctest.Person{Subject: subject, Claims: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		p.Claims[pairs[i].(string)] = pairs[i+1]
	}
	return p
}

// leave starts a sign-in and returns where the provider is asked.
func (b *browser) leave(connection, query string) *url.URL {
	b.Helper()
	answer := b.get("/c/"+connection+"/login"+query, "text/html")
	to, err := answer.Location()
	if err != nil || answer.StatusCode != http.StatusSeeOther {
		b.Fatalf("login: %s %v %s\n%s", answer.Status, err, answer.body, b.log)
	}
	return to
}

// visit goes to the provider and returns where it sends the browser back to.
func (b *browser) visit(to *url.URL) *url.URL {
	b.Helper()
	r, err := http.NewRequest(http.MethodGet, to.String(), nil)
	if err != nil {
		b.Fatal(err)
	}
	answer := b.do(r)
	back, err := answer.Location()
	if err != nil || answer.StatusCode != http.StatusSeeOther {
		b.Fatalf("provider: %s %v %s", answer.Status, err, answer.body)
	}
	return back
}

// comeBack follows the provider's redirect.
func (b *browser) comeBack(to *url.URL) reply {
	b.Helper()
	return b.get(to.RequestURI(), b.accept)
}

// signInByOpenID goes the whole way.
func (b *browser) signInByOpenID(connection string) reply {
	b.Helper()
	return b.comeBack(b.visit(b.leave(connection, "")))
}
