package directory

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
)

// TestNormalFormsOfASCIIAreLowerCase holds the short way for ASCII against the
// long way that everything else takes.
func TestNormalFormsOfASCIIAreLowerCase(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const letters = "abcXYZ019.-_+@@' !#~"
	list := []string{"", "@", "Ada@XN--MNCHEN-3YA.de", "ada@xn--abc.example", "ada@xn--a.xn--", "ada@a..b", "ada@example.COM."}
	for range 20_000 {
		text := make([]byte, random.IntN(24))
		for i := range text {
			text[i] = letters[random.IntN(len(letters))]
			if random.IntN(8) == 0 {
				text[i] = ' ' + byte(random.IntN(95))
			}
		}
		list = append(list, string(text))
	}
	for _, s := range list {
		if got, want := NormalName(s), nameByPRECIS(s); got != want {
			t.Errorf("NormalName(%q) = %q, by PRECIS %q", s, got, want)
		}
		if got, want := NormalEmail(s), emailByIDNA(s); got != want {
			t.Errorf("NormalEmail(%q) = %q, by IDNA %q", s, got, want)
		}
	}
}

func nameByPRECIS(s string) string {
	if name, err := precis.UsernameCaseMapped.String(s); err == nil {
		return name
	}
	return foldText(s)
}

func emailByIDNA(s string) string {
	local, domain, ok := cutLast(s, "@")
	if !ok {
		return foldText(s)
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return foldText(local) + "@" + strings.ToLower(domain)
}
