// Package scim is the SCIM 2.0 door of a directory (RFC 7643, RFC 7644).
//
//	/c/{connection}/scim/v2   an identity provider writes and reads its own layer
//	/o/{org}/scim/v2          applications read the effective view
//
//	request -> call (auth.go, me.go, call.go) -> users.go, groups.go, list.go, bulk.go, discovery.go
//	body    -> document (json.go) -> program (patch.go, path.go, quirks.go, value.go)
//	           -> directory.Change -> Apply -> Profile, Group -> JSON (resource.go, stream.go)
//	error   -> refusals (errors.go), the one table -> SCIM Error
//
// # Words
//
// An index holds the attributes of a resource type by their SCIM names,
// compiled from the schemas and one organisation's policy. A space is one
// object of a resource: the resource itself, its name, or an extension. A
// program is what one body asks for, as edits in their order; POST and PUT are
// programs on an empty resource, PATCH one on what the connection wrote before.
// Everything that can be wrong with a body by itself is found before the
// directory is asked; what an edit finds wrong with the resource undoes the
// whole request.
//
// The schemas come from github.com/elimity-com/scim/schema, the syntax tree of
// paths from its filter parser by way of muster/directory/filter. Its server is
// not used.
//
// # What is accepted beyond the RFCs
//
//   - Attribute names, schema URNs, op and query parameters in any case; schemas
//     missing or of SCIM 1.1; a slash at the end of a path; escapes in it that
//     nobody needs; a byte order mark; an empty count or startIndex.
//   - "True", "false", "1", "0" in strings for booleans, numbers in strings for
//     numbers, date-times without a colon in the offset.
//   - One object or one bare value where a list is expected, bare values for
//     elements, a manager as a string, a list of one, or with managerId.
//   - Keys that are paths: dotted, with a value filter, with a URN in front; an
//     extension as one key; an attribute of an extension without its URN, where
//     the core schema has none of that name.
//   - null, "", [] and {} unset on replace, and add nothing on add.
//   - id, meta, groups and schemas in a resource are ignored; as the path of a
//     PATCH they are refused (mutability). password is taken and dropped.
//   - Unknown attributes are ignored and counted (Server.Ignored).
//   - Of several elements marked primary one stays marked: the newest that a
//     PATCH named, else the first.
//
// # What is decided where RFC 7644 leaves it open
//
//   - Answers are application/scim+json, or application/json to a client whose
//     Accept takes that and not the other. Of a query parameter given twice the
//     first counts; two Authorization headers are none.
//   - PATCH that takes away a required attribute is mutability; elsewhere a
//     missing one is invalidValue.
//   - PATCH answers 200 with the User, and 204 for a Group unless attributes
//     asks for some of it.
//   - add: a value that is there (same value and type) takes the new fields; a
//     filtered element that is not there is made from the filter's equalities.
//   - replace on a filter that matches nothing: connections with CreateElement
//     make the element, others get 400 noTarget. A replaced record keeps what
//     the filter asks of it. On name and on manager's fields replace merges;
//     manager with a new value forgets the old one's name and reference.
//   - remove with a list of values takes those values only; on any other path a
//     value says nothing. An element left without anything but type and primary
//     goes. Removing what is not there succeeds.
//   - An object that has a name twice, in any case, is refused: invalidSyntax.
//   - Members are selected by members[value eq "id"], joined by or. A PUT of a
//     Group without members empties it.
//   - A group's version leaves its members out; If-None-Match is therefore
//     answered 304 only where the members are not shown.
//   - POST answers 201 also where it adopted or restored a user. A token that
//     does not open this very door is answered 401, whatever else it opens and
//     whether or not the door exists. A paused connection answers 503, a retired
//     one 403, to reads as well.
//   - filter on discovery endpoints is refused with 403 (RFC 7644 §4).
//   - The root lists every type: users, then groups, unless sortBy mixes them.
//     POST .search lists as GET does, everywhere. HEAD is GET without the body,
//     OPTIONS names the methods.
//   - Conditions hold on every verb: a read answers 304 or 412, a write 412. A
//     POST with If-Match answers 412; one with If-None-Match adopts nobody.
//   - A list is by index unless cursor is given, were it empty (RFC 9865); a
//     startIndex beside it says nothing. A longer page than there may be is cut,
//     by cursor a count below 1 is invalidCount. totalResults is left out where
//     counting would mean a scan. A cursor is of one viewer, filter and order,
//     which others cannot read or make.
//   - Without a value for sortBy a resource comes last; an unknown attribute is
//     one that nothing has.
//   - Every operation of a bulk is a request and a transaction of its own. What
//     it refers to by bulkId runs first. Of operations that refer to each other in
//     a circle one runs without what is missing, and gets it by a PATCH as soon as
//     that is there; when that is refused the operation reports the refusal,
//     with the location of what it made. A reference to what failed is 409. An
//     answer has a body of an error alone.
//   - /Me at an organisation's door is the effective user whose session comes as
//     a cookie or bearer token, to read; for machines, at a connection's door and
//     to write it answers 501.
//
// The licence of a user is entitlements[type eq "license"], both ways.
//
// # What never happens
//
// No body is larger than Options.MaxBody (a group's: MaxGroupBody), deeper than
// 24 levels or of more than 131,072 values (longer ones: one for 16 bytes); no
// PATCH looks at more than 524,288 elements or makes a user larger than 1 MiB.
// No list looks at more records than Options.MaxScan (tooMany), no bulk has more
// operations than MaxBulkOperations and no PATCH more than MaxOperations (413), no token asks more often than Rate
// (429). A filter or path is at most 8 KiB, 32 levels and 256 terms
// (invalidFilter, invalidPath).
// Members are neither read for a write nor kept in memory for an answer; an
// answer that breaks off cuts the connection. A panic is logged with the correlation id and
// answered 500 without detail. Text of the directory's unknown errors is never
// shown. Every answer has an X-Request-Id, every error names it.
package scim
