// Package applyfile reads an apply file: the YAML in which an operator says what organisations, connections and tokens
// there shall be.
//
//	file, err := applyfile.Read(ctx, "muster.yaml", applyfile.Options{...})   // *yamlfile.Error: every fault at once
//	changed, err := file.Apply(ctx, dir)                                       // the same, for what only the directory knows
//
// # What is decided here
//
// Only how things are written. Every key stands in one table (org.go, connection.go, trust.go) next to the field of
// package directory that it fills; what a value means, and whether it goes together with the others, is decided there.
// Where the file leaves something open that a preset knows, jit.Fill has the word.
//
//   - Attributes may be called by their SCIM path, with or without its schema, or by a common short form: see
//     directory.CanonicalName.
//   - Paths are relative to the file. A metadata document is read, and must be usable, when the file is applied: a
//     stale copy of it in the directory is better than a sign-in that depends on somebody else's web server.
//   - In `domains`, an entry with an @ is a single guest address.
//   - A secret comes from the environment (secret_env) or stands in the file (secret), which draws a warning.
//   - Setting both subjects of a connection declares that they carry the same value.
//
// # Promises
//
//   - A file with a fault changes nothing, and every fault that can be seen at once is shown at once, with file, line,
//     column and the allowed values.
//   - Applying the same file twice changes nothing the second time.
//   - What the file does not name stays as it is: leaving a connection or a token out does not remove it.
//   - No secret is ever part of an error or of the list of changes.
package applyfile
