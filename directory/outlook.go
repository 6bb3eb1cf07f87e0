package directory

import (
	"errors"
	"time"
)

// Outlook tells what a connection's doors do with one kind of person.
type Outlook struct {
	Who       Comer
	SCIM, SSO Prospect
}

// Comer is who comes: what the directory knows of the person.
type Comer string

// The comers.
const (
	ComerKnown     Comer = "known"     // came through this door before
	ComerUnknown   Comer = "unknown"   // nobody like this is known; the address is one it may create
	ComerOutside   Comer = "outside"   // nobody like this is known; the address lies outside its domains
	ComerOwn       Comer = "own"       // known to the connection by its other door alone
	ComerSame      Comer = "same"      // somebody without a home has the address
	ComerElsewhere Comer = "elsewhere" // somebody whose home is another connection has the address
	ComerLocked    Comer = "locked"    // known, and locked by an administrator
	ComerDeleted   Comer = "deleted"   // known, and deleted by this connection
	ComerRemoved   Comer = "removed"   // known, and deleted by an administrator
)

// Prospect is what one door does.
type Prospect struct {
	Does Deed
	// Code tells of a refusal, Case that it waits for an administrator.
	Code Code
	Case bool
}

// Deed is what a door does with a person.
type Deed string

// The deeds.
const (
	DeedNone     Deed = "none"      // nobody can come so
	DeedCreate   Deed = "create"    // makes a user
	DeedUpdate   Deed = "update"    // writes its layer; a sign-in lets in
	DeedEnter    Deed = "enter"     // lets in and writes nothing
	DeedLink     Deed = "link"      // links the user, then writes its layer
	DeedLinkOnly Deed = "link only" // links the user, lets in and writes nothing else
	DeedRestore  Deed = "restore"   // brings the deleted user back
	DeedConfirm  Deed = "confirm"   // asks the person to prove the account
	DeedRefuse   Deed = "refuse"
)

// Outlook takes one of each kind of person through the decisions of Apply, as if
// c were the organisation's connection of that id: what its write modes, link
// policy and domains come to. It reads nothing. What an assertion lacks, rules
// and the guard can still refuse what it promises.
func (p *Policy) Outlook(c *Connection) (list []Outlook) {
	for _, who := range []Comer{ComerKnown, ComerUnknown, ComerOutside, ComerOwn, ComerSame, ComerElsewhere, ComerLocked, ComerDeleted, ComerRemoved} {
		o := Outlook{who, p.prospect(c, SCIM, who), p.prospect(c, SSO, who)}
		if o.SCIM.Does != DeedNone || o.SSO.Does != DeedNone {
			list = append(list, o)
		}
	}
	return list
}

func (p *Policy) prospect(c *Connection, ch Channel, who Comer) Prospect {
	signsIn := c.SAML != nil || c.OIDC != nil
	switch {
	case ch == SSO && !signsIn,
		ch == SCIM && !c.mode(SCIM).writes(),
		who == ComerOwn && (!signsIn || !c.mode(SCIM).writes()),
		who == ComerOutside && len(c.Domains) == 0,
		who == ComerDeleted && !c.mode(SCIM).writes():
		return Prospect{Does: DeedNone}
	}
	s := p.example(c, ch, who)
	if err := s.gate(); err != nil {
		return refused(err)
	}
	d, err := s.decide()
	if err != nil {
		return refused(err)
	}
	return Prospect{Does: s.deed(d)}
}

// deed names a decision.
func (s *situation) deed(d decision) Deed {
	switch muted := s.muted(); {
	case d.action == actCreate:
		return DeedCreate
	case d.action == actRestore:
		return DeedRestore
	case d.action == actAdopt && muted:
		return DeedLinkOnly
	case d.action == actAdopt:
		return DeedLink
	case muted:
		return DeedEnter
	}
	return DeedUpdate
}

func refused(err error) Prospect {
	r, ok := errors.AsType[*Refusal](err)
	switch {
	case !ok:
		return Prospect{Does: DeedRefuse}
	case len(r.Confirm) > 0:
		return Prospect{DeedConfirm, r.Code, r.waits()}
	}
	return Prospect{DeedRefuse, r.Code, r.waits()}
}

// example is the situation of somebody coming through a door. A push names a
// person whom it knows by id, anybody else by a create.
func (p *Policy) example(c *Connection, ch Channel, who Comer) *situation {
	const subject = "subject"
	address := "somebody@elsewhere.invalid"
	if len(c.Domains) > 0 && who != ComerOutside {
		address = "somebody@" + c.Domains[0]
	}
	s := &situation{policy: p, conn: c, subject: subject, address: address, now: time.Unix(0, 0), change: &Change{
		Org: p.Org.ID, Connection: c.ID, Channel: ch, Verb: VerbCreate, Subject: subject,
		Attributes: Attributes{{Name: Emails, Value: Text(address)}, {Name: UserName, Value: Text("somebody")}}}}
	if ch == SSO {
		s.change.Verb = VerbSignIn
	}
	u := &User{ID: ID{1}, Org: p.Org.ID, Home: c.ID, Effective: Attributes{{Name: Emails, Value: Text(address)}, {Name: UserName, Value: Text("other")}}}
	door := Link{Connection: c.ID, Channel: ch, Subject: subject}
	switch who {
	case ComerKnown:
		s.knows(u, door)
	case ComerLocked:
		u.layer(Source{Channel: Local}).Locked = Stamp{At: s.now}
		s.knows(u, door)
	case ComerDeleted, ComerRemoved:
		u.Deleted = &Tombstone{At: s.now, Source: Source{Channel: Local}}
		if who == ComerDeleted {
			u.Deleted.Source = Source{c.ID, SCIM}
		}
		u.Links = []Link{door}
		s.link, s.via = u, &u.Links[0]
	case ComerOwn:
		s.knowsBeside(u, ch)
	case ComerSame:
		u.Home = ""
		s.votes = []vote{{Emails, NormalEmail(address), u}}
	case ComerElsewhere:
		s.livesElsewhere(u)
		s.votes = []vote{{Emails, NormalEmail(address), u}}
	}
	return s
}

// knows makes the user one who came through the door.
func (s *situation) knows(u *User, door Link) {
	u.Links = []Link{door}
	if door.Channel == SCIM {
		s.change.ID, s.change.Verb, s.path = u.ID, VerbMerge, u
	}
	s.link, s.via = u, &u.Links[0]
}

// knowsBeside makes the user one who came through the connection's other door,
// by the same subject where both carry one.
func (s *situation) knowsBeside(u *User, ch Channel) {
	other := Link{Connection: s.conn.ID, Channel: otherDoor(ch), Subject: s.subject}
	if !s.conn.Subject.Same {
		other.Subject = "another"
	}
	u.Links = []Link{other}
	if s.conn.Subject.Same {
		s.link, s.via = u, &u.Links[0]
		return
	}
	s.votes = []vote{{Emails, NormalEmail(s.address), u}}
}

// livesElsewhere makes the user another connection's, one that signs in if there is any.
func (s *situation) livesElsewhere(u *User) {
	u.Home = s.conn.ID + " is not it"
	for _, other := range s.policy.Connections() {
		if other.ID == s.conn.ID || other.state() == Retired {
			continue
		}
		u.Home = other.ID
		if other.SAML != nil || other.OIDC != nil {
			u.Links = []Link{{Connection: other.ID, Channel: SSO, Subject: s.subject}}
			return
		}
	}
}
