package jit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"muster/directory"
	"muster/jit/oidc"
	"muster/jit/saml"
)

// Report tells an administrator what a sign-in would do, and why. It names people: it is for those who administer them.
type Report struct {
	Connection string         `json:"connection"`
	At         time.Time      `json:"at"`
	Mode       directory.Mode `json:"mode"` // what write.sso is taken to be
	Issuer     string         `json:"issuer"`
	Subject    string         `json:"subject"`
	Claims     []Claim        `json:"claims"` // as received
	Trace      Trace          `json:"trace"`  // what each attribute was read from, or not
	// Outcome is what would happen; "" when the sign-in would be refused with Code, for Cause.
	Outcome   directory.Outcome `json:"outcome,omitempty"`
	Code      directory.Code    `json:"code,omitempty"`
	Attribute string            `json:"attribute,omitempty"` // that is missing or wrong
	Cause     string            `json:"cause,omitempty"`
	User      string            `json:"user,omitempty"`     // the id of the user who would be signed in, none for a new one
	UserName  string            `json:"userName,omitempty"` // as it would be
	Matched   []string          `json:"matched,omitempty"`  // why that user
	Changes   []ReportedChange  `json:"changes,omitempty"`
	Missing   []string          `json:"missing,omitempty"` // mapped attributes that were not sent
	Warnings  []string          `json:"warnings,omitempty"`
}

// ReportedChange is one attribute before and after.
type ReportedChange struct {
	Attribute string   `json:"attribute"`
	Before    []string `json:"before,omitempty"`
	After     []string `json:"after,omitempty"`
}

// Passed says whether the person would be signed in.
func (r *Report) Passed() bool { return r.Code == "" }

// rehearse is where every test and dry run ends, whatever its protocol. It writes nothing.
func (s *Server) rehearse(ctx context.Context, a arrival, mode directory.Mode) (*Report, error) {
	report := &Report{
		Connection: a.connection.ID, At: s.now().UTC(), Mode: mode, Issuer: a.assertion.Issuer, Claims: a.assertion.Claims,
	}
	change, trace, err := Interpret(a.assertion, a.connection, a.policy.Definition)
	report.Trace, report.Subject, report.Missing = trace, change.Subject, missing(trace)
	if err != nil {
		report.refusedBy(problemOf(traced(err, trace)))
		return report, nil
	}
	rehearsal, err := s.directory.Rehearse(ctx, change, mode)
	if err != nil {
		return nil, err
	}
	report.Matched = rehearsal.Matched
	for _, w := range rehearsal.Warnings {
		report.Warnings = append(report.Warnings, string(w.Code)+": "+w.Attribute+": "+w.Detail)
	}
	if rehearsal.Refusal != nil {
		report.refusedBy(problemOf(traced(rehearsal.Refusal, trace)))
		return report, nil
	}
	report.Outcome = rehearsal.Outcome
	report.UserName = rehearsal.User.Attributes.Text(directory.UserName)
	if rehearsal.Before != nil {
		report.User = rehearsal.Before.ID.String()
	}
	for _, c := range rehearsal.Changes {
		report.Changes = append(report.Changes, ReportedChange{c.Attribute, valueTexts(c.Before), valueTexts(c.After)})
	}
	return report, nil
}

func (r *Report) refusedBy(p *problem) { r.Code, r.Attribute, r.Cause = p.code, p.attribute, p.cause }

// missing are the mapped attributes that nothing was found for.
func missing(trace Trace) []string {
	var names []string
	for _, target := range trace.Targets {
		found := slices.ContainsFunc(trace.Targets, func(t Target) bool { return t.To == target.To && t.State != Absent })
		if !found && len(target.Tried) > 0 && !slices.Contains(names, target.To) {
			names = append(names, target.To)
		}
	}
	return names
}

// maxPasted bounds a document that an administrator pastes.
const maxPasted = saml.MaxMessage

// Rehearse tells what an assertion would do that an administrator holds in their hands: a SAML response or assertion as
// XML or base64, or the claims of an ID token as JSON. Nothing about it is verified and nothing is written. An error
// that is no fault of ours is a *directory.Refusal.
func (s *Server) Rehearse(ctx context.Context, connection string, mode directory.Mode, pasted []byte) (*Report, error) {
	conn, policy, err := s.directory.Connection(ctx, connection)
	if err != nil {
		return nil, err
	}
	assertion, err := readPasted(pasted)
	if err != nil {
		return nil, &directory.Refusal{Code: directory.InvalidValue, Detail: err.Error()}
	}
	issuer := ""
	switch {
	case conn.SAML != nil:
		issuer = conn.SAML.EntityID
	case conn.OIDC != nil:
		issuer = conn.OIDC.Issuer
	}
	stated := assertion.Issuer
	assertion.Issuer = cmp.Or(stated, issuer)
	assertion.IssuedAt = s.now()
	report, err := s.rehearse(ctx, arrival{connection: conn, policy: policy, assertion: assertion}, mode)
	if err == nil && assertion.Issuer != issuer {
		report.Warnings = append(report.Warnings, "the issuer is "+stated+"; this connection trusts "+issuer)
	}
	return report, err
}

// readPasted tells the forms apart by how they begin.
func readPasted(pasted []byte) (Assertion, error) {
	pasted = bytes.TrimSpace(pasted)
	if len(pasted) > maxPasted {
		return Assertion{}, &saml.Error{Reason: saml.ReasonTooLarge, Detail: "the document is too large"}
	}
	if bytes.HasPrefix(pasted, []byte("{")) {
		var claims oidc.Claims
		if err := json.Unmarshal(pasted, &claims); err != nil {
			return Assertion{}, err
		}
		return assertionFromOpenID(oidc.Inspect(claims)), nil
	}
	if !bytes.HasPrefix(pasted, []byte("<")) {
		decoded, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(pasted), nil)))
		if err != nil {
			return Assertion{}, &saml.Error{Reason: saml.ReasonMalformed, Detail: "neither XML, nor base64, nor JSON"}
		}
		pasted = decoded
	}
	facts, err := saml.Inspect(pasted)
	if err != nil {
		return Assertion{}, err
	}
	return assertionFromSAML(facts), nil
}
