package directory

import "slices"

// verdict is what an open or remembered case says about the subject that comes.
type verdict struct {
	users    []ID
	resolved Resolution // ResolveReject, ResolveNew, or "" while it waits
	// unverified is the address that the identity provider called so.
	unverified string
}

// findVerdicts reads what was said and decided about an unknown subject. An
// address that was called unverified stays so until it is called verified.
func (r reading) findVerdicts(s *situation) error {
	marks, err := r.casesAbout(subjectHash(s.conn.ID, s.change.Channel, s.subject))
	if err != nil {
		return err
	}
	for _, m := range marks {
		k, err := r.caseByID(m.id)
		if err != nil {
			return err
		}
		if k == nil {
			continue
		}
		v := verdict{users: k.Evidence.Users, resolved: k.Resolved}
		if k.Evidence.Unverified {
			v.unverified = NormalEmail(k.Evidence.Values[Emails])
		}
		s.verdicts = append(s.verdicts, v)
	}
	if s.change.EmailVerified == VerifiedUnsaid && s.calledUnverified() {
		s.change.EmailVerified = VerifiedNo
	}
	return nil
}

func (s *situation) calledUnverified() bool {
	return slices.ContainsFunc(s.verdicts, func(v verdict) bool {
		return v.unverified != "" && v.unverified == NormalEmail(s.address)
	})
}

// judged says whether an administrator decided so about the subject and a user.
func (s *situation) judged(u *User, as Resolution) bool {
	return slices.ContainsFunc(s.verdicts, func(v verdict) bool { return v.resolved == as && slices.Contains(v.users, u.ID) })
}
