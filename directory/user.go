package directory

import (
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// User is one person in one organisation, as stored: layers, links and what
// they resolved to. Code outside this package reads users as a Profile.
type User struct {
	ID      ID
	Org     string
	Home    string // the connection that owns the lifecycle, "" for none
	Created time.Time
	// Modified is when anything of the user last changed.
	Modified time.Time
	// Generation is the organisation's when the user was last resolved.
	Generation uint64
	Deleted    *Tombstone
	// Yielded: while locked, the frozen userName was given up to a later claimant.
	Yielded bool
	// Held are unique attributes whose value by policy belongs to somebody else:
	// they keep their earlier value, and a case waits.
	Held   []string
	Layers []Layer
	Links  []Link
	// Effective is what the world sees; locks excepted, identifiers frozen.
	Effective Attributes
	// Seats are the names of rules with a maximum that serve the user, Queued of
	// those that match and have no seat left.
	Seats, Queued []string
	// Denied is 1 + the index of the deny rule that applies, 0 for none.
	Denied int
	// key encrypts the personal values in the user's events; erasure drops it.
	key [16]byte
	// prior is what the user resolved to before the change under way; frozen and
	// held attributes are taken from it. Nil means Effective.
	prior Attributes
	// ruled is what the rules set when the user was last resolved here.
	ruled []ruled
	// stored is the record the user was read from, "" for a new one.
	stored string
}

// Tombstone says who deleted a user, and when.
type Tombstone struct {
	At     time.Time
	Source Source
	Erased bool
	// Groups the user was a direct member of, for a restore.
	Groups []ID
	// Into is the user who this one was merged into. Its id answers there.
	Into ID
	// Answers are the connections whose push moved there with it.
	Answers []string
}

// Locked says whether the user's lifecycle is locked: by an administrator or
// by the home connection.
func (u *User) Locked() bool { return u.lockedBy() != nil }

// lockedBy returns the layer whose lock holds the user, nil when active.
func (u *User) lockedBy() *Layer {
	for i := range u.Layers {
		l := &u.Layers[i]
		if l.holds() && (l.Source.Connection == "" || l.Source.Connection == u.Home) {
			return l
		}
	}
	return nil
}

// IsActive says whether the user may use anything: neither locked nor deleted.
func (u *User) IsActive() bool { return u.Deleted == nil && !u.Locked() }

// NormalName is the form in which user names are compared, stored in indexes
// and filtered: PRECIS UsernameCaseMapped (RFC 8265 §3.3) of each part between
// blanks, and for what the profile does not admit NFC and lower case.
func NormalName(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	parts := strings.Split(s, " ")
	for i, part := range parts {
		out, err := precis.UsernameCaseMapped.String(part)
		if err != nil {
			out = foldText(part)
		}
		parts[i] = out
	}
	return strings.Join(parts, " ")
}

// NormalEmail is the form in which addresses are compared: the domain in
// lower-case A-labels, the local part in NFC and folded case; no dots or plus
// signs are interpreted.
func NormalEmail(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	local, domain, ok := cutLast(s, "@")
	if !ok {
		return foldText(s)
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return foldText(local) + "@" + strings.ToLower(domain)
}

// NormalGroup is the form in which group names are compared: NFC, trimmed.
func NormalGroup(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// foldText is NFC in lower case, without the rules of any locale.
func foldText(s string) string { return strings.ToLower(norm.NFC.String(s)) }

// isASCII says whether s is printable ASCII, of which lower case is every
// normal form.
func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// emailDomain is the domain of an address in comparable form, "" when s is no address.
func emailDomain(s string) string {
	_, domain, ok := cutLast(s, "@")
	if !ok {
		return ""
	}
	domain = strings.TrimFunc(domain, func(r rune) bool { return r <= ' ' || strings.ContainsRune(".<>\"'()", r) })
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return strings.ToLower(domain)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
