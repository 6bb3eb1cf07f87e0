package oidc

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// protocol are the claims that the protocol itself needs, as they were read from a verified token.
type protocol struct {
	issuer, subject string
	audience        []string
	party           string // azp
	expires, issued time.Time
	notBefore       time.Time // zero if not stated
	authenticated   time.Time // zero if not stated
	nonce           string
	accessTokenHash string
	session         string // sid
	id              string // jti
	acr             string
	amr             []string
}

// readProtocol refuses a claim of a wrong type; whether one may be missing is decided by the checks.
func readProtocol(c Claims) (*protocol, error) {
	r := &fields{claims: c}
	read := &protocol{
		issuer:          r.text("iss"),
		subject:         r.text("sub"),
		audience:        r.list("aud"),
		party:           r.text("azp"),
		expires:         r.time("exp"),
		issued:          r.time("iat"),
		notBefore:       r.time("nbf"),
		authenticated:   r.time("auth_time"),
		nonce:           r.text("nonce"),
		accessTokenHash: r.text("at_hash"),
		session:         r.text("sid"),
		id:              r.text("jti"),
		acr:             r.text("acr"),
		amr:             r.list("amr"),
	}
	if len(r.wrong) > 0 {
		return nil, refuse(ReasonClaims, "of a type that the protocol does not know: %s", strings.Join(r.wrong, ", "))
	}
	return read, nil
}

// fields reads claims of fixed types and collects the names of those that are of another.
type fields struct {
	claims Claims
	wrong  []string
}

func (r *fields) text(name string) string {
	value, stated := r.claims[name]
	text, ok := value.(string)
	if stated && !ok {
		r.wrong = append(r.wrong, name)
	}
	return text
}

// list also takes a single text, as aud is written and as some write amr.
func (r *fields) list(name string) []string {
	value, stated := r.claims[name]
	if !stated {
		return nil
	}
	if text, ok := value.(string); ok {
		return []string{text}
	}
	elements, ok := value.([]any)
	list := make([]string, 0, len(elements))
	for _, element := range elements {
		text, isText := element.(string)
		ok = ok && isText
		list = append(list, text)
	}
	if !ok {
		r.wrong = append(r.wrong, name)
		return nil
	}
	return list
}

// maxTime is far enough, and near enough for adding to it.
const maxTime = 1 << 40

// time reads seconds since 1970, cutting fractions off.
func (r *fields) time(name string) time.Time {
	value, stated := r.claims[name]
	if !stated {
		return time.Time{}
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds <= 0 || seconds > maxTime {
		r.wrong = append(r.wrong, name)
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// isFor says whether a client is among those a token was made for.
func (p *protocol) isFor(client string) bool { return slices.Contains(p.audience, client) }
