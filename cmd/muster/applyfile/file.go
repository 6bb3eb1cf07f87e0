package applyfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/go-playground/validator/v10"

	"muster/cmd/muster/yamlfile"
	"muster/directory"
)

// Options are what a file may refer to.
type Options struct {
	// Getenv finds the secrets. nil: there are none.
	Getenv func(name string) string
	// Fetch gets a metadata_url; its bounds are its own. nil refuses every URL.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// Now is the moment at which documents must be valid.
	Now time.Time
}

// File is what an apply file wants.
type File struct {
	Setups []directory.Setup
	Tokens []Token
	// Warnings are sentences about what was accepted but should not stay.
	Warnings []string

	doc *yamlfile.Document
}

// Token is a bearer token with its record.
type Token struct {
	Record directory.Token
	Secret string
	path   string // where it stands in the file
}

// reading is one file in the course of being read.
type reading struct {
	ctx     context.Context
	options Options
	valid   *validator.Validate
	folder  string
	file    *File
	// overrides are reasons to let sign-ins write without a test, by connection.
	overrides map[string]string
}

// Read reads and checks a file, the documents it names included. An *yamlfile.Error lists every fault.
func Read(ctx context.Context, name string, o Options) (*File, error) {
	content, err := readBounded(name, yamlfile.MaxBytes)
	if err != nil {
		return nil, err
	}
	return Parse(ctx, name, content, o)
}

// Parse is Read on content that is already there. Paths are relative to the folder of name.
func Parse(ctx context.Context, name string, content []byte, o Options) (*File, error) {
	doc, err := yamlfile.Parse(name, content)
	if err != nil {
		return nil, err
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	r := &reading{ctx: ctx, options: o, valid: validator.New(), folder: filepath.Dir(name), file: &File{doc: doc}, overrides: map[string]string{}}
	doc.Root().Mapping(yamlfile.Shape{"orgs": yamlfile.Each(r.org)})
	doc.Root().Require("orgs")
	r.file.checkSecrets()
	return r.file, doc.Err()
}

// Apply brings the directory to what the file wants and returns one line for each object that changed. Faults that
// only the directory can find come back as an *yamlfile.Error, and then nothing changed.
func (f *File) Apply(ctx context.Context, d *directory.Directory) ([]string, error) {
	if err := f.checkTokens(ctx, d); err != nil {
		return nil, err
	}
	by := directory.EventSource{Channel: directory.Local, Actor: "apply"}
	changed, err := d.Configure(ctx, by, f.Setups)
	if err != nil {
		return nil, f.locate(err)
	}
	for _, t := range f.Tokens {
		set, err := d.SetToken(ctx, t.Record, t.Secret)
		if err != nil {
			return changed, fmt.Errorf("token %s of %s: %w", t.Record.Name, owner(t.Record), err)
		}
		if set {
			changed = append(changed, fmt.Sprintf("token %s of %s set", t.Record.Name, owner(t.Record)))
		}
	}
	return changed, nil
}

// Locate gives faults of this file that a server found the places where they were written.
func (f *File) Locate(err error) error { return f.locate(err) }

// locate gives the directory's faults the places where they were written.
func (f *File) locate(err error) error {
	config, ok := errors.AsType[*directory.ConfigError](err)
	if !ok {
		return err
	}
	for _, fault := range config.Faults {
		f.doc.Add(fault.Path, fault.Detail, fault.Allowed...)
	}
	return f.doc.Err()
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return content, nil
}
