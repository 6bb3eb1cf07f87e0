package yamlfile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/cmd/muster/yamlfile"
)

type mode string

// garden is what the tests read.
type garden struct {
	Name   string
	Mode   mode
	Modes  []mode
	Tags   []string
	Open   bool
	Size   int
	Share  float64
	Watch  time.Duration
	Since  time.Time
	Inside []garden
}

func (g *garden) read(n yamlfile.Node) {
	n.Mapping(yamlfile.Shape{
		"name": yamlfile.Text(&g.Name), "mode": yamlfile.OneOf(&g.Mode, "off", "on"),
		"modes": yamlfile.Some(&g.Modes, "off", "on"),
		"tags":  yamlfile.Texts(&g.Tags), "open": yamlfile.Bool(&g.Open), "size": yamlfile.Integer(&g.Size),
		"share": yamlfile.Share(&g.Share), "watch": yamlfile.Duration(&g.Watch), "since": yamlfile.Time(&g.Since),
		"inside": yamlfile.Each(func(n yamlfile.Node) {
			var inner garden
			inner.read(n)
			g.Inside = append(g.Inside, inner)
		}),
	})
	n.Require("name")
}

func read(t *testing.T, content string) (garden, error) {
	t.Helper()
	doc, err := yamlfile.Parse("g.yaml", []byte(content))
	if err != nil {
		return garden{}, err
	}
	var g garden
	g.read(doc.Root())
	return g, doc.Err()
}

func TestScalarsAreTakenAsTheyAreWritten(t *testing.T) {
	got, err := read(t, `
name: 042        # a comment
mode: off
modes: [on, "off"]
tags: [1.50, yes, "x: y", 'it''s', null-ish]
open: True
size: 7
share: 12.5 %
watch: 30d
since: 2026-01-31
inside:
  - {name: one, tags: single}
  - name: |
      two
    watch: 1h30m
`)
	if err != nil {
		t.Fatal(err)
	}
	want := garden{Name: "042", Mode: "off", Modes: []mode{"on", "off"}, Tags: []string{"1.50", "yes", "x: y", "it's", "null-ish"},
		Open: true, Size: 7, Share: 0.125, Watch: 30 * 24 * time.Hour, Since: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		Inside: []garden{{Name: "one", Tags: []string{"single"}}, {Name: "two\n", Watch: 90 * time.Minute}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryFaultIsReportedWithItsPlaceAndWhatIsAllowed(t *testing.T) {
	_, err := read(t, `mode: onn
nmae: x
open: maybe
size: -1
share: 200%
watch: soon
since: yesterday
tags: {a: b}
inside:
  - name: [no]
  - {mode: 1}
  - text
modes: [on, of]
`)
	want := []string{
		`g.yaml:1:1: name is missing`,
		`g.yaml:1:7: mode: "onn" is not allowed (allowed: off, on)`,
		`g.yaml:2:1: nmae: unknown key "nmae" (allowed: inside, mode, modes, name, open, share, since, size, tags, watch)`,
		`g.yaml:3:7: open: "maybe" is neither true nor false (allowed: true, false)`,
		`g.yaml:4:7: size: "-1" is no whole number from 0`,
		`g.yaml:5:8: share: "200%" is no share; write 10% or 0.1`,
		`g.yaml:6:8: watch: "soon" is no length of time; write 90s, 15m, 720h, 30d or 2w`,
		`g.yaml:7:8: since: "yesterday" is no instant; write 2026-01-31T12:00:00Z`,
		`g.yaml:8:7: tags: must be a text`,
		`g.yaml:10:11: inside[0].name: must be a text`,
		`g.yaml:11:5: inside[1]: name is missing`,
		`g.yaml:11:12: inside[1].mode: "1" is not allowed (allowed: off, on)`,
		`g.yaml:12:5: inside[2]: must be a mapping of keys to values`,
		`g.yaml:13:13: modes[1]: "of" is not allowed (allowed: off, on)`,
	}
	if err == nil {
		t.Fatal("accepted")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestAnchorsAliasesAndMergeKeysAreFollowed(t *testing.T) {
	got, err := read(t, `
name: base
tags: &tags [a, b]
inside:
  - &first {name: first, mode: on, tags: *tags}
  - <<: *first
    name: second
`)
	if err != nil {
		t.Fatal(err)
	}
	tags := []string{"a", "b"}
	want := garden{Name: "base", Tags: tags, Inside: []garden{{Name: "first", Mode: "on", Tags: tags}, {Name: "second", Mode: "on", Tags: tags}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoYAMLIsRefusedWithItsPlace(t *testing.T) {
	for content, want := range map[string]string{
		"name: [a":                "g.yaml:1:7: ",
		"name: a\nname: b":        "g.yaml:2:1: ",
		"name: a\n---\nname: b\n": "g.yaml:3:1: a second YAML document",
		"name: *nobody":           "g.yaml:1:7: no anchor &nobody",
		"- list":                  "g.yaml:1:1: must be a mapping",
	} {
		_, err := read(t, content)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s…", content, err, want)
		}
	}
}

func TestAFileThatUnfoldsWithoutEndIsRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("name: bomb\ninside:\n - &g0 {name: leaf}\n")
	for i := range 12 {
		b.WriteString(" - &g" + string(rune('a'+i)) + " {name: n, inside: [")
		previous := "*g0"
		if i > 0 {
			previous = "*g" + string(rune('a'+i-1))
		}
		b.WriteString(strings.Repeat(previous+", ", 9) + previous + "]}\n")
	}
	_, err := read(t, b.String())
	if err == nil || !strings.Contains(err.Error(), "unfolds to more than") {
		t.Errorf("%.300v", err)
	}
	if _, err := read(t, "name: "+strings.Repeat("x", yamlfile.MaxBytes)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("%.300v", err)
	}
}

func TestAPlaceIsFoundForEveryPathAndForPathsBelowIt(t *testing.T) {
	doc, err := yamlfile.Parse("g.yaml", []byte("name: x\ninside:\n  - name: y\n    tags: [a]\n"))
	if err != nil {
		t.Fatal(err)
	}
	var g garden
	g.read(doc.Root())
	for path, want := range map[string]string{
		"inside[0].tags": "g.yaml:4:5", "inside[0].tags[0]": "g.yaml:4:12", "inside[0].tags[7].deep": "g.yaml:4:5",
		"inside[0].mode": "g.yaml:3:5", "inside": "g.yaml:2:1", "nowhere": "g.yaml",
	} {
		if got := doc.Place(path).String(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add("name: &a x\ninside: [{<<: *a}, *a]\ntags: !!str [1]\n")
	f.Add("? a\n: b\n")
	f.Add("name: |\n  x\n\t- y")
	f.Fuzz(func(t *testing.T, content string) { _, _ = read(t, content) })
}
