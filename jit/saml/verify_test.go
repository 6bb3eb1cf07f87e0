package saml_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

const fixtures = "../../testdata/saml"

// recorded is one response that a real identity provider posted, and what it said.
type recorded struct {
	EntityID  string              `json:"entityID"`
	ACS       string              `json:"acs"`
	RequestID string              `json:"requestID"`
	Issuer    string              `json:"issuer"`
	Time      time.Time           `json:"time"`
	Attrs     map[string][]string `json:"attrs"`
	NameID    saml.NameID         `json:"nameID"`

	form string
	idp  *saml.Metadata
}

func record(t testing.TB, name string) recorded {
	t.Helper()
	base := filepath.Join(fixtures, name)
	var r recorded
	if err := json.Unmarshal(read(t, base+".json"), &r); err != nil {
		t.Fatal(err)
	}
	r.form = string(read(t, base+".b64"))
	metadata, err := saml.ParseMetadata(read(t, filepath.Join(filepath.Dir(base), "idp-metadata.xml")), saml.MetadataOptions{Now: r.Time})
	if err != nil {
		t.Fatal(err)
	}
	r.idp = metadata
	return r
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (r recorded) provider() *saml.ServiceProvider {
	return &saml.ServiceProvider{EntityID: r.EntityID, ACSURL: r.ACS, IdP: r.idp, Now: func() time.Time { return r.Time }}
}

// expect awaits the request that was recorded, or none if the identity provider started.
func (r recorded) expect() saml.Expect {
	if r.RequestID == "" {
		return saml.Expect{Unsolicited: true}
	}
	return saml.Expect{RequestIDs: []string{r.RequestID}}
}

// responses lists the recorded responses, by folder and name.
func responses(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(fixtures, "*", "response-*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recorded responses: %v", err)
	}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		name, err := filepath.Rel(fixtures, strings.TrimSuffix(path, ".json"))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.ToSlash(name))
	}
	return names
}

func wantReason(t *testing.T, err error, reason saml.Reason) {
	t.Helper()
	refusal, ok := errors.AsType[*saml.Error](err)
	if !ok || refusal.Reason != reason {
		t.Fatalf("got %v, want reason %s", err, reason)
	}
}

func TestRealResponsesAreAcceptedWithTheirFacts(t *testing.T) {
	for _, name := range responses(t) {
		if name == "ssp-nosig/response-01" {
			continue // refused, below
		}
		t.Run(name, func(t *testing.T) {
			r := record(t, name)
			sp := r.provider()
			sp.AllowIDPInitiated = r.RequestID == ""
			sp.InsecureAllowSHA1 = strings.HasPrefix(name, "ssp-sha1/")
			facts, err := sp.Verify(r.form, r.expect())
			if err != nil {
				t.Fatal(err)
			}
			if facts.Issuer != r.Issuer || facts.InResponseTo != r.RequestID || facts.AssertionID == "" || facts.SessionIndex == "" {
				t.Errorf("unexpected facts: %+v", facts)
			}
			if diff := cmp.Diff(r.NameID, facts.NameID); diff != "" {
				t.Errorf("NameID (-want +got):\n%s", diff)
			}
			got := map[string][]string{}
			for _, attribute := range facts.Attributes {
				got[attribute.Name] = append(got[attribute.Name], attribute.Values...)
			}
			if diff := cmp.Diff(r.Attrs, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSHA1IsRefusedUnlessTheConnectionAllowsIt(t *testing.T) {
	r := record(t, "ssp-sha1/response-01")
	_, err := r.provider().Verify(r.form, r.expect())
	wantReason(t, err, saml.ReasonAlgorithm)
}

func TestAnUnsignedRealResponseIsRefused(t *testing.T) {
	r := record(t, "ssp-nosig/response-01")
	_, err := r.provider().Verify(r.form, r.expect())
	wantReason(t, err, saml.ReasonUnsigned)
}

func TestAnAssertionIsToBeRememberedUntilItsEarliestEnd(t *testing.T) {
	const far, near = time.Hour, 2 * time.Minute
	for name, c := range map[string]struct {
		conditions, confirmation, want time.Duration
	}{
		"the conditions end first":    {near, far, near},
		"the confirmation ends first": {far, near, near},
		"neither ends soon":           {far, far, saml.MaxAge},
	} {
		s := newScene(t)
		facts := s.accepted(t, s.document(t, samltest.Bend{Before: func(response *etree.Element) {
			shifted(conditionsPath, "NotOnOrAfter", c.conditions)(s, response)
			shifted(dataPath, "NotOnOrAfter", c.confirmation)(s, response)
		}}))
		if want := s.now.Add(c.want + saml.DefaultSkew); !facts.NotOnOrAfter.Equal(want) {
			t.Errorf("%s: until %s, want %s", name, facts.NotOnOrAfter, want)
		}
	}
}
