package directory

import "slices"

// maxVotes bounds how many holders of one shared address are looked at, and how
// many of them, not being linked yet, may vote.
const (
	maxVotes   = 20
	maxHolders = 2000
)

// find reads everything a decision needs: the user the path names, the user
// the subject's link names, and whom the soft keys name.
func (r reading) find(s *situation) error {
	if s.change.ID != NoID {
		u, err := r.userByID(s.change.ID)
		if err == nil && s.conn != nil {
			u, err = r.survivor(u, s.conn.ID)
		}
		if err != nil {
			return err
		}
		s.path = u
	}
	if s.conn != nil && s.subject != "" {
		if err := r.findLink(s); err != nil {
			return err
		}
		if s.link == nil && s.change.ID == NoID {
			if err := r.findUnknown(s); err != nil {
				return err
			}
		}
	}
	if s.change.ID != NoID || s.link != nil && s.link.Deleted == nil {
		return nil
	}
	if s.link == nil && s.conn != nil && s.change.Channel == SSO {
		var err error
		if s.erased, err = r.wasErased(s); err != nil {
			return err
		}
	}
	return r.findByKeys(s)
}

// findLink follows the subject's link on the change's channel; where both
// channels carry one value, also the other's.
func (r reading) findLink(s *situation) error {
	for _, ch := range s.subjectChannels() {
		for _, issuer := range s.issuers(ch) {
			l := Link{Connection: s.conn.ID, Channel: ch, Issuer: issuer, Subject: s.subject}
			u, err := r.userAt(linkKey(r.org, &l))
			if err != nil {
				return err
			}
			if u == nil {
				continue
			}
			if s.path != nil && s.path.ID == u.ID {
				u = s.path
			}
			if i := slices.IndexFunc(u.Links, func(x Link) bool { return sameLink(x, l) }); i >= 0 && s.follows(u, &u.Links[i]) {
				s.link, s.via = u, &u.Links[i]
				return nil
			}
		}
	}
	return nil
}

// subjectChannels are those by whose links the subject may name somebody.
func (s *situation) subjectChannels() []Channel {
	if s.conn.Subject.Same {
		return []Channel{s.change.Channel, otherDoor(s.change.Channel)}
	}
	return []Channel{s.change.Channel}
}

// findUnknown reads what else there is to know about a subject without a link.
func (r reading) findUnknown(s *situation) error {
	if err := r.findFormer(s); s.link != nil || err != nil {
		return err
	}
	if err := r.findVerdicts(s); err != nil {
		return err
	}
	if s.change.Channel == SCIM && s.conn.scimSubject() == UserName {
		return nil // names compare without regard to case anyhow
	}
	return r.findNear(s)
}

// findFormer follows the earlier subject that an assertion carries beside the
// new one, in the window for which the connection permits that.
func (r reading) findFormer(s *situation) error {
	if s.change.Channel != SSO || s.change.Former == "" || !s.now.Before(s.conn.Subject.FormerUntil) {
		return nil
	}
	old := *s
	old.subject = s.change.Former
	if err := r.findLink(&old); err != nil {
		return err
	}
	if old.link != nil && old.via.Channel == SSO && old.via.State != LinkMoved {
		s.link, s.via, s.moves = old.link, old.via, true
	}
	return nil
}

// follows: an earlier name of a user only refuses sign-ins; for a push it names
// nobody. The other door's subject names the user only while the user has not
// come through this door under another one.
func (s *situation) follows(u *User, l *Link) bool {
	if l.Channel == s.change.Channel {
		return l.State != LinkMoved || s.change.Channel == SSO
	}
	own := u.link(s.conn.ID, s.change.Channel)
	return l.State != LinkMoved && (own == nil || own.Ahead || own.Subject == s.subject)
}

func otherDoor(ch Channel) Channel {
	if ch == SCIM {
		return SSO
	}
	return SCIM
}

// issuers are those a link of the channel may stand under.
func (s *situation) issuers(ch Channel) []string {
	if ch == SCIM {
		return []string{""}
	}
	issuer := s.change.Issuer
	if issuer == "" {
		issuer = s.conn.issuer()
	}
	if issuer == "" {
		return []string{""}
	}
	return []string{issuer, ""}
}

// issuer is the identity provider's own name, "" when only SCIM is set up.
func (c *Connection) issuer() string {
	switch {
	case c.SAML != nil:
		return c.SAML.EntityID
	case c.OIDC != nil:
		return c.OIDC.Issuer
	}
	return ""
}

func sameLink(a, b Link) bool {
	return a.Connection == b.Connection && a.Channel == b.Channel && a.Issuer == b.Issuer && a.Subject == b.Subject
}

// findByKeys lets every soft key vote, and finds tombstones of the same name.
func (r reading) findByKeys(s *situation) error {
	keys := []string{UserName}
	if s.change.Verb == VerbInvite {
		keys = append(keys, Emails)
	}
	if s.conn != nil {
		keys = s.conn.matchKeys()
		if !slices.Contains(keys, UserName) {
			keys = append(slices.Clone(keys), UserName)
		}
	}
	if s.conn != nil && s.change.Channel == SSO && s.address != "" {
		var err error
		if s.invited, err = r.userInvitation(s.conn.ID, s.address); err != nil {
			return err
		}
	}
	for _, name := range keys {
		v, _ := s.change.Attributes.Get(name)
		if len(v) == 0 || s.constant(name) {
			continue
		}
		value := s.policy.fold(name, v.Primary().Field("value"))
		if err := r.findVotes(s, name, value); err != nil {
			return err
		}
		if err := r.findGraves(s, name, value); err != nil {
			return err
		}
	}
	return nil
}

// constant: the mapping gives everybody the same value, which says nothing
// about who somebody is.
func (s *situation) constant(name string) bool {
	return s.conn != nil && s.change.Channel == SSO && s.conn.mapping(name).Const != ""
}

// findVotes adds the live users who hold the value effectively; of addresses
// only a primary one counts.
func (r reading) findVotes(s *situation, name, value string) error {
	switch {
	case name == UserName:
		return r.vote(s, name, value, indexKey(r.org, indexName).text(value))
	case name == Emails:
		prefix := indexKey(r.org, indexEmail).text(value)
		seen := 0
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			if len(pair.Value) == 0 || pair.Value[0] != 1 {
				continue
			}
			if seen++; seen > maxHolders || len(s.votes) > maxVotes {
				return refuse(Ambiguous, "more than %d users have the address %q", len(s.votes), value).on(Emails)
			}
			u, err := r.userByID(tailID(pair.Key))
			if err != nil {
				return err
			}
			if u != nil && s.conn != nil && s.linkedHere(u) && !u.Locked() {
				continue // two subjects of one connection may share an address
			}
			s.addVote(name, value, u)
		}
	case slices.Contains(s.policy.unique, name):
		return r.vote(s, name, value, indexKey(r.org, indexUnique).text(name).text(value))
	}
	return nil
}

func (r reading) vote(s *situation, name, value string, at key) error {
	u, err := r.userAt(at)
	if err != nil {
		return err
	}
	s.addVote(name, value, u)
	return nil
}

// addVote keeps one *User per id, so that votes compare by pointer.
func (s *situation) addVote(name, value string, u *User) {
	if u == nil || u.Deleted != nil {
		return
	}
	for _, v := range s.votes {
		if v.user.ID == u.ID {
			u = v.user
		}
	}
	s.votes = append(s.votes, vote{name, value, u})
}

func (r reading) findGraves(s *situation, name, value string) error {
	ids, err := r.tails(indexKey(r.org, indexGrave).text(name).text(value), maxVotes)
	if err != nil {
		return err
	}
	for _, id := range ids {
		u, err := r.userByID(id)
		if err != nil {
			return err
		}
		if u == nil || u.Deleted == nil || u.Yielded || slices.ContainsFunc(s.graves, func(g *User) bool { return g.ID == id }) {
			continue
		}
		s.graves = append(s.graves, u)
	}
	return nil
}
