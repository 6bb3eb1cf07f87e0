// Package yamlfile reads YAML for people who edit it by hand: strictly, and with a place for every complaint.
//
// A Document is walked by tables of keys, called shapes. Whatever the shapes do not name, and whatever has another type
// than they ask for, becomes a Fault with file, line, column and the allowed values. Reading goes on after a fault, so
// that one run shows all of them:
//
//	doc, err := yamlfile.Parse("muster.yaml", content)
//	doc.Root().Mapping(yamlfile.Shape{
//		"id":    yamlfile.Text(&org.ID),
//		"state": yamlfile.OneOf(&org.State, Active, Paused),
//	})
//	err = doc.Err()
//
// # Promises
//
//   - Doc.Err is nil, or an *Error that lists every fault in the order of the file.
//   - Scalars are taken as written: `42`, `off` and `"off"` are texts where text is asked for.
//   - Anchors, aliases and merge keys work. A file of more than MaxBytes, or one whose aliases unfold to more than
//     MaxNodes nodes, is refused before it costs anything.
//   - Place tells, after reading, where a dotted path such as orgs[0].rules[2].when stands, so that faults found
//     elsewhere can be shown where they were written.
//
// It knows nothing of what it reads: no field of muster's configuration is named here.
package yamlfile
