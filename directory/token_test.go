package directory_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/directory"
)

func TestAdmitReadsTokenAndPolicyTogether(t *testing.T) {
	ctx, now := context.Background(), time.Now()
	e := newStore(t)
	defer e.Close()
	d, err := directory.Open(ctx, e, directory.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	org := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp"}}}
	if _, err := d.Configure(ctx, directory.EventSource{Channel: directory.Local}, []directory.Setup{org}); err != nil {
		t.Fatal(err)
	}
	pushes := directory.Token{Org: "acme", Connection: "idp", Name: "idp", Kind: directory.SCIMToken, Expires: now.Add(time.Hour)}
	lost := directory.Token{Org: "nobody", Name: "crm", Kind: directory.AppToken}
	operates := directory.Token{Name: "root", Kind: directory.AdminToken, Role: directory.Operator}
	for secret, token := range map[string]directory.Token{"pushes": pushes, "lost": lost, "operates": operates} {
		if _, err := d.SetToken(ctx, token, secret); err != nil {
			t.Fatal(err)
		}
	}
	if got, p, err := d.Admit(ctx, "pushes"); err != nil || got.Name != "idp" || p.Connection("idp") == nil {
		t.Errorf("Admit gave %+v, %v, %v", got, p, err)
	}
	if got, p, err := d.Admit(ctx, "operates"); err != nil || got.Kind != directory.AdminToken || p != nil {
		t.Errorf("Admit of the instance's token gave %+v, %v, %v", got, p, err)
	}
	if _, _, err := d.Admit(ctx, "lost"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a token without an organisation: %v", err)
	}
	org.Connections[0].State = directory.Paused
	if _, err := d.Configure(ctx, directory.EventSource{Channel: directory.Local}, []directory.Setup{org}); err != nil {
		t.Fatal(err)
	}
	if _, p, err := d.Admit(ctx, "pushes"); err != nil || p.Connection("idp").State != directory.Paused {
		t.Errorf("after the connection was paused: %v, %v", p, err)
	}
	now = now.Add(time.Hour)
	if _, _, err := d.Admit(ctx, "pushes"); !errors.Is(err, directory.ErrUnauthorized) {
		t.Errorf("an expired token: %v", err)
	}
	if err := d.RevokeToken(ctx, operates); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Admit(ctx, "operates"); !errors.Is(err, directory.ErrUnauthorized) {
		t.Errorf("a revoked token: %v", err)
	}
}
