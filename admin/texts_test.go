package admin

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestEverySentenceIsUsedAndEveryUsedOneIsThere(t *testing.T) {
	list, err := parseTexts(english)
	if err != nil {
		t.Fatal(err)
	}
	var used strings.Builder
	read := func(folder fs.FS, pattern string) {
		names, err := fs.Glob(folder, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			content, err := fs.ReadFile(folder, name)
			if err != nil {
				t.Fatal(err)
			}
			used.Write(content)
		}
	}
	read(templates, "templates/*.html")
	read(os.DirFS("."), "*.go")
	for _, m := range regexp.MustCompile(`\{\{t "([a-z0-9.-]+)"`).FindAllStringSubmatch(used.String(), -1) {
		if list[m[1]] == "" {
			t.Errorf("%s is used and is not there", m[1])
		}
	}
	for key := range list {
		kind, name, _ := strings.Cut(key, ".")
		switch {
		case kind == "done":
			key = name
		case kind == "menu":
			key = `"` + name + `"`
		case name == "title", kind == "role", kind == "door", kind == "state", kind == "ending", kind == "way", kind == "way-means", kind == "guarding", kind == "secret", kind == "token-kind",
			kind == "protocol", kind == "connection-state", kind == "comer", kind == "deed", kind == "deed-means", kind == "refusing", kind == "mode",
			kind == "linking", kind == "group-source", kind == "address", kind == "leaving", kind == "leaving-means": // chosen by what the data say
			continue
		}
		if !strings.Contains(used.String(), key) {
			t.Errorf("%s is there and is not used", key)
		}
	}
}

func TestATextThatIsThereTwiceIsRefused(t *testing.T) {
	for content, ok := range map[string]bool{"a = b\n# c\n\nd = e": true, "a = b\na = c": false, "a b": false} {
		if _, err := parseTexts(content); (err == nil) != ok {
			t.Errorf("%q: %v", content, err)
		}
	}
}
