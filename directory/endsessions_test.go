package directory_test

import (
	"fmt"
	"testing"
	"time"

	"muster/directory"
)

// start opens a session of the person under the names that an identity provider gives it.
func (w *world) start(user directory.ID, subject, index string) string {
	w.t.Helper()
	secret, err := w.StartSession(w.t.Context(), directory.Session{Org: "acme", User: user, Connection: "idp", Issuer: "https://idp.example",
		Subject: subject, SessionIndex: index, Expires: w.now.Add(time.Hour)})
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// live says which of the sessions are.
func (w *world) live(secrets ...string) (living []int) {
	w.t.Helper()
	for i, secret := range secrets {
		if _, _, err := w.Session(w.t.Context(), secret); err == nil {
			living = append(living, i)
		}
	}
	return living
}

// MISSION nobody 11: a sign-out at the identity provider ends exactly what it names.
func TestAProviderEndsTheSessionsItNamesAndNoOthers(t *testing.T) {
	const issuer = "https://idp.example"
	for _, test := range []struct {
		name  string
		ended directory.SignedOut
		want  string
	}{
		{"all of a subject", directory.SignedOut{Connection: "idp", Issuer: issuer, Subject: "ada"}, "[2]"},
		{"one session", directory.SignedOut{Connection: "idp", Issuer: issuer, SessionIndex: "s1"}, "[1 2]"},
		{"one session of the subject", directory.SignedOut{Connection: "idp", Issuer: issuer, Subject: "ada", SessionIndex: "s1"}, "[1 2]"},
		{"another subject's session", directory.SignedOut{Connection: "idp", Issuer: issuer, Subject: "bob", SessionIndex: "s1"}, "[0 1 2]"},
		{"an unknown subject", directory.SignedOut{Connection: "idp", Issuer: issuer, Subject: "ad"}, "[0 1 2]"},
		{"an index as a subject", directory.SignedOut{Connection: "idp", Issuer: issuer, Subject: "s1"}, "[0 1 2]"},
		{"another issuer", directory.SignedOut{Connection: "idp", Issuer: "https://evil.example", Subject: "ada"}, "[0 1 2]"},
		{"another connection", directory.SignedOut{Connection: "idp2", Issuer: issuer, Subject: "ada"}, "[0 1 2]"},
		{"nobody", directory.SignedOut{Connection: "idp", Issuer: issuer}, "[0 1 2]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, nil)
			ada := w.must(w.signIn("ada", "userName", "ada", directory.GivenName, "A", directory.FamilyName, "L")).User.ID
			bob := w.must(w.signIn("bob", "userName", "bob", directory.GivenName, "B", directory.FamilyName, "L")).User.ID
			secrets := []string{w.start(ada, "ada", "s1"), w.start(ada, "ada", "s2"), w.start(bob, "bob", "s3")}
			ended, err := w.EndSessions(t.Context(), test.ended)
			if got := fmt.Sprint(w.live(secrets...)); err != nil || got != test.want || ended != 3-len(w.live(secrets...)) {
				t.Errorf("left %s, want %s; %d ended, %v", got, test.want, ended, err)
			}
			if again, err := w.EndSessions(t.Context(), test.ended); again != 0 || err != nil {
				t.Errorf("again: %d, %v", again, err)
			}
		})
	}
}

func TestManySessionsOfOnePersonEndTogether(t *testing.T) {
	w := newWorld(t, nil)
	ada := w.must(w.signIn("ada", "userName", "ada", directory.GivenName, "A", directory.FamilyName, "L")).User.ID
	var secrets []string
	for range 45 {
		secrets = append(secrets, w.start(ada, "ada", "same"))
	}
	if ended, err := w.EndSessions(t.Context(), directory.SignedOut{Connection: "idp", Issuer: "https://idp.example", SessionIndex: "same"}); ended != 45 || err != nil {
		t.Errorf("%d ended, %v", ended, err)
	}
	if left := w.live(secrets...); left != nil {
		t.Errorf("left: %v", left)
	}
}
