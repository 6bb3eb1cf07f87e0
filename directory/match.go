package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// situation is everything a decision looks at: what is asked, what is decided
// about the organisation, and what the directory holds. It is data; deciding
// reads no store and no clock.
type situation struct {
	policy *Policy
	conn   *Connection // nil for administrators
	change *Change
	now    time.Time

	subject string // the identity on this channel, "" when none was given
	address string // the address the change speaks of, "" when none

	path *User // the user the request's path names
	link *User // whom the subject's link names
	via  *Link // that link, within link.Links
	// votes are the live users whom the soft keys name, links aside.
	votes []vote
	// erased: the subject belonged to a user whose data were erased.
	erased bool
	// moves: the assertion also carries the user's earlier subject, in a window in
	// which that moves the link.
	moves bool
	// near is whom the connection knows by almost the same subject, and verdicts
	// what was said of this subject before.
	near     near
	verdicts []verdict
	// graves are tombstones that share a name with the change.
	graves []*User
	// invited: an administrator permits one link through the connection for the
	// address of this sign-in.
	invited *UserInvitation
}

// vote is one soft key naming one user.
type vote struct {
	key, value string
	user       *User
}

// action is what is to be done with a user.
type action int

const (
	actCreate  action = iota
	actUpdate         // write the own layer
	actAdopt          // link an existing user, then write
	actRestore        // lift the own tombstone or lock, then write
)

// decision is the outcome of a situation that is not refused.
type decision struct {
	action action
	user   *User // nil for actCreate
	// release lists tombstones that give up their names and subject to the new user.
	release []*User
}

// decide goes through the lines of the rules in their order; the first that
// fits decides.
func (s *situation) decide() (decision, error) {
	switch {
	case s.change.ID != NoID:
		return s.decidePath()
	case s.conn == nil:
		return s.decideLocal()
	case s.link != nil:
		return s.decideLinked()
	}
	return s.decideUnlinked()
}

// decidePath: the request names the user; nobody else is meant.
func (s *situation) decidePath() (decision, error) {
	u := s.path
	if u == nil || u.Deleted != nil && s.change.Verb != VerbRestore && s.change.Verb != VerbErase {
		return decision{}, ErrNotFound
	}
	if s.conn == nil {
		return decision{actUpdate, u, nil}, nil
	}
	if l := u.link(s.conn.ID, SCIM); l != nil && l.State == LinkDeleted {
		return decision{}, ErrNotFound
	}
	if s.link != nil && s.link != u {
		if s.link.Deleted == nil {
			return decision{}, s.taken(s.link)
		}
		return decision{}, s.reserved(s.link)
	}
	if u.Linked(s.conn.ID, s.change.Channel) {
		return decision{actUpdate, u, nil}, nil
	}
	if s.change.Verb == VerbDelete {
		return decision{}, s.linkRequired(u, "a connection deletes only users it is linked to")
	}
	if err := s.mayAdopt(u, s.identifierOf(u)); err != nil {
		return decision{}, err
	}
	return decision{actAdopt, u, nil}, nil
}

// decideLocal: an administrator creates, or names no user at all.
func (s *situation) decideLocal() (decision, error) {
	switch {
	case s.change.Verb == VerbInvite && s.change.Invitation != nil:
		return s.decideInvite()
	case s.change.Verb != VerbCreate:
		return decision{}, ErrNotFound
	}
	return decision{action: actCreate, release: s.graves}, nil
}

// decideLinked: the subject's link names exactly one user.
func (s *situation) decideLinked() (decision, error) {
	u := s.link
	if u.Deleted != nil {
		return s.decideTombstone()
	}
	if s.change.Channel == SSO {
		return s.decideSignIn()
	}
	if s.via.State == LinkDeleted || !u.Linked(s.conn.ID, SCIM) {
		if s.refusesLocked(u) {
			return decision{}, s.linkRequired(u, "the subject belongs to a locked user")
		}
		return decision{actAdopt, u, nil}, nil
	}
	if l := u.Layer(Source{s.conn.ID, SCIM}); l != nil && l.holds() && !s.conn.subjectIsName() {
		return decision{actRestore, u, nil}, nil
	}
	return decision{}, s.taken(u)
}

// refusesLocked: an administrator's or another connection's lock is not
// undermined by a new link.
func (s *situation) refusesLocked(u *User) bool {
	return u.Locked() && u.Home != s.conn.ID
}

// decideSignIn: a linked person arrives.
func (s *situation) decideSignIn() (decision, error) {
	u := s.link
	switch {
	case s.via.State == LinkMoved:
		return decision{}, s.withCase(CaseMoved, refuse(Reserved, "%q is an earlier name of this user and no longer signs in", s.subject), u)
	case s.via.State == LinkDeleted:
		return decision{}, refuse(Deprovisioned, "connection %s deleted its link to this user", s.conn.ID)
	case s.via.State == LinkLocked:
		return decision{}, refuse(Suspended, "connection %s locked its link to this user", s.conn.ID)
	case u.Locked():
		return decision{}, refuse(Suspended, "the user is locked by %s since %s", u.lockedBy().Source, instant(u.lockedBy().Locked.At))
	}
	return decision{actUpdate, u, nil}, nil
}

// decideTombstone: only a SCIM create of the connection that deleted the user,
// by a subject that is no mutable name, restores it.
func (s *situation) decideTombstone() (decision, error) {
	u := s.link
	if s.change.Channel == SSO {
		return decision{}, refuse(Deprovisioned, "the user was deleted by %s at %s", u.Deleted.Source, instant(u.Deleted.At))
	}
	if s.change.Verb != VerbCreate {
		return decision{}, ErrNotFound
	}
	if u.Deleted.Source.Connection != s.conn.ID {
		return decision{}, s.reserved(u)
	}
	if s.conn.subjectIsName() || u.Deleted.Erased {
		s.graves = append(s.graves, u)
		return s.decideUnlinked()
	}
	return decision{actRestore, u, nil}, nil
}

// reserved: the subject belongs to a tombstone that this change does not lift.
func (s *situation) reserved(u *User) error {
	return s.withCase(CaseGrave, refuse(Reserved, "%s %q belongs to a user whom %s deleted", s.conn.scimSubject(), s.subject, u.Deleted.Source), u)
}

// decideUnlinked: no link. The soft keys vote; whom they name is linked only
// where the policy permits, and nobody is created beside a person they name.
func (s *situation) decideUnlinked() (decision, error) {
	if s.change.Verb != VerbCreate && s.change.Verb != VerbSignIn {
		return decision{}, ErrNotFound
	}
	if s.erased {
		return decision{}, refuse(Deprovisioned, "the subject belonged to a user whose data were erased")
	}
	if err := s.foreignDomain(s.address); err != nil {
		return decision{}, err
	}
	if err := s.nearMiss(); err != nil {
		return decision{}, err
	}
	if u := s.lockedVote(); u != nil {
		r := refuse(Suspended, "the user is locked by %s since %s", u.lockedBy().Source, instant(u.lockedBy().Locked.At))
		if s.linkedHere(u) {
			r = s.withCase(CaseSubject, r, u) // known by another subject
		}
		return decision{}, r
	}
	candidates := s.candidates()
	if len(candidates) > 1 {
		return decision{}, s.ambiguous(candidates)
	}
	if len(candidates) == 1 {
		return s.decideSoft(candidates[0].user)
	}
	if err := s.outsideDomains(); err != nil {
		return decision{}, err
	}
	if s.change.Channel == SSO && len(s.graves) > 0 {
		return decision{}, s.withCase(CaseGrave, refuse(Reserved, "the name belongs to a user whom %s deleted", s.graves[0].Deleted.Source), s.graves...)
	}
	if holder := s.nameHolder(); holder != nil {
		return decision{}, s.nameTaken(holder)
	}
	if s.conn.state() == Paused {
		return decision{}, refuse(ConnectionPaused, "connection %s is paused; it creates nobody", s.conn.ID)
	}
	if !s.conn.mode(s.change.Channel).creates() {
		return decision{}, refuse(NotProvisioned, "no user is known and connection %s does not create users by %s", s.conn.ID, s.change.Channel)
	}
	return decision{action: actCreate, release: s.graves}, nil
}

// decideSoft: exactly one person answers to the soft keys.
func (s *situation) decideSoft(u *User) (decision, error) {
	if err := s.mayAdopt(u, s.votesFor(u)); err != nil {
		if outside := s.outsideDomains(); outside != nil {
			return decision{}, outside
		}
		return decision{}, err
	}
	if s.conn.state() == Paused {
		return decision{}, refuse(ConnectionPaused, "connection %s is paused; it makes no new links", s.conn.ID)
	}
	return decision{actAdopt, u, nil}, nil
}

// lockedVote is a locked user whom a sign-in's key names: no other subject comes
// in beside it, or a leaver would return under a new one.
func (s *situation) lockedVote() *User {
	for _, v := range s.votes {
		if s.change.Channel == SSO && v.user.Locked() && !s.gaveUp(v) && !s.judged(v.user, ResolveNew) && slices.Contains(s.conn.matchKeys(), v.key) {
			return v.user
		}
	}
	return nil
}

// votesFor are the soft keys of the change that name the user: each of them may
// be the proof.
func (s *situation) votesFor(u *User) []vote {
	return slices.DeleteFunc(slices.Clone(s.votes), func(v vote) bool {
		return s.conn == nil || v.user != u || !slices.Contains(s.conn.matchKeys(), v.key) || s.gaveUp(v)
	})
}

// candidates are the users the votes name, each once, who are not linked on
// this channel yet: two subjects of one connection may share an address.
func (s *situation) candidates() []vote {
	var list []vote
	for _, v := range s.votes {
		if !slices.Contains(s.conn.matchKeys(), v.key) || s.linkedHere(v.user) || s.gaveUp(v) || s.judged(v.user, ResolveNew) ||
			slices.ContainsFunc(list, func(x vote) bool { return x.user == v.user }) {
			continue
		}
		list = append(list, v)
	}
	return list
}

// linkedHere: the user came through this channel of the connection, under
// another subject.
func (s *situation) linkedHere(u *User) bool { return u.Linked(s.conn.ID, s.change.Channel) }

// gaveUp: the value is a locked user's frozen identifier that this connection,
// its home, pushes no longer, so it names nobody for that connection.
func (s *situation) gaveUp(v vote) bool {
	return s.policy.gaveUp(v.user, s.conn.ID, v.key, v.value)
}

// gaveUp says whether a locked user bears the identifier only because it is
// frozen: no source says it any more, nor does the connection, which is home.
func (p *Policy) gaveUp(u *User, connection, name, value string) bool {
	if !u.Locked() || u.Home != connection || u.Layer(Source{connection, SCIM}) == nil {
		return false
	}
	own, _ := u.Layer(Source{connection, SCIM}).Get(name)
	thawed := standing{policy: p, user: u}.value(name, nil)
	return !slices.ContainsFunc(slices.Concat(own, thawed), func(e Element) bool { return p.fold(name, e.Field("value")) == value })
}

// nameHolder is the live user who already has the userName of the change and
// is no candidate.
func (s *situation) nameHolder() *User {
	for _, v := range s.votes {
		if v.key == UserName && !s.gaveUp(v) && !s.judged(v.user, ResolveNew) {
			return v.user
		}
	}
	return nil
}

// nameTaken: the name is held by someone linked here under another subject.
func (s *situation) nameTaken(u *User) error {
	if l := u.link(s.conn.ID, SSO); s.change.Channel == SSO && l == nil {
		return s.linkRequired(u, "it has the userName of this sign-in, which is no match key of the connection")
	} else if s.change.Channel == SSO {
		return s.withCase(CaseSubject, refuse(LinkRequired, "userName %q belongs to a user whom this connection knows by another subject (%q, now %s %q)",
			s.change.Attributes.Text(UserName), l.Subject, s.subjectName(), s.subject), u)
	}
	return s.taken(u)
}

// taken is the answer to a create that would be somebody twice.
func (s *situation) taken(u *User) error {
	attribute, value := UserName, s.change.Attributes.Text(UserName)
	if s.link == u && s.subject != "" {
		attribute, value = s.conn.scimSubject(), s.subject
	}
	r := refuse(Uniqueness, "%s %q belongs to another user (id %s)", attribute, value, u.ID).on(attribute)
	if s.conn != nil && u.Home != s.conn.ID && !u.Linked(s.conn.ID, SCIM) {
		return s.withCase(CaseUnlinked, r, u)
	}
	return r
}

func (s *situation) ambiguous(list []vote) error {
	users := make([]*User, len(list))
	keys := make([]string, len(list))
	for i, v := range list {
		users[i], keys[i] = v.user, fmt.Sprintf("%s names %s", v.key, v.user.ID)
	}
	return s.withCase(CaseAmbiguous, refuse(Ambiguous, "the keys point to different users: %s", strings.Join(keys, ", ")), users...)
}

// withCase marks a refusal as one that waits for an administrator.
func (s *situation) withCase(kind CaseKind, r *Refusal, users ...*User) *Refusal {
	r.kind = kind
	r.Evidence = Evidence{Channel: s.change.Channel, Issuer: s.change.Issuer, Subject: s.subject, Attribute: r.Attribute,
		Values: map[string]string{}, Unverified: s.change.EmailVerified == VerifiedNo}
	for _, u := range users {
		r.Evidence.Users = append(r.Evidence.Users, u.ID)
		r.Evidence.found(s.votesFor(u))
		if l := s.knownLink(u); kind == CaseSubject && l != nil {
			r.Evidence.Known = l.Subject
		}
	}
	for _, name := range []string{UserName, Emails, ExternalID, r.Attribute} {
		if v, ok := s.change.Attributes.Get(name); ok && len(v) > 0 {
			r.Evidence.Values[name] = v.Primary().Field("value")
		}
	}
	return r
}

// found notes the keys by which somebody was found.
func (e *Evidence) found(by []vote) {
	for _, v := range by {
		if !slices.Contains(e.Keys, v.key) {
			e.Keys = append(e.Keys, v.key)
		}
	}
}

// knownLink is the link by which the connection knows a user: the one of the
// change's own door, else of the other.
func (s *situation) knownLink(u *User) *Link {
	if s.conn == nil {
		return nil
	}
	if l := u.link(s.conn.ID, s.change.Channel); l != nil {
		return l
	}
	return u.link(s.conn.ID, otherDoor(s.change.Channel))
}

// fold brings a value of a match key or unique attribute into comparable form.
func (p *Policy) fold(name, text string) string {
	d, ok := p.schema[name]
	if !ok {
		return text
	}
	if f := foldOf(d); f != nil {
		return f(text)
	}
	return text
}
