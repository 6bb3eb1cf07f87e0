package directory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/memory"
	"muster/directory/engine/postgres"
	"muster/directory/engine/postgres/postgrestest"
)

// pair is two nodes on one store. What each remembers is warm when revoke runs.
type pair struct {
	t         *testing.T
	here      *directory.Directory // where things are done
	there     *directory.Directory // where they must count
	connected directory.Setup
}

var nobody = directory.EventSource{Channel: directory.Local, Actor: "test"}

// twoNodes runs a test on the memory engine and, where there is a server, on
// PostgreSQL with a pool for each node.
func twoNodes(t *testing.T, fn func(*pair)) {
	t.Run("memory", func(t *testing.T) {
		e := memory.New(memory.Options{})
		defer e.Close()
		onTwoNodes(t, fn, e, e)
	})
	if os.Getenv(storeVariable) != "" {
		return // the second run of a server
	}
	t.Run("PostgreSQL", func(t *testing.T) {
		server := postgrestest.Start(t)
		if server == nil {
			return
		}
		var engines [2]engine.Engine
		for i := range engines {
			e, err := postgres.Open(t.Context(), server.URL("postgres"), postgres.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			engines[i] = e
		}
		onTwoNodes(t, fn, engines[0], engines[1])
	})
}

func onTwoNodes(t *testing.T, fn func(*pair), here, there engine.Engine) {
	p := &pair{t: t}
	for _, node := range []struct {
		on engine.Engine
		d  **directory.Directory
	}{{here, &p.here}, {there, &p.there}} {
		d, err := directory.Open(t.Context(), node.on, directory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		*node.d = d
	}
	p.connected = directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{
		ID: "idp", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create}, SAML: &directory.SAMLTrust{EntityID: "https://idp.example"}}}}
	p.configure(func(*directory.Setup) {})
	fn(p)
	if problems, err := p.there.Check(context.Background()); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func (p *pair) configure(change func(*directory.Setup)) {
	p.t.Helper()
	change(&p.connected)
	if _, err := p.here.Configure(p.t.Context(), nobody, []directory.Setup{p.connected}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) push(on *directory.Directory, name string) directory.ID {
	p.t.Helper()
	r, err := on.Apply(p.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate,
		Attributes: attributes("userName", name)})
	if err != nil {
		p.t.Fatal(err)
	}
	return r.User.ID
}

// signedIn is a person with a session, of which both nodes know all that they
// ever remember.
func (p *pair) signedIn() (user directory.ID, secret string) {
	p.t.Helper()
	r, err := p.here.Apply(p.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SSO, Verb: directory.VerbSignIn,
		Subject: "ada", Issuer: "https://idp.example", AssertedAt: time.Now(),
		Attributes: attributes("userName", "ada", "name.givenName", "Ada", "name.familyName", "L")})
	if err != nil {
		p.t.Fatal(err)
	}
	secret, err = p.here.StartSession(p.t.Context(), directory.Session{Org: "acme", User: r.User.ID, Connection: "idp"})
	if err != nil {
		p.t.Fatal(err)
	}
	for range 2 {
		if _, _, err := p.there.Session(p.t.Context(), secret); err != nil {
			p.t.Fatal(err)
		}
	}
	return r.User.ID, secret
}

// TestWhatIsTakenAwayOnOneNodeIsGoneOnTheOther: at the first use after the
// commit, whatever the other node remembers.
func TestWhatIsTakenAwayOnOneNodeIsGoneOnTheOther(t *testing.T) {
	twoNodes(t, func(p *pair) {
		ctx := p.t.Context()
		token := directory.Token{Org: "acme", Connection: "idp", Name: "t", Kind: directory.SCIMToken}
		if _, err := p.here.SetToken(ctx, token, "a token of the test"); err != nil {
			p.t.Fatal(err)
		}
		for range 2 {
			if _, _, err := p.there.Admit(ctx, "a token of the test"); err != nil {
				p.t.Fatal(err)
			}
		}
		if err := p.here.RevokeToken(ctx, token); err != nil {
			p.t.Fatal(err)
		}
		if _, _, err := p.there.Admit(ctx, "a token of the test"); !errors.Is(err, directory.ErrUnauthorized) {
			p.t.Errorf("a revoked token: %v", err)
		}

		_, secret := p.signedIn()
		if err := p.here.EndSession(ctx, secret); err != nil {
			p.t.Fatal(err)
		}
		if _, _, err := p.there.Session(ctx, secret); !errors.Is(err, directory.ErrUnauthorized) {
			p.t.Errorf("an ended session: %v", err)
		}

		_, secret = p.signedIn()
		p.configure(func(s *directory.Setup) {
			s.Org.Rules = []directory.Rule{{Name: "out", When: `userName eq "ada"`, Deny: true}}
		})
		if _, _, err := p.there.Session(ctx, secret); directory.RefusalCode(err) != directory.RuleDenied {
			p.t.Errorf("a session that a rule denies: %v", err)
		}

		p.configure(func(s *directory.Setup) { s.Org.Rules = nil })
		_, secret = p.signedIn()
		bob := p.push(p.there, "bob")
		if err := p.here.SetState(ctx, nobody, "acme", "idp", directory.Retired); err != nil {
			p.t.Fatal(err)
		}
		if _, _, err := p.there.Session(ctx, secret); directory.RefusalCode(err) != directory.ChannelOff {
			p.t.Errorf("a session of a retired connection: %v", err)
		}
		if _, err := p.there.Apply(ctx, directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbDelete, ID: bob}); directory.RefusalCode(err) != directory.ChannelOff {
			p.t.Errorf("a push of a retired connection: %v", err)
		}
	})
}

// TestAOneTimeValueIsAcceptedByOneNode, and a sealed cookie by all.
func TestAOneTimeValueIsAcceptedByOneNode(t *testing.T) {
	twoNodes(t, func(p *pair) {
		ctx := p.t.Context()
		var taken [30]int
		var mu sync.Mutex
		var both sync.WaitGroup
		for _, d := range []*directory.Directory{p.here, p.there} {
			both.Go(func() {
				for i := range taken {
					err := d.Spend(ctx, "assertion", fmt.Sprint(i), time.Now().Add(time.Minute))
					if err != nil && !errors.Is(err, directory.ErrSpent) {
						p.t.Error(err)
					}
					if err == nil {
						mu.Lock()
						taken[i]++
						mu.Unlock()
					}
				}
			})
		}
		both.Wait()
		for i, n := range taken {
			if n != 1 {
				p.t.Errorf("assertion %d was accepted %d times", i, n)
			}
		}
		sealed, err := p.here.SealFor("sign-in", []byte("request 1"))
		if err != nil {
			p.t.Fatal(err)
		}
		if text, err := p.there.UnsealFor("sign-in", sealed); err != nil || string(text) != "request 1" {
			p.t.Errorf("a cookie of another node: %q, %v", text, err)
		}
		if _, err := p.there.UnsealFor("something else", sealed); !errors.Is(err, directory.ErrUnauthorized) {
			p.t.Errorf("a cookie for something else: %v", err)
		}
	})
}

// TestTheGuardCountsWhatAllNodesTake: ten may go, whoever takes them.
func TestTheGuardCountsWhatAllNodesTake(t *testing.T) {
	twoNodes(t, func(p *pair) {
		nodes := []*directory.Directory{p.here, p.there}
		p.configure(func(s *directory.Setup) { s.Connections[0].Guard = directory.Guard{Per: 24 * time.Hour} })
		var ids []directory.ID
		for i := range 16 {
			ids = append(ids, p.push(nodes[i%2], fmt.Sprint("u", i)))
		}
		var mu sync.Mutex
		gone, held := 0, 0
		var both sync.WaitGroup
		for n, d := range nodes {
			both.Go(func() {
				for i := n; i < len(ids); i += 2 {
					_, err := d.Apply(p.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbDelete, ID: ids[i]})
					mu.Lock()
					switch {
					case err == nil:
						gone++
					case directory.RefusalCode(err) == directory.GuardTripped:
						held++
					default:
						p.t.Error(err)
					}
					mu.Unlock()
				}
			})
		}
		both.Wait()
		if gone != 10 || held != 6 {
			p.t.Errorf("%d are gone and %d held back", gone, held)
		}
	})
}

// TestTwoNodesThatDoTheSameWorkDoItOnce: leases save work and promise nothing,
// so here both work at once, without any.
func TestTwoNodesThatDoTheSameWorkDoItOnce(t *testing.T) {
	twoNodes(t, func(p *pair) {
		ctx := p.t.Context()
		p.configure(func(s *directory.Setup) {
			s.Connections[0].Guard = directory.Guard{Off: true}
			s.Connections[0].Welcome = true
		})
		start := time.Now()
		var ids []directory.ID
		for i := range 20 {
			ids = append(ids, p.push(p.here, fmt.Sprintf("u%d", i)))
			if i%2 == 0 {
				continue
			}
			if _, err := p.here.Apply(ctx, directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbDelete, ID: ids[i]}); err != nil {
				p.t.Fatal(err)
			}
			p.push(p.here, fmt.Sprintf("u%d", i)) // the name is another's by now: each of these is refused
		}
		task, err := p.here.UndoRun(ctx, directory.EventSource{Actor: "admin"}, "acme", "idp", start)
		if err != nil {
			p.t.Fatal(err)
		}
		var both sync.WaitGroup
		for _, d := range []*directory.Directory{p.here, p.there} {
			both.Go(func() {
				for more := true; more; {
					var err error
					if more, err = d.Work(ctx); err != nil {
						p.t.Error(err)
						return
					}
				}
			})
		}
		both.Wait()
		done, err := p.there.Task(ctx, "acme", task)
		if err != nil || done.Finished.IsZero() || done.Refused != 10 || len(done.Faults) != 10 {
			p.t.Errorf("%+v, %v", done, err)
		}
		seen := map[directory.ID]bool{}
		for _, f := range done.Faults {
			if seen[f.About] || strings.TrimSpace(f.Detail) == "" {
				p.t.Errorf("%s is there twice", f.About)
			}
			seen[f.About] = true
		}
	})
}
