package filter

import "strings"

// world is the schema of the tests: canonical paths to types. Names are found
// in any case; a multi-valued complex attribute stands for its value.
type world map[string]Attribute

func newWorld() world {
	w := world{}
	add := func(a Attribute, names ...string) {
		for _, n := range names {
			p := name(n)
			a.URI, a.Name, a.Sub = p.URI(), p.AttributeName, p.SubAttributeName()
			w[strings.ToLower(n)] = a
		}
	}
	add(Attribute{}, "userName", "displayName", "title", "userType", "name.givenName", "name.familyName", "tags",
		"emails.value", "emails.type", "emails.display", "ims.value", "ims.type", "addresses.type", "addresses.locality",
		"groups.value", "groups.display", enterpriseURN+"|department", enterpriseURN+"|manager.displayName", acmeURN+"|costCenter")
	add(Attribute{CaseExact: true}, "id", "externalId", "schemas", enterpriseURN+"|manager.value")
	add(Attribute{Fold: squeeze}, "nickName")
	add(Attribute{Kind: KindBoolean}, "active", "emails.primary")
	add(Attribute{Kind: KindInteger}, "age", "addresses.floor")
	add(Attribute{Kind: KindDecimal}, "height", "tall")
	add(Attribute{Kind: KindDateTime}, "meta.created", "meta.lastModified")
	add(Attribute{Kind: KindReference}, "members.$ref", "profileUrl")
	add(Attribute{Kind: KindBinary}, "x509Certificates.value")
	add(Attribute{Kind: KindComplex}, "name", "meta", "addresses", enterpriseURN+"|manager")
	for _, complex := range []string{"emails", "ims", "groups", "x509certificates"} {
		w[complex] = w[complex+".value"]
	}
	w["groups"] = w["groups.display"]
	return w
}

// squeeze is a normalisation of its own: spaces and case do not count.
func squeeze(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

func (w world) Attribute(uri, name, sub string) (Attribute, bool) {
	key := name
	if sub != "" {
		key += "." + sub
	}
	if uri != "" && !strings.EqualFold(uri, coreURN) {
		key = uri + "|" + key
	}
	a, ok := w[strings.ToLower(key)]
	return a, ok
}

// person is a resource: attribute to elements, each a map of fields.
type person map[string]*list

type list []map[string]string

func (p person) Elements(uri, name string) Elements {
	if uri != "" {
		name = uri + "|" + name
	}
	if l := p[name]; l != nil {
		return l
	}
	return nil
}

func (l *list) Len() int { return len(*l) }

func (l *list) Field(i int, sub string) (string, bool) {
	v, ok := (*l)[i][sub]
	return v, ok
}

// simple is the list of simple values.
func simple(values ...string) *list {
	var l list
	for _, v := range values {
		l = append(l, map[string]string{"": v})
	}
	return &l
}

func barbara() person {
	return person{
		"userName":    simple("BJensen"),
		"id":          simple("2819c223-7f76-453a-919d-413861904646"),
		"externalId":  simple("Ext-1"),
		"nickName":    simple("Babs  the Great"),
		"displayName": simple("Bärbel Straße"),
		"title":       simple(""),
		"active":      simple("true"),
		"age":         simple("42"),
		"height":      simple("1.75"),
		"profileUrl":  simple("https://example.com/BJ"),
		"tags":        simple("Red", "green"),
		"schemas":     simple(coreURN, enterpriseURN),
		"name":        {{"givenName": "Barbara", "familyName": "O'Malley"}},
		"meta":        {{"created": "2011-05-13T04:42:34Z", "lastModified": "2011-05-13T04:42:34.123456789+02:00"}},
		"emails": {
			{"value": "bjensen@Example.com", "type": "work", "primary": "true"},
			{"value": "babs@jensen.org", "type": "home"},
		},
		"groups":                      {{"value": "g1", "display": "Engineering"}, {"value": "g2", "display": "Tour Guides"}},
		"x509Certificates":            {{"value": "MIID"}},
		enterpriseURN + "|department": simple("Tour Operations"),
		enterpriseURN + "|manager":    {{"value": "26118915", "displayName": "John Smith"}},
		acmeURN + "|costCenter":       simple("4711"),
	}
}
