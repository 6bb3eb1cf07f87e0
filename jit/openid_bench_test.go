package jit_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"muster/directory"
	"muster/jit"
	"muster/jit/oidc/oidctest"
)

// inProcess is a network whose only host is the handler.
type inProcess struct{ http.Handler }

func (n inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	n.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// BenchmarkOpenIDCallback is one callback of somebody known: the code exchanged, the token judged, the person found,
// the session begun. The provider answers in process; that it signs a token is part of what is measured.
func BenchmarkOpenIDCallback(b *testing.B) {
	op, err := oidctest.NewOP(oidctest.Options{Issuer: "https://op.example", Clients: []oidctest.Client{{ID: "muster", Secret: clientSecret}}})
	if err != nil {
		b.Fatal(err)
	}
	op.SignIn(oidcAda("name", "Ada L", "preferred_username", "ada", "groups", []string{"Engineering", "Admins"}))
	corp := justInTime("corp")
	corp.OIDC = &directory.OIDCTrust{Issuer: op.Issuer, ClientID: "muster", Secret: []byte(clientSecret)}
	s := playWith(b, jit.Options{HTTP: &http.Client{Transport: inProcess{op}}}, directory.Org{}, corp)
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	atProvider := s.browser()
	atProvider.client = &http.Client{Jar: jar, Transport: inProcess{op}, CheckRedirect: atProvider.client.CheckRedirect}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		person := s.browser()
		back := atProvider.visit(person.leave("corp", ""))
		b.StartTimer()
		if got := person.comeBack(back); got.StatusCode != http.StatusSeeOther {
			b.Fatal(got.Status, got.body)
		}
	}
}
