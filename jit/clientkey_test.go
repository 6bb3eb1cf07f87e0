package jit_test

import (
	"crypto/rsa"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"muster/directory"
	"muster/jit"
	"muster/jit/oidc/oidctest"
)

// published is the connection's key set.
func (s *scene) published(connection string) jose.JSONWebKeySet {
	s.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(s.browser().get("/c/"+connection+"/oidc/jwks", "*/*").body), &set); err != nil {
		s.Fatal(err)
	}
	return set
}

// proved is the connection whose client proves itself by a key.
func proved(p *provider) directory.Connection {
	c := p.connection("corp")
	c.OIDC.ClientID, c.OIDC.Secret, c.OIDC.ClientAuth = "signs", nil, directory.PrivateKeyJWT
	return c
}

func TestAConnectionProvesItselfByAKeyThatItPublishes(t *testing.T) {
	// The provider learns the client's key from the key set, as a real one does.
	client := &oidctest.Client{ID: "signs"}
	p := openID(t)
	s := playOpenID(t, p, proved(p), p.connection("secret"))
	set := s.published("corp")
	if len(set.Keys) != 1 || set.Keys[0].KeyID == "" || len(set.Keys[0].Certificates) != 1 || !set.Keys[0].IsPublic() {
		t.Fatalf("%+v", set)
	}
	first := set.Keys[0].Key.(*rsa.PublicKey)
	client.Key = first
	p.Register(*client)
	s.in(s.browser().signInByOpenID("corp"), "/me")
	if again := s.published("corp"); again.Keys[0].KeyID != set.Keys[0].KeyID {
		t.Error("the key is another one at each request")
	}
	if none := s.published("secret"); len(none.Keys) != 0 {
		t.Errorf("a client with a secret publishes %v", none)
	}

	corp, _, err := s.dir.Connection(t.Context(), "corp")
	if err != nil {
		t.Fatal(err)
	}
	if err := jit.RollKey(t.Context(), s.dir, directory.EventSource{Channel: directory.Local}, corp, time.Hour); err != nil {
		t.Fatal(err)
	}
	if set = s.published("corp"); len(set.Keys) != 2 {
		t.Fatalf("%+v", set)
	}
	s.in(s.browser().signInByOpenID("corp"), "/me") // still by the first
	s.wait(time.Hour)
	s.out(s.browser().signInByOpenID("corp"), 403, "invalid_assertion") // by the second, of which the provider does not know
	for _, key := range s.published("corp").Keys {
		if public := key.Key.(*rsa.PublicKey); !public.Equal(first) {
			client.Key = public
		}
	}
	p.Register(*client)
	s.in(s.browser().signInByOpenID("corp"), "/me")
	s.wait(time.Hour)
	if set = s.published("corp"); len(set.Keys) != 1 || set.Keys[0].Key.(*rsa.PublicKey).Equal(first) {
		t.Errorf("the first key is still published: %+v", set)
	}
}
