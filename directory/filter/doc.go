// Package filter reads, prints, compiles and plans SCIM filters (RFC 7644
// §3.4.2.2) and PATCH paths (§3.5.2).
//
//	text --Parse--> Expression --Compile(schema)--> Matcher --Match--> bool
//	                    |                              `--Plan--> []Lookup
//	                    `--String--> canonical text
//
// # Words
//
// A term is one comparison or presence test. An attribute has elements: one if
// it is singular, any number if it is multi-valued. An element has fields: the
// sub-attributes of a complex value, or the field "" of a simple one. A value
// filter is what stands in brackets; all its terms speak of one element.
//
// The tree is the exported tree of github.com/scim2/filter-parser/v2, aliased
// here so that nobody else needs to import that module. Its parser is not
// used: it can be made to overflow the stack and to run for minutes.
//
// Around PATCH: CompileElement compiles the value filter of a path for the
// elements of an attribute, Equalities gives what a new element needs in order
// to satisfy it. Comparisons walks all terms with their whole paths.
//
// # Reading
//
// Parse and ParsePath take the whole grammar and promise: at most MaxBytes of
// valid UTF-8, MaxDepth levels of parentheses, brackets and not, MaxTerms
// terms; time linear in the input; every refusal is an *Error that says what,
// where and what would be allowed. Limits.Parse holds to less. Beyond the grammar they accept:
//
//   - emails[type eq "work"].value eq "x", which Entra ID sends: it becomes
//     emails[type eq "work" and value eq "x"], one element that satisfies both
//     the value filter and the comparison, whatever its operator;
//   - one unquoted word as a value, userName eq bjensen: a string. A word is
//     letters, digits and - _ . @ + : and starts with a letter or digit;
//     what reads as a JSON number, true, false or null is that; and, or, not
//     must be quoted;
//   - true, false, null in any case; tabs and line ends as spaces;
//   - $ref as an attribute name.
//
// Operators come out in lower case, attribute names as they were written. A
// schema URN ends at the last colon, so that the path of a whole extension,
// urn:...:2.0:User, reads as attribute User of urn:...:2.0: whoever resolves
// paths must look for that. Numbers are int, or float64 when written with a
// fraction or exponent; what fits neither is refused rather than rounded to
// infinity.
//
// String prints a tree so that it parses to an equal tree. Text close to
// MaxBytes may outgrow it: quotes, escapes and Entra's form take more room.
//
// # Matching
//
// Compile resolves every name once with a Schema and checks operators and
// values against the attribute's kind; Match then asks a Resource for elements.
//
//   - A term holds if any element satisfies it.
//   - pr: an element has a value that is not empty.
//   - ne also holds where the attribute, or that field of an element, is
//     absent: RFC 7644 calls two things that are not identical different. On a
//     multi-valued attribute "some element differs"; for "no element equals"
//     write not (emails.value eq "x").
//   - eq null means absent, the opposite of pr; ne null means pr.
//   - Strings compare by the attribute's Fold; without one byte by byte if
//     CaseExact, otherwise by the package's Fold. gt, ge, lt and le use the
//     order of the folded bytes. References and binaries are exact.
//   - Numbers compare exactly, also an integer with a fraction. Date-times
//     compare as instants with up to nine fraction digits (more are cut off)
//     and any offset, years 0001 to 9999; none means UTC.
//   - "True" and "false" as strings are accepted for a boolean. Any other
//     value of the wrong type, order on booleans and binaries, and co, sw, ew
//     on anything that is not text are errors: invalidFilter at the caller.
//   - A stored value that does not parse as its kind equals nothing.
//   - A term on an attribute that the Schema does not know is false, whatever
//     its operator, and not (...) of it is true. Options.Strict makes it an
//     error. What nobody may probe, such as password, the Schema must not know.
//
// Cost: Match asks for elements at most Terms times, and for fields at most
// Terms times the number of elements of the largest attribute.
//
// # What never happens
//
// No function here panics on any text, keeps state between calls, does I/O,
// reads a clock, or recurses deeper than the limits. A Matcher is immutable
// and may be used by many goroutines.
package filter
