package directory

// near is a link whose subject differs from the one that comes only in case or
// in the composition of its letters.
type near struct {
	user *User
	link *Link
}

// nearForm is the form in which subjects look alike. They never are the same by
// it: subjects compare as bytes.
func nearForm(subject string) string {
	if isASCII(subject) {
		return NormalName(subject)
	}
	return foldText(subject)
}

// nears adds the links of a user whose subjects are not in near form. One that
// is, is found by its link.
func (x *entries) nears(u *User) {
	for i := range u.Links {
		l := &u.Links[i]
		if form := nearForm(l.Subject); form != l.Subject {
			x.add(x.at(indexNear).word(l.Connection).word(string(l.Channel)).text(form).id(u.ID), nil, "")
		}
	}
}

// findNear looks for a user whom the connection knows by almost this subject.
func (r reading) findNear(s *situation) error {
	form := nearForm(s.subject)
	for _, ch := range s.subjectChannels() {
		for _, issuer := range s.issuers(ch) {
			u, err := r.userAt(linkKey(r.org, &Link{Connection: s.conn.ID, Channel: ch, Issuer: issuer, Subject: form}))
			if err != nil {
				return err
			}
			s.almost(u, ch, form)
		}
		ids, err := r.tails(indexKey(r.org, indexNear).word(s.conn.ID).word(string(ch)).text(form), maxVotes)
		if err != nil {
			return err
		}
		for _, id := range ids {
			u, err := r.userByID(id)
			if err != nil {
				return err
			}
			s.almost(u, ch, form)
		}
	}
	return nil
}

// almost notes the first user found; of tombstones only at a sign-in, which may
// not bring a leaver back by a capital letter.
func (s *situation) almost(u *User, ch Channel, form string) {
	if u == nil || s.near.user != nil || u.Deleted != nil && s.change.Channel == SCIM || s.judged(u, ResolveNew) {
		return
	}
	for i := range u.Links {
		l := &u.Links[i]
		if l.Connection == s.conn.ID && l.Channel == ch && l.State != LinkMoved && l.Subject != s.subject && nearForm(l.Subject) == form {
			s.near = near{u, l}
			return
		}
	}
}

// nearMiss refuses a subject that almost is another: nobody is made beside that
// user, and nobody is taken for it.
func (s *situation) nearMiss() error {
	u, l := s.near.user, s.near.link
	if u == nil {
		return nil
	}
	if u.Deleted != nil {
		return s.withCase(CaseGrave, refuse(Reserved, "%q differs only in case from %q, a user whom %s deleted",
			s.subject, l.Subject, u.Deleted.Source), u)
	}
	r := refuse(LinkRequired, "%s %q differs only in case from %q, by which connection %s knows a user (id %s); subjects compare exactly",
		s.subjectName(), s.subject, l.Subject, s.conn.ID, u.ID)
	if s.change.Channel == SCIM { // no filter finds that user by this value, so it is no conflict that a client could solve
		r.Code = InvalidIdentifier
		r = r.on(s.conn.scimSubject())
	}
	r = s.withCase(CaseSubject, r, u)
	r.Evidence.Known = l.Subject
	return r
}
