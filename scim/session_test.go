package scim

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"muster/directory"
)

func (b *bed) session(connection, subject, name string) string {
	b.t.Helper()
	id, _ := directory.ParseID(b.signedIn(connection, subject, name))
	secret, err := b.d.StartSession(b.t.Context(), directory.Session{Org: "acme", User: id, Connection: connection, Issuer: "https://idp.example", Subject: subject,
		Expires: time.Now().Add(time.Hour)})
	if err != nil {
		b.t.Fatal(err)
	}
	return secret
}

func TestMeIsWhoIsSignedIn(t *testing.T) { // RFC 7644 §3.11
	b := bothDoors(t)
	b.serve(Options{Session: func(r *http.Request) string {
		if cookie, err := r.Cookie("muster"); err == nil {
			return cookie.Value
		}
		return ""
	}})
	secret := b.session("idp", "s1", "babs@acme.example")
	const me = "/o/acme/scim/v2/Me"
	bearer := func(method, path string) answer { return b.send(method, path, "", "Authorization", "Bearer "+secret) }
	a := b.want(200, bearer("GET", me))
	location, _ := at(a.json, "meta.location").(string)
	if a.json["userName"] != "babs@acme.example" || a.header.Get("Location") != location || location == "" || a.header.Get("ETag") == "" {
		t.Error(a.text)
	}
	r := httptest.NewRequest("GET", me+"?attributes=userName", nil)
	r.AddCookie(&http.Cookie{Name: "muster", Value: secret})
	w := httptest.NewRecorder()
	b.echo.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Error(w.Body)
	}
	b.want(304, b.send("GET", me, "", "Authorization", "Bearer "+secret, "If-None-Match", a.header.Get("ETag")))
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		b.want(501, bearer(method, me))
	}
	// A session reads nothing else, a machine is nobody, and nobody is refused.
	b.want(401, bearer("GET", "/o/acme/scim/v2/Users"))
	b.want(401, bearer("GET", "/o/globex/scim/v2/Me"))
	b.want(401, bearer("GET", "/c/idp/scim/v2/Me"))
	b.want(501, b.send("GET", me, "", "Authorization", "Bearer "+appToken))
	b.want(501, b.scim("GET", "/Me", ""))
	b.want(401, b.send("GET", me, "", "Authorization", "Bearer "+connToken))
	b.want(401, b.send("GET", me, "", "Authorization", ""))
	id, _ := directory.ParseID(a.json["id"].(string))
	if _, err := b.d.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbMerge, ID: id, Attributes: directory.Attributes{{Name: "active", Value: directory.Text("false")}}}); err != nil {
		t.Fatal(err)
	}
	b.want(401, bearer("GET", me))
}

func TestATokenThatAsksTooMuchWaits(t *testing.T) {
	b := newBed(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b.serve(Options{Rate: 0.5, Burst: 3, Now: func() time.Time { return now }})
	users := func() answer { return b.scim("GET", "/Users?count=0", "") }
	for range 3 {
		b.want(200, users())
	}
	if a := b.want(429, users()); a.header.Get("Retry-After") != "3" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	b.want(200, b.send("GET", "/o/acme/scim/v2/Users", "", "Authorization", "Bearer "+appToken)) // another token's is another account
	now = now.Add(2 * time.Second)
	b.want(200, users())
	b.want(429, users())
	now = now.Add(time.Minute)
	b.bulk(200, `{"method":"POST","path":"/Users","data":{"userName":"a"}},{"method":"POST","path":"/Users","data":{"userName":"b"}},{"method":"POST","path":"/Users","data":{"userName":"c"}},
		{"method":"POST","path":"/Users","data":{"userName":"d"}},{"method":"POST","path":"/Users","data":{"userName":"e"}}`)
	if a := b.want(429, users()); a.header.Get("Retry-After") != "7" { // two are owed
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	b.serve(Options{})
	for range 50 {
		b.want(200, users())
	}
}

func TestRatesHaveBoundedMemory(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := newRates(1, 1, func() time.Time { return now })
	for i := range 3 * maxBuckets {
		now = now.Add(time.Millisecond)
		r.take(time.Duration(i).String(), 1)
	}
	if len(r.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(r.buckets))
	}
}

func TestConditionsHoldOnEveryVerb(t *testing.T) {
	b := newBed(t)
	user := "/Users/" + b.make("/Users", `{"userName":"babs"}`)
	group := "/Groups/" + b.make("/Groups", `{"displayName":"g"}`)
	const patch = `{"Operations":[{"op":"replace","value":{"displayName":"x"}}]}`
	for _, path := range []string{user, group} {
		tag := b.scim("GET", path, "").header.Get("ETag")
		body := map[string]string{"PUT": `{"userName":"babs","displayName":"g"}`, "PATCH": patch}
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"} {
			b.want(412, b.scim(method, path, body[method], "If-Match", `W/"other"`))
			if method != "GET" && method != "HEAD" {
				b.want(412, b.scim(method, path, body[method], "If-None-Match", "*"))
				b.want(412, b.scim(method, path, body[method], "If-None-Match", `"a", `+tag))
			}
		}
		b.want(200, b.scim("GET", path, "", "If-Match", tag))
		b.want(200, b.scim("GET", path, "", "If-Match", "*", "If-None-Match", `"a"`))
		b.want(304, b.scim("GET", path+"?excludedAttributes=members", "", "If-Match", "*", "If-None-Match", "*"))
		if a := b.scim("PUT", path, body["PUT"], "If-None-Match", `"a"`); a.status != 200 {
			t.Error(a.text)
		}
	}
	b.want(412, b.scim("POST", "/Users", `{"userName":"new"}`, "If-Match", "*"))
	b.want(412, b.scim("POST", "/Groups", `{"displayName":"new"}`, "If-Match", `"x"`))
	b.want(201, b.scim("POST", "/Users", `{"userName":"new"}`, "If-None-Match", "*"))
	for _, path := range []string{"/Schemas", "/ResourceTypes/User", "/ServiceProviderConfig"} {
		a := b.want(200, b.scim("GET", path, ""))
		tag := a.header.Get("ETag")
		if tag == "" {
			t.Fatalf("%s has no version", path)
		}
		b.want(304, b.scim("GET", path, "", "If-None-Match", tag))
		b.want(412, b.scim("GET", path, "", "If-Match", `"other"`))
	}
}
