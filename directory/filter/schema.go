package filter

// Kind is the data type of an attribute (RFC 7643 §2.3): it decides which
// operators and which values a term may have.
type Kind uint8

const (
	KindString Kind = iota
	KindBoolean
	KindInteger
	KindDecimal
	KindDateTime
	KindReference
	KindBinary
	KindComplex // compares with nothing, can only be present
)

// Attribute is what a Schema says about a name.
type Attribute struct {
	// URI, Name and Sub are the canonical spelling, the one in which Resource
	// and Elements are asked and in which Plan answers. They may differ from
	// what was written: emails resolves to emails.value, a core URN to "".
	URI, Name, Sub string

	Kind      Kind
	CaseExact bool
	// Fold brings a string into the form in which it is compared and indexed.
	// It must be pure. Nil means the package's Fold, or none if CaseExact.
	Fold func(string) string
}

// Schema resolves names.
type Schema interface {
	// Attribute finds an attribute by its name as written, in any case; uri
	// and sub are "" where none was written. Inside emails[...] the name type
	// is asked for as ("", "emails", "type"). For the brackets themselves the
	// Schema is asked for ("", "emails", "") and only URI and Name count.
	Attribute(uri, name, sub string) (Attribute, bool)
}

// Resource is what a Matcher looks at.
type Resource interface {
	// Elements returns the elements of an attribute in the Schema's spelling,
	// nil if it has none. Returning a pointer to what the resource already
	// holds keeps Match free of allocations.
	Elements(uri, name string) Elements
}

// Elements are the values of one attribute of one resource; a singular
// attribute has one. Values without content are left out.
type Elements interface {
	Len() int
	// Field returns the sub-attribute sub of element i, or the simple value
	// itself for "", as canonical text: "true", "42", RFC 3339 time. It
	// reports false if the element has no such value.
	Field(i int, sub string) (string, bool)
}

// String is the name of the kind in RFC 7643 §7.
func (k Kind) String() string {
	names := [...]string{"string", "boolean", "integer", "decimal", "dateTime", "reference", "binary", "complex"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}
