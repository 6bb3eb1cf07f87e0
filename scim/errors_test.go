package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"muster/directory"
	"muster/directory/filter"
)

func TestEveryRefusalHasItsStatus(t *testing.T) {
	cases := []struct {
		code     directory.Code
		method   string
		status   int
		scimType string
	}{
		{directory.Uniqueness, "POST", 409, "uniqueness"},
		{directory.Uniqueness, "PATCH", 409, "uniqueness"},
		{directory.LinkRequired, "POST", 409, "uniqueness"},
		{directory.LinkRequired, "PUT", 403, ""},
		{directory.LinkRequired, "PATCH", 403, ""},
		{directory.Ambiguous, "POST", 409, "uniqueness"},
		{directory.NotProvisioned, "POST", 403, ""},
		{directory.DomainNotAllowed, "POST", 403, ""},
		{directory.ChannelOff, "PUT", 403, ""},
		{directory.Reserved, "POST", 403, ""},
		{directory.Protected, "DELETE", 403, ""},
		{directory.Suspended, "PUT", 403, ""},
		{directory.Deprovisioned, "POST", 403, ""},
		{directory.RuleDenied, "POST", 403, ""},
		{directory.StaleAssertion, "POST", 403, ""},
		{directory.GuardTripped, "DELETE", 503, ""},
		{directory.ConnectionPaused, "GET", 503, ""},
		{directory.Owned, "PUT", 403, ""},
		{directory.AttributeMissing, "POST", 400, "invalidValue"},
		{directory.AttributeMissing, "PUT", 400, "invalidValue"},
		{directory.AttributeMissing, "PATCH", 400, "mutability"},
		{directory.InvalidValue, "PATCH", 400, "invalidValue"},
		{directory.InvalidIdentifier, "POST", 400, "invalidValue"},
		{directory.NoTarget, "PATCH", 400, "noTarget"},
		{directory.MutabilityViolated, "PATCH", 400, "mutability"},
		{"something_new", "POST", 500, ""},
	}
	id, _ := directory.ParseID("01890a5d-ac96-774b-bcce-b302099a8057")
	for _, tc := range cases {
		err := fmt.Errorf("wrapped: %w", &directory.Refusal{Code: tc.code, Attribute: "department", Detail: "because", Case: id})
		f := toFault(err, tc.method)
		if f.Status != tc.status || string(f.ScimType) != tc.scimType {
			t.Errorf("%s on %s: %d %s", tc.code, tc.method, f.Status, f.ScimType)
		}
		names := strings.Contains(f.Detail, "department") && strings.Contains(f.Detail, string(tc.code)) && strings.Contains(f.Detail, id.String())
		if names == (tc.status == 500) {
			t.Errorf("%s: detail %q", tc.code, f.Detail)
		}
	}
}

func TestEveryErrorHasItsStatus(t *testing.T) {
	cases := map[error]int{
		directory.ErrNotFound:      404,
		directory.ErrVersion:       412,
		directory.ErrUnauthorized:  401,
		&filter.Error{Offset: 3}:   400,
		&syntaxError{}:             400,
		context.DeadlineExceeded:   503,
		directory.ErrUnknown:       503,
		directory.ErrTooLarge:      413,
		errors.New("disk on fire"): 500,
	}
	for err, status := range cases {
		f := toFault(fmt.Errorf("wrapped: %w", err), http.MethodGet)
		if f.Status != status || strings.Contains(f.Detail, "fire") {
			t.Errorf("%v: %d %s", err, f.Status, f.Detail)
		}
	}
}

func TestAFilterThatLooksAtTooMuchIsRefused(t *testing.T) {
	b := newBed(t)
	b.serve(Options{MaxScan: 60})
	for i := range 50 {
		b.make("/Users", fmt.Sprintf(`{"userName":"u%d"}`, i))
	}
	terms := strings.Repeat(`title co "x" or `, 255) + `title co "x"`
	a := b.want(400, b.scim("GET", "/Users?filter="+terms, ""))
	if a.json["scimType"] != "tooMany" {
		t.Error(a.text)
	}
	b.want(200, b.scim("GET", `/Users?filter=title co "x" or title co "y"`, ""))
}

func TestMessagesDoNotRepeatAtLengthWhatWasSent(t *testing.T) {
	b := newBed(t)
	long := strings.Repeat("ü", 200_000)
	for _, body := range []string{`{"userName":"a","title":"` + long + `"}`, `{"userName":"a","location":"` + long[:60_000] + `"}`} {
		if a := b.want(400, b.scim("POST", "/Users", body)); len(a.text) > 2000 || !utf8.ValidString(a.text) {
			t.Errorf("%d bytes: %.200s", len(a.text), a.text)
		}
	}
}
