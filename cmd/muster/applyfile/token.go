package applyfile

import (
	"context"
	"errors"
	"fmt"

	"muster/cmd/muster/yamlfile"
	"muster/directory"
)

// token reads {name, secret_env | secret, expires} into a token with that record.
func (r *reading) token(n yamlfile.Node, record directory.Token) {
	var inline, variable string
	n.Mapping(yamlfile.Shape{
		"name":       yamlfile.Text(&record.Name),
		"secret":     yamlfile.Text(&inline),
		"secret_env": yamlfile.Text(&variable),
		"expires":    yamlfile.Time(&record.Expires),
	})
	n.Require("name")
	if !n.IsMapping() {
		return
	}
	r.file.Tokens = append(r.file.Tokens, Token{record, r.secret(n, "secret", inline, variable), n.Path()})
}

// maxSCIMTokens is what directory.SetToken admits for one connection. It is looked at before anything is written.
const maxSCIMTokens = 2

// minSecret is the shortest secret that draws no warning; 22 characters of base64 hold 128 bits.
const minSecret = 16

// secret returns the secret that stands in the file or in a variable, under key or key_env. It reports a fault when
// there is none, or not one.
func (r *reading) secret(n yamlfile.Node, key, inline, variable string) string {
	if given(inline, variable) != 1 {
		n.Fault("exactly one source of the secret is needed", key+"_env", key)
		return ""
	}
	secret := inline
	if variable != "" {
		if secret = r.options.Getenv(variable); secret == "" {
			n.Fault(fmt.Sprintf("the environment variable %s is not set", variable))
			return ""
		}
	} else {
		r.warn(n, key+" stands in the file; "+key+"_env keeps it out")
	}
	if len(secret) < minSecret {
		r.warn(n, fmt.Sprintf("the secret is shorter than %d characters and can be guessed", minSecret))
	}
	return secret
}

// checkSecrets finds names and secrets that the file gives to two tokens.
func (f *File) checkSecrets() {
	for i, t := range f.Tokens {
		for _, other := range f.Tokens[:i] {
			switch {
			case sameToken(t.Record, other.Record):
				f.doc.Add(t.path, fmt.Sprintf("a second token %q of %s", t.Record.Name, owner(t.Record)))
			case t.Secret != "" && t.Secret == other.Secret:
				f.doc.Add(t.path, fmt.Sprintf("the secret is already that of the token %q of %s", other.Record.Name, owner(other.Record)))
			}
		}
	}
}

// checkTokens finds what the directory would refuse about tokens, before anything is written.
func (f *File) checkTokens(ctx context.Context, d *directory.Directory) error {
	for _, t := range f.Tokens {
		known, err := d.Authenticate(ctx, t.Secret)
		switch {
		case err == nil && !sameToken(known, t.Record):
			f.doc.Add(t.path, fmt.Sprintf("the secret is already that of the token %q of %s", known.Name, owner(known)))
		case err != nil && !errors.Is(err, directory.ErrUnauthorized):
			return err
		}
	}
	for _, setup := range f.Setups {
		if err := f.checkRoom(ctx, d, setup); err != nil {
			return err
		}
	}
	return f.doc.Err()
}

// checkRoom finds connections that would have more SCIM tokens than may be valid at once.
func (f *File) checkRoom(ctx context.Context, d *directory.Directory, setup directory.Setup) error {
	present, err := d.Tokens(ctx, setup.Org.ID)
	if err != nil {
		return err
	}
	for _, c := range setup.Connections {
		names := map[string]bool{}
		for _, t := range present {
			if t.Connection == c.ID && t.Kind == directory.SCIMToken {
				names[t.Name] = true
			}
		}
		for _, t := range f.Tokens {
			if t.Record.Connection != c.ID || t.Record.Kind != directory.SCIMToken {
				continue
			}
			if names[t.Record.Name] = true; len(names) > maxSCIMTokens {
				f.doc.Add(t.path, fmt.Sprintf("a connection has at most %d SCIM tokens and would have %d; revoke one first", maxSCIMTokens, len(names)))
			}
		}
	}
	return nil
}

func sameToken(a, b directory.Token) bool {
	return a.Org == b.Org && a.Connection == b.Connection && a.Name == b.Name && a.Kind == b.Kind
}

func owner(t directory.Token) string {
	switch {
	case t.Connection != "":
		return t.Connection
	case t.Org != "":
		return t.Org
	}
	return "the administrators"
}

func (r *reading) warn(n yamlfile.Node, sentence string) {
	r.file.Warnings = append(r.file.Warnings, n.Place().String()+": "+n.Path()+": "+sentence)
}
