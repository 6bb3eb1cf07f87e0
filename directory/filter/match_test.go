package filter

import (
	"errors"
	"strings"
	"testing"
)

func compile(t testing.TB, text string, o Options) *Matcher {
	t.Helper()
	e, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	m, err := Compile(e, newWorld(), o)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

func TestFiltersOnBarbara(t *testing.T) {
	b := barbara()
	for text, want := range map[string]bool{
		// strings fold unless they are exact
		`userName eq "bjensen"`: true, `USERNAME EQ "BJENSEN"`: true, `userName eq "bjense"`: false,
		`userName ne "bjensen"`: false, `userName ne "x"`: true,
		`userName sw "bj"`: true, `userName sw "j"`: false, `userName sw "bjensenx"`: false,
		`userName ew "SEN"`: true, `userName ew "se"`: false,
		`userName co "ens"`: true, `userName co "xx"`: false, `userName co ""`: true,
		`userName gt "bj"`: true, `userName gt "bjensen"`: false, `userName ge "BJENSEN"`: true,
		`userName lt "C"`: true, `userName le "a"`: false,
		`userName eq bjensen`:   true,
		`externalId eq "Ext-1"`: true, `externalId eq "ext-1"`: false, `externalId sw "ext"`: false, `externalId sw "Ext"`: true,
		`profileUrl co "BJ"`: true, `profileUrl co "bj"`: false,
		`displayName eq "BÄRBEL STRASSE"`: true, // full folding
		"displayName sw \"ba\u0308rb\"":   true, // composed and decomposed alike
		`displayName co "straße"`:         true, `displayName ew "STRASSE"`: true, `displayName sw "bar"`: false,
		`nickName eq "babs The great"`: true, `nickName eq "BABSTHEGREAT"`: true, `nickName sw "b a b"`: true, `nickName eq "babs"`: false,
		coreURN + `:userName sw "B"`: true, strings.ToUpper(coreURN) + `:userName eq bjensen`: true,
		enterpriseURN + `:department co "tour"`: true, strings.ToLower(enterpriseURN) + `:Department eq "tour operations"`: true,
		enterpriseURN + `:manager.value eq "26118915"`: true, enterpriseURN + `:manager[displayName eq "john smith" and value pr]`: true,
		acmeURN + `:costCenter eq "4711"`: true, `department pr`: false,

		// presence, absence, null
		`userName pr`: true, `title pr`: false, `userType pr`: false, `name pr`: true, `meta pr`: true, `addresses pr`: false,
		`emails pr`: true, `ims pr`: false, enterpriseURN + `:manager pr`: true,
		`userType eq null`: true, `userType ne null`: false, `userName eq null`: false, `userName ne null`: true, `title eq null`: true,
		`addresses eq null`: true, `name ne null`: true, `name eq null`: false,
		`userType eq "x"`: false, `userType ne "x"`: true, `userType lt "x"`: false, `userType co ""`: false, `title eq ""`: true, `userType eq ""`: false,
		`not (userType eq "x")`: true, `not (userName eq bjensen)`: false,

		// booleans
		`active eq true`: true, `active eq "True"`: true, `active eq "TRUE"`: true, `active eq false`: false, `active eq "False"`: false,
		`active ne false`: true, `active ne "true"`: false, `active eq true and not (active eq false)`: true,

		// numbers
		`age eq 42`: true, `age eq 42.0`: true, `age eq 4.2e1`: true, `age ne 42`: false, `age gt 41.5`: true, `age lt 41.5`: false, `age le 42`: true,
		`age gt 9223372036854775807`: false, `age lt 1e30`: true, `age gt -1e30`: true, `age lt 42.000001`: true,
		`height gt 1.7`: true, `height eq 1.75`: true, `height lt 2`: true, `height gt 2`: false, `height ge 175e-2`: true,

		// instants
		`meta.created eq "2011-05-13T04:42:34Z"`: true, `meta.created eq "2011-05-13T06:42:34.000+02:00"`: true, `meta.created eq "2011-05-13T04:42:34"`: true,
		`meta.created eq "2011-05-13T06:42:34+0200"`: true, `meta.created gt "2011-05-13T04:42:33.999999999999Z"`: true,
		`meta.created lt "2011-05-13T04:42:34.0000001Z"`: true, `meta.lastModified lt "2011-05-13T04:42:34Z"`: true,
		`meta.lastModified eq "2011-05-13T02:42:34.1234567891Z"`: true, `meta.lastModified ge "2011-05-13T02:42:34.12346Z"`: false,
		`active eq true and (meta.lastModified ge "0001-01-03T00:00:00.0000000Z" and meta.lastModified le "9999-01-01T00:00:00.0000000Z")`: true,

		// any element
		`emails eq "bjensen@example.COM"`: true, `emails.value eq "babs@jensen.org"`: true, `emails.type eq "home"`: true,
		`emails.type eq "home" and emails.value sw "bjensen"`: true, `emails.primary eq true`: true, `emails.primary eq false`: false,
		`tags eq red`: true, `tags eq "GREEN"`: true, `tags eq blue`: false, `tags ne red`: true, `not (tags eq red)`: false,
		`schemas eq "` + enterpriseURN + `"`: true, `groups eq "engineering"`: true, `groups.value eq g2`: true,
		`groups[display eq "tour guides" and value eq g1]`: false, `groups[display eq "tour guides" and value eq g2]`: true,
		`x509Certificates.value eq MIID`: true, `x509Certificates.value eq miid`: false,

		// one element
		`emails[type eq "home" and value sw "bjensen"]`: false, `emails[type eq "work" and value sw "bjensen"]`: true,
		`emails[type eq "work"].value eq "bjensen@example.com"`: true, `emails[type eq "home"].value eq "bjensen@example.com"`: false,
		`emails[type eq "home" or type eq "work"].value eq "bjensen@example.com"`: true, `emails[type eq "home"].value ne "x"`: true,
		`emails[type eq "work"].value pr`: true, `emails[type eq "other"].value pr`: false, `emails[type eq "home"].primary pr`: false,
		`emails[not (type eq "work")].value co "babs"`: true, `emails[primary eq null]`: true, `emails[primary ne true]`: true,
		`emails[type ne "work" and type ne "home"]`: false, `emails[display eq null and type eq home]`: true,
		`ims[type ne "x"]`: false, `not (ims[type eq "x"])`: true, `ims.type ne "x"`: true,

		// logic
		`userName pr and title pr`: false, `userName pr or title pr`: true, `title pr or title pr and userName pr`: false,
		`title pr and title pr or userName pr`: true, `not (title pr) and not (userName pr and title pr)`: true,

		// unknown attributes
		`shoeSize pr`: false, `shoeSize eq 5`: false, `shoeSize ne 5`: false, `shoeSize eq null`: false, `not (shoeSize eq 5)`: true,
		`shoes[size eq 5]`: false, `emails[size eq 5]`: false, `emails[size eq 5 or type eq work]`: true, `not (shoes[size eq 5])`: true,
		`email Co "a@b.c"`: false, `shoeSize pr or userName pr`: true, `urn:x:userName pr`: false,
	} {
		if got := compile(t, text, Options{}).Match(b); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestAValueThatIsNotOfItsKindEqualsNothing(t *testing.T) {
	odd := person{"age": simple("many"), "meta": {{"created": "yesterday"}}, "active": simple("perhaps"), "height": simple("01")}
	for text, want := range map[string]bool{
		`age eq 1`: false, `age ne 1`: true, `age lt 1`: false, `meta.created lt "9999-01-01T00:00:00Z"`: false, `meta.created pr`: true,
		`active eq true`: false, `active eq false`: false, `active ne true`: true, `height eq 1`: false,
	} {
		if got := compile(t, text, Options{}).Match(odd); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestLargeIntegersStayExact(t *testing.T) {
	big := person{"age": simple("9007199254740993"), "height": simple("9223372036854775808"), "tall": simple("9007199254740992.0")}
	for text, want := range map[string]bool{
		`age eq 9007199254740993`: true, `age eq 9007199254740992`: false, `age gt 9007199254740992.0`: true, `age eq 9007199254740992.0`: false,
		`tall lt 9007199254740993`: true, `tall eq 9007199254740993`: false,
		`height gt 9223372036854775807`: true, `height eq 9223372036854775808.0`: true,
	} {
		if got := compile(t, text, Options{}).Match(big); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestAMeaninglessComparisonNamesTheAttribute(t *testing.T) {
	for text, detail := range map[string]string{
		`userName eq 5`:                          "userName is a string: compare it with a string in double quotes",
		`userName eq true`:                       "userName is a string",
		`externalId eq 12345`:                    "externalId is a string",
		`userName gt null`:                       `userName can be compared with null by eq and ne only, not by "gt"`,
		`active eq "yes"`:                        "active is a boolean: compare it with true or false",
		`active eq 1`:                            "active is a boolean",
		`active gt true`:                         `active cannot be compared by "gt": it is of type boolean and takes eq, ne, pr`,
		`active co "t"`:                          "active cannot be compared",
		`emails[primary sw "t"]`:                 "emails.primary cannot be compared",
		`age eq "42"`:                            "age is a number: compare it with a number without quotes",
		`age co 4`:                               `age cannot be compared by "co": it is of type integer and takes eq, ne, gt, ge, lt, le, pr`,
		`height eq true`:                         "height is a number",
		`meta.created gt "yesterday"`:            `meta.created is a date-time: compare it with one such as "2011-05-13T04:42:34Z"`,
		`meta.created gt 2011`:                   "meta.created is a date-time",
		`meta.created eq "2011-02-29T00:00:00Z"`: "meta.created is a date-time",
		`meta.created eq "0000-01-01T00:00:00Z"`: "years 0001 to 9999",
		`meta.created co "2011"`:                 "meta.created cannot be compared",
		`x509Certificates.value gt "A"`:          "x509Certificates.value cannot be compared",
		`name eq "x"`:                            "name has sub-attributes and cannot be compared itself: name one of them, or use pr",
		`addresses co "x"`:                       "addresses has sub-attributes",
		enterpriseURN + `:manager.value eq 7`:    enterpriseURN + ":manager.value is a string",
		`emails.value[type eq "work"]`:           "not behind the sub-attribute emails.value",
		`emails[emails.type eq "work"]`:          "inside the brackets of emails only its sub-attributes can be named, not emails.type",
		`emails[urn:x:type eq "work"]`:           "inside the brackets of emails",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		_, err = Compile(e, newWorld(), Options{})
		wantRefusal(t, text, err, -1, detail)
	}
}

func TestStrictNamesTheUnknownAttribute(t *testing.T) {
	for text, detail := range map[string]string{
		`shoeSize eq 5`:                  "there is no attribute shoeSize",
		`userName pr or emails[size pr]`: "there is no attribute emails.size",
		`shoes[size eq 5]`:               "there is no attribute shoes",
		enterpriseURN + `:nope.x pr`:     "there is no attribute " + enterpriseURN + ":nope.x",
	} {
		e, _ := Parse(text)
		_, err := Compile(e, newWorld(), Options{Strict: true})
		if err == nil || err.Error() != detail {
			t.Errorf("%s: got %v, want %s", text, err, detail)
		}
		if _, err := Compile(e, newWorld(), Options{}); err != nil {
			t.Errorf("%s: not strict: %v", text, err)
		}
	}
	compile(t, `groups eq "Engineering" and emails[type eq work]`, Options{Strict: true})
}

func TestAPathSelectsElements(t *testing.T) {
	emails := barbara()["emails"]
	for text, want := range map[string]string{
		`emails[type eq "work"]`: "0", `emails[type eq "home"].value`: "1", `emails[value pr]`: "01", `emails[type eq "x"]`: "",
		`emails[primary ne true]`: "1", `emails[not (type eq work) or primary eq "True"]`: "01", `emails[size eq 1]`: "", `emails[not (size eq 1)]`: "01",
		`shoes[size eq 1]`: "", `shoes[not (size eq 1)]`: "",
	} {
		p, err := ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := CompileElement(p.AttributePath, p.ValueExpression, newWorld(), Options{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		for i := range emails.Len() {
			if m.Match(emails, i) {
				got += string(rune('0' + i))
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{`emails`, `emails.value[type eq work]`, `emails[primary eq 1]`} {
		p, _ := ParsePath(text)
		var refused *Error
		if _, err := CompileElement(p.AttributePath, p.ValueExpression, newWorld(), Options{}); !errors.As(err, &refused) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestComparisonsNameWholePaths(t *testing.T) {
	e, _ := Parse(`a eq 1 and not (b.c pr or emails[type eq "work"].value sw "x") or urn:x:m[$ref pr]`)
	var got []string
	for path, term := range Comparisons(e) {
		got = append(got, path.String()+" "+string(term.Operator))
	}
	if want := "a eq,b.c pr,emails.type eq,emails.value sw,urn:x:m.$ref pr"; strings.Join(got, ",") != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for range Comparisons(e) {
		break // an early end is no fault
	}
}

func TestEqualitiesAreWhatANewElementNeeds(t *testing.T) {
	for text, want := range map[string]string{
		`emails[type eq "work"]`: "type=work",
		`emails[type eq "work" and (primary eq true and display eq 1)]`: "type=work primary=true display=1",
		`emails[type eq "work" or primary eq true]`:                     "none",
		`emails[not (type eq "work")]`:                                  "none",
		`emails[type eq "work" and value pr]`:                           "none",
	} {
		p, _ := ParsePath(text)
		terms, ok := Equalities(p.ValueExpression)
		var parts []string
		for _, term := range terms {
			parts = append(parts, strings.Replace(strings.ReplaceAll(String(term), `"`, ""), " eq ", "=", 1))
		}
		got := strings.Join(parts, " ")
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
