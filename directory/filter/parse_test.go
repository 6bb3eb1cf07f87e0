package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attr builds the tree of "path op value".
func attr(path string, op CompareOperator, value any) *AttributeExpression {
	return &AttributeExpression{AttributePath: name(path), Operator: op, CompareValue: value}
}

// name builds an attribute path from uri|name.sub.
func name(path string) AttributePath {
	var p AttributePath
	if uri, rest, ok := strings.Cut(path, "|"); ok {
		p.URIPrefix, path = &uri, rest
	}
	main, sub, ok := strings.Cut(path, ".")
	if p.AttributeName = main; ok {
		p.SubAttribute = &sub
	}
	return p
}

func both(l, r Expression) Expression {
	return &LogicalExpression{Left: l, Right: r, Operator: AND}
}

func either(l, r Expression) Expression {
	return &LogicalExpression{Left: l, Right: r, Operator: OR}
}

func not(e Expression) Expression { return &NotExpression{Expression: e} }

func some(path string, e Expression) *ValuePath {
	return &ValuePath{AttributePath: name(path), ValueFilter: e}
}

const (
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	coreURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	acmeURN       = "urn:muster:params:scim:schemas:acme:2.0:User"
)

// examplesOfRFC are the filters of RFC 7644 §3.4.2.2.
var examplesOfRFC = []struct {
	text string
	tree Expression
}{
	{`userName eq "bjensen"`, attr("userName", EQ, "bjensen")},
	{`name.familyName co "O'Malley"`, attr("name.familyName", CO, "O'Malley")},
	{`userName sw "J"`, attr("userName", SW, "J")},
	{coreURN + `:userName sw "J"`, attr(coreURN+"|userName", SW, "J")},
	{`title pr`, attr("title", PR, nil)},
	{`meta.lastModified gt "2011-05-13T04:42:34Z"`, attr("meta.lastModified", GT, "2011-05-13T04:42:34Z")},
	{`meta.lastModified ge "2011-05-13T04:42:34Z"`, attr("meta.lastModified", GE, "2011-05-13T04:42:34Z")},
	{`meta.lastModified lt "2011-05-13T04:42:34Z"`, attr("meta.lastModified", LT, "2011-05-13T04:42:34Z")},
	{`meta.lastModified le "2011-05-13T04:42:34Z"`, attr("meta.lastModified", LE, "2011-05-13T04:42:34Z")},
	{`title pr and userType eq "Employee"`, both(attr("title", PR, nil), attr("userType", EQ, "Employee"))},
	{`title pr or userType eq "Intern"`, either(attr("title", PR, nil), attr("userType", EQ, "Intern"))},
	{`schemas eq "` + enterpriseURN + `"`, attr("schemas", EQ, enterpriseURN)},
	{`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
		both(attr("userType", EQ, "Employee"), either(attr("emails", CO, "example.com"), attr("emails.value", CO, "example.org")))},
	{`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		both(attr("userType", NE, "Employee"), not(either(attr("emails", CO, "example.com"), attr("emails.value", CO, "example.org"))))},
	{`userType eq "Employee" and (emails.type eq "work")`, both(attr("userType", EQ, "Employee"), attr("emails.type", EQ, "work"))},
	{`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`,
		both(attr("userType", EQ, "Employee"), some("emails", both(attr("type", EQ, "work"), attr("value", CO, "@example.com"))))},
	{`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`,
		either(some("emails", both(attr("type", EQ, "work"), attr("value", CO, "@example.com"))),
			some("ims", both(attr("type", EQ, "xmpp"), attr("value", CO, "@foo.com"))))},
}

// filtersOfClients are what identity providers send.
var filtersOfClients = []struct {
	text string
	tree Expression
}{
	{`userName eq "x-nobody"`, attr("userName", EQ, "x-nobody")},                                                            // Entra ID, connection test
	{`displayName eq "x-nogroup"`, attr("displayName", EQ, "x-nogroup")},                                                    // Entra ID, groups
	{`DisplayName eq "x"`, attr("DisplayName", EQ, "x")},                                                                    // Entra ID, groups
	{`externalId eq "0a21f0f2-8d2a-4f8e"`, attr("externalId", EQ, "0a21f0f2-8d2a-4f8e")},                                    // Entra ID
	{`emails[type eq "work"].value eq "a@b.c"`, some("emails", both(attr("type", EQ, "work"), attr("value", EQ, "a@b.c")))}, // Entra ID
	{`active eq true`, attr("active", EQ, true)},                                                                            // Entra ID
	{`active eq true and (meta.lastModified ge "0001-01-03T00:00:00.0000000Z" and meta.lastModified le "9999-01-01T00:00:00.0000000Z")`, // Entra ID
		both(attr("active", EQ, true), both(attr("meta.lastModified", GE, "0001-01-03T00:00:00.0000000Z"), attr("meta.lastModified", LE, "9999-01-01T00:00:00.0000000Z")))},
	{`userName eq "x@okta.local"`, attr("userName", EQ, "x@okta.local")}, // Okta
	{`email Co "a@b.c"`, attr("email", CO, "a@b.c")},                     // PingOne's documentation
}

// moreFilters are corners of the grammar and what is accepted beyond it.
var moreFilters = []struct {
	text string
	tree Expression
}{
	{"  \tuserName   EQ\n \"x\"  \r\n", attr("userName", EQ, "x")},
	{`a pr or b pr and c pr`, either(attr("a", PR, nil), both(attr("b", PR, nil), attr("c", PR, nil)))},
	{`a pr and b pr or c pr`, either(both(attr("a", PR, nil), attr("b", PR, nil)), attr("c", PR, nil))},
	{`a PR AND b Pr And c pR`, both(both(attr("a", PR, nil), attr("b", PR, nil)), attr("c", PR, nil))},
	{`a pr and (b pr and c pr)`, both(attr("a", PR, nil), both(attr("b", PR, nil), attr("c", PR, nil)))},
	{`(a pr or b pr) and c pr`, both(either(attr("a", PR, nil), attr("b", PR, nil)), attr("c", PR, nil))},
	{`not(a pr) and b pr`, both(not(attr("a", PR, nil)), attr("b", PR, nil))},
	{`NOT  ( not (a pr) )`, not(not(attr("a", PR, nil)))},
	{`not eq "x" and and pr or or pr`, either(both(attr("not", EQ, "x"), attr("and", PR, nil)), attr("or", PR, nil))},
	{`emails [ type eq "work" ]`, some("emails", attr("type", EQ, "work"))},
	{`emails[not (type eq "work") or (primary eq true and value pr) or display sw "a"]`,
		some("emails", either(either(not(attr("type", EQ, "work")), both(attr("primary", EQ, true), attr("value", PR, nil))), attr("display", SW, "a")))},
	{`emails[type eq "work" or type eq "home"].value sw "a"`,
		some("emails", both(either(attr("type", EQ, "work"), attr("type", EQ, "home")), attr("value", SW, "a")))},
	{`emails[type eq "work"].value pr and active eq FALSE`,
		both(some("emails", both(attr("type", EQ, "work"), attr("value", PR, nil))), attr("active", EQ, false))},
	{enterpriseURN + `:department eq "x"`, attr(enterpriseURN+"|department", EQ, "x")},
	{enterpriseURN + `:manager.value eq "x"`, attr(enterpriseURN+"|manager.value", EQ, "x")},
	{enterpriseURN + `:manager[value eq "x"]`, some(enterpriseURN+"|manager", attr("value", EQ, "x"))},
	{acmeURN + `:costCenter pr`, attr(acmeURN+"|costCenter", PR, nil)},
	{`members.$ref ew "/1"`, attr("members.$ref", EW, "/1")},
	{`members[$ref pr]`, some("members", attr("$ref", PR, nil))},
	{`a eq null or a ne NULL`, either(attr("a", EQ, nil), attr("a", NE, nil))},
	{`a eq 0`, attr("a", EQ, 0)},
	{`a eq -9223372036854775808`, attr("a", EQ, -9223372036854775808)},
	{`a eq 9007199254740993`, attr("a", EQ, 9007199254740993)},
	{`a eq 1.0`, attr("a", EQ, 1.0)},
	{`a eq -0.5E+3`, attr("a", EQ, -500.0)},
	{`a eq "\"\\\/\b\f\n\r\t\u00e9\u00C9\ud83d\ude00"`, attr("a", EQ, "\"\\/\b\f\n\r\téÉ😀")},
	{`a eq "日本語 \u0000"`, attr("a", EQ, "日本語 \x00")},
	{`a eq ""`, attr("a", EQ, "")},
	{`a eq ") or b pr"`, attr("a", EQ, ") or b pr")},
	{`userName eq bjensen`, attr("userName", EQ, "bjensen")},
	{`(userName eq bjensen@example.com)`, attr("userName", EQ, "bjensen@example.com")},
	{`emails[type eq work and value sw müller].display eq 日本`,
		some("emails", both(both(attr("type", EQ, "work"), attr("value", SW, "müller")), attr("display", EQ, "日本")))},
	{`id eq 2819c223-7f76-453a-919d-413861904646`, attr("id", EQ, "2819c223-7f76-453a-919d-413861904646")},
	{`a eq 007`, attr("a", EQ, "007")},
	{`a eq nothing or b eq trueish`, either(attr("a", EQ, "nothing"), attr("b", EQ, "trueish"))},
	{`meta.created gt 2011-05-13T04:42:34+02:00`, attr("meta.created", GT, "2011-05-13T04:42:34+02:00")},
}

func TestFiltersReadAsTheyMean(t *testing.T) {
	for _, table := range [][]struct {
		text string
		tree Expression
	}{examplesOfRFC, filtersOfClients, moreFilters} {
		for _, c := range table {
			got, err := Parse(c.text)
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
				continue
			}
			if diff := cmp.Diff(c.tree, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", c.text, diff)
			}
		}
	}
}

func TestPathsReadAsTheyMean(t *testing.T) {
	sub := func(s string) *string { return &s }
	for text, want := range map[string]Path{
		`members`:                                {AttributePath: name("members")},
		`  name.familyName `:                     {AttributePath: name("name.familyName")},
		`name.middlename`:                        {AttributePath: name("name.middlename")},
		`emails[type eq "work"].value`:           {AttributePath: name("emails"), ValueExpression: attr("type", EQ, "work"), SubAttribute: sub("value")},
		`phoneNumbers[type eq "mobile"].value`:   {AttributePath: name("phoneNumbers"), ValueExpression: attr("type", EQ, "mobile"), SubAttribute: sub("value")},
		`members[value eq "2819"]`:               {AttributePath: name("members"), ValueExpression: attr("value", EQ, "2819")},
		`members[value eq "2819"].$ref`:          {AttributePath: name("members"), ValueExpression: attr("value", EQ, "2819"), SubAttribute: sub("$ref")},
		`photos[type eq "thumbnail"]`:            {AttributePath: name("photos"), ValueExpression: attr("type", EQ, "thumbnail")},
		`ims[type eq "fooBar"].type`:             {AttributePath: name("ims"), ValueExpression: attr("type", EQ, "fooBar"), SubAttribute: sub("type")},
		enterpriseURN + `:employeeNumber`:        {AttributePath: name(enterpriseURN + "|employeeNumber")},
		enterpriseURN + `:manager.value`:         {AttributePath: name(enterpriseURN + "|manager.value")},
		enterpriseURN:                            {AttributePath: name("urn:ietf:params:scim:schemas:extension:enterprise:2.0|User")},
		acmeURN + `:x[a eq 1 or b eq 2].c`:       {AttributePath: name(acmeURN + "|x"), ValueExpression: either(attr("a", EQ, 1), attr("b", EQ, 2)), SubAttribute: sub("c")},
		`addresses [not (type eq work)] `:        {AttributePath: name("addresses"), ValueExpression: not(attr("type", EQ, "work"))},
		`emails[type eq "]" and value eq "].x"]`: {AttributePath: name("emails"), ValueExpression: both(attr("type", EQ, "]"), attr("value", EQ, "].x"))},
	} {
		got, err := ParsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
}

func TestARefusalSaysWhatWhereAndWhatIsAllowed(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		detail string // a part of it
	}{
		{``, 0, "an attribute name is expected (a letter, then letters, digits, - and _), found the end"},
		{`   `, 3, "an attribute name is expected"},
		{`userName`, 8, "a space and an operator are expected after the attribute (pr, eq, ne, co, sw, ew, gt, ge, lt or le), found the end"},
		{`userName=x`, 8, `found "=x"`},
		{`userName eq`, 11, "a space and a value are expected after eq, found the end"},
		{`userName eq `, 12, "a value is expected (a string in double quotes, a number, true, false, null or one word), found the end"},
		{`userName eq"x"`, 11, "a space and a value are expected after eq"},
		{`userName is "x"`, 9, `an operator is expected after the attribute (pr, eq`},
		{`userName prx`, 9, "an operator is expected"},
		{`userName eq 'x'`, 12, "a value is expected"},
		{`userName eq b$`, 12, "a value is expected"},
		{`userName eq b jensen`, 14, `and, or or the end of the filter is expected (with spaces around and, or), found "jensen"`},
		{`userName eq and`, 12, "a value is expected"},
		{`userName eq -x`, 12, "a value is expected"},
		{`userName eq {"a":1}`, 12, "a value is expected"},
		{`userName eq "x`, 14, "the string has no closing double quote"},
		{`userName eq "x\`, 14, "a backslash may be followed by"},
		{`userName eq "\x"`, 13, "a backslash may be followed by"},
		{`userName eq "\u12g4"`, 13, "a backslash may be followed by"},
		{`userName eq "\ud83d"`, 13, "half a surrogate pair is no character"},
		{`userName eq "\ude00\ud83d"`, 13, "half a surrogate pair"},
		{"userName eq \"a\nb\"", 14, "a control character in a string must be escaped"},
		{"userName eq \"a\xffb\"", 14, "the filter is not valid UTF-8"},
		{"a eq \"\xc3\xc3\xa9\"", 6, "the filter is not valid UTF-8"},
		{`a eq "x"b pr`, 8, "and, or or the end"},
		{`a pr and`, 8, "an attribute name is expected"},
		{`a pr and(b pr)`, 5, "with spaces around and, or"},
		{`a eq "x"and b pr`, 8, `found "and b pr"`},
		{`(a pr)or b pr`, 6, `found "or b pr"`},
		{`a pr xor b pr`, 5, `found "xor b pr"`},
		{`a pr)`, 4, `found ")"`},
		{`(a pr`, 5, `and, or or ")" is expected (with spaces around and, or), found the end`},
		{`(a pr]`, 5, `and, or or ")" is expected`},
		{`()`, 1, "an attribute name is expected"},
		{`nope(a pr)`, 4, "only not, and, or may stand before a parenthesis"},
		{`a(`, 1, "only not, and, or may stand before a parenthesis"},
		{`not a pr`, 4, "an operator is expected"},
		{`emails[]`, 7, "an attribute name is expected"},
		{`emails[type eq "work"`, 21, `and, or or "]" is expected`},
		{`emails[type eq "work"].`, 23, "an attribute name is expected"},
		{`emails[type eq "work"].value`, 28, "a space and an operator are expected"},
		{`emails[a[b pr]]`, 8, "a value filter must not contain another one"},
		{`emails[not (a[b pr])]`, 13, "a value filter must not contain another one"},
		{`1a pr`, 0, "an attribute name is expected"},
		{`$1 pr`, 0, "an attribute name is expected"},
		{`a..b pr`, 2, "an attribute name is expected"},
		{`a.b.c pr`, 3, "a space and an operator are expected"},
		{`urn::x pr`, 0, "a schema URI has no empty part"},
		{`a::b:x pr`, 0, "a schema URI has no empty part"},
		{`:x pr`, 0, "a schema URI has no empty part"},
		{`urn:x: pr`, 6, "an attribute name is expected"},
		{`größe pr`, 2, "a space and an operator are expected"},
		{`a eq 9223372036854775808`, 5, `the number "9223372036854775808" is out of range (64 bits)`},
		{`a eq 1e999`, 5, "out of range"},
	} {
		_, err := Parse(c.text)
		wantRefusal(t, c.text, err, c.offset, c.detail)
	}
}

func TestAPathIsRefusedWhereItGoesWrong(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		detail string
	}{
		{``, 0, "an attribute name is expected"},
		{`members value`, 8, `the end of the path is expected, found "value"`},
		{`emails[type eq "work"].value eq "x"`, 29, "the end of the path is expected"},
		{`emails[type eq "work"]value`, 22, "the end of the path is expected"},
		{`emails[type eq "work"].value.x`, 28, "the end of the path is expected"},
		{`emails[type eq "work"`, 21, `"]" is expected`},
		{`emails[a[b pr]]`, 8, "must not contain another one"},
		{`members["a"]`, 8, "an attribute name is expected"},
		{`/members/0`, 0, "an attribute name is expected"},
		{"a\xff", 1, "the path is not valid UTF-8"},
	} {
		_, err := ParsePath(c.text)
		wantRefusal(t, c.text, err, c.offset, c.detail)
	}
}

func wantRefusal(t *testing.T, text string, err error, offset int, detail string) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) {
		t.Errorf("%q: got %v, want a refusal with %q", text, err, detail)
		return
	}
	if refused.Offset != offset || !strings.Contains(refused.Detail, detail) {
		t.Errorf("%q: got %d %q, want %d %q", text, refused.Offset, refused.Detail, offset, detail)
	}
}
