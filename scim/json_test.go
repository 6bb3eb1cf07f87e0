package scim

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadJSONTakesWhatRFC8259Allows(t *testing.T) {
	text := ` {"a":"x\u00e9\n\ud83d\ude00","b":[1,-0.5e+3,true,null],"c":{"d":{}}, "é":""} `
	doc, err := readJSON(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := node{doc, 0}
	if a, _ := root.child("A"); a.text() != "xé\n😀" {
		t.Errorf("a = %q", a.text())
	}
	var kinds []string
	for n := range root.children {
		kinds = append(kinds, n.key()+" "+n.kind().String())
		for c := range n.children {
			kinds = append(kinds, c.text())
		}
	}
	if got := strings.Join(kinds, ","); got != "a a string,b a list,1,-0.5e+3,true,null,c an object,,é a string" {
		t.Errorf("walked %s", got)
	}
}

func TestReadJSONRefuses(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	cases := map[string]string{
		"nothing":                  ``,
		"a cut":                    `{"a":`,
		"a trailing comma":         `{"a":1,}`,
		"text after the value":     `{} {}`,
		"single quotes":            `{'a':1}`,
		"a bare name":              `{a:1}`,
		"a leading zero":           `{"a":01}`,
		"a plus":                   `{"a":+1}`,
		"NaN":                      `{"a":NaN}`,
		"a word cut off":           `{"a":tru}`,
		"a raw control character":  "{\"a\":\"\x01\"}",
		"an unknown escape":        `{"a":"\x41"}`,
		"half a pair":              `{"a":"\ud83d"}`,
		"half a pair before text":  `{"a":"\ud83dabcdef"}`,
		"a lone low half":          `{"a":"\ude00"}`,
		"an escaped U+0000":        `{"a":"\u0000"}`,
		"invalid UTF-8":            "{\"a\":\"\xff\"}",
		"a byte order mark":        "\ufeff{}",
		"a name twice":             `{"a":1,"a":2}`,
		"a name twice by case":     `{"userName":1,"USERNAME":2}`,
		"a name twice among many":  `{` + manyNames(100) + `,"N7":1}`,
		"deep nesting":             deep,
		"deep nesting of objects":  strings.Repeat(`{"a":`, 1000),
		"too many values":          `[` + strings.Repeat("0,", maxTokens) + `0]`,
		"a string without its end": `{"a":"x`,
	}
	for name, text := range cases {
		if _, err := readJSON(text, nil); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func manyNames(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = `"n` + strings.Repeat("x", i/10) + string(rune('0'+i%10)) + `":0`
	}
	return strings.Join(parts, ",")
}

// What we take, the standard library takes with the same meaning.
func FuzzReadJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"\u00e9"}]}`, `[]`, `"x"`, `{"a":1,"A":2}`, `-1.5e3`, `{"schemas":["x"],"active":true}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := readJSON(text, nil)
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is no JSON", text)
		}
		for i, tok := range doc {
			if int(tok.next) <= i || int(tok.next) > len(doc) || !utf8.ValidString(tok.text) {
				t.Fatalf("token %d of %q is broken", i, text)
			}
		}
		var want any
		if json.Unmarshal([]byte(text), &want) == nil && doc[0].kind == isString && want != doc[0].text {
			t.Fatalf("%q reads as %q", text, doc[0].text)
		}
	})
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\x00\xff😀\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, ""); utf8.ValidString(s) && back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

func BenchmarkReadJSON(b *testing.B) {
	text := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"0a21f0f2","userName":"Test_User","active":true,"emails":[{"primary":true,"type":"work","value":"Test_User@testuser.com"}],"meta":{"resourceType":"User"},"name":{"formatted":"givenName familyName","familyName":"familyName","givenName":"givenName"},"roles":[]}`
	var doc document
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if doc, err = readJSON(text, doc); err != nil {
			b.Fatal(err)
		}
	}
}
