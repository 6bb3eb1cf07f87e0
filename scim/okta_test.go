package scim

import (
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// specTest is Okta's SPEC test as Runscope exports it.
type specTest struct {
	Steps []struct {
		Type    string `json:"step_type"`
		Note    string
		Method  string
		URL     string
		Body    string
		Headers map[string][]string
		Asserts []struct{ Comparison, Source, Property, Value string } `json:"assertions"`
		Keeps   []struct{ Name, Property string }                      `json:"variables"`
	}
}

// Okta's published SPEC test passes whole, in its own order.
func TestOktaSpecTest(t *testing.T) {
	text, err := os.ReadFile("../testdata/scim/okta/spec-test.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec specTest
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	b := newBed(t, connectionFor("okta"))
	b.resources() // the test wants somebody to be there
	vars := map[string]string{
		"SCIMBaseURL": "/c/idp/scim/v2", "auth": "Bearer " + connToken,
		"randomGivenName": "Runscope123", "randomFamilyName": "Qwertyui123", "randomEmail": "Runscope123Qwertyui123@atko.com",
		"randomUsername": "Runscope123Qwertyui123@atko.com", "InvalidUserEmail": "abcdefgh@atko.com",
		"UserIdThatDoesNotExist": "010101001010101011001010101011", "randomUsernameCaps": "RUNSCOPE123QWERTYUI123@ATKO.COM",
	}
	fill := func(s string) string {
		for name, value := range vars {
			s = strings.ReplaceAll(s, "{{"+name+"}}", value)
		}
		return s
	}
	requests := 0
	for _, step := range spec.Steps {
		if step.Type != "request" {
			continue
		}
		requests++
		var headers []string
		for name, values := range step.Headers {
			headers = append(headers, name, fill(values[0]))
		}
		a := b.send(step.Method, fill(step.URL), fill(step.Body), headers...)
		for _, assert := range step.Asserts {
			if !oktaHolds(a, assert.Comparison, assert.Source, assert.Property, fill(assert.Value)) {
				t.Errorf("%s: %+v does not hold for %d %s", step.Note, assert, a.status, a.text)
			}
		}
		for _, keep := range step.Keeps {
			vars[keep.Name] = asText(property(a.json, keep.Property))
		}
	}
	if requests != 12 {
		t.Errorf("%d requests were made", requests)
	}
}

func oktaHolds(a answer, comparison, source, path, value string) bool {
	var got any = float64(a.status)
	switch source {
	case "response_time":
		return true
	case "response_json":
		got = property(a.json, path)
	}
	switch comparison {
	case "equal", "equal_number":
		return asText(got) == value
	case "not_empty":
		return got != nil && asText(got) != "" && asText(got) != "[]"
	case "is_a_number":
		_, ok := got.(float64)
		return ok
	case "has_value", "contains":
		return strings.Contains(asText(got), value)
	}
	return false
}

func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := json.Marshal(v)
	return string(text)
}

var position = regexp.MustCompile(`^(\w+)\[(\d+)\]$`)

// property follows a path such as Resources[0].name.familyName.
func property(doc map[string]any, path string) any {
	var steps []any
	for _, name := range strings.Split(path, ".") {
		if m := position.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[2])
			steps = append(steps, m[1], float64(n))
			continue
		}
		steps = append(steps, name)
	}
	return at(doc, steps)
}
