package directory

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAttributesHaveAShortFormInJSON(t *testing.T) {
	for text, want := range map[string]Attributes{
		`{"title":"Dr"}`:                                   {{Name: "title", Value: Text("Dr")}},
		`{"roles":["a","b"]}`:                              {{Name: "roles", Value: Texts("a", "b")}},
		`{"emails":{"type":"work","value":"a@b"}}`:         {{Name: "emails", Value: Value{{{"type", "work"}, {"value", "a@b"}}}}},
		`{"emails":[{"type":"work","value":"a@b"},"c@d"]}`: {{Name: "emails", Value: Value{{{"type", "work"}, {"value", "a@b"}}, {{"value", "c@d"}}}}},
		`{"title":null}`:                                   {{Name: "title"}},
	} {
		var got Attributes
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		back, err := json.Marshal(got)
		if err != nil || string(back) != text {
			t.Errorf("%s came back as %s %v", text, back, err)
		}
	}
	for text, want := range map[string]string{`{"a":true}`: "true", `{"a":7}`: "7", `{"a":["x"]}`: "x"} {
		var got Attributes
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.Text("a") != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{`{"a":{"b":{}}}`, `{"a":[["x"]]}`, `[]`, `{"a":`} {
		if err := json.Unmarshal([]byte(text), new(Attributes)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
