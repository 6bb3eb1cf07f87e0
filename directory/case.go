package directory

import (
	"slices"
	"time"
)

// Case is a refused conflict that waits for an administrator. The same
// conflict met again is the same case with a higher count.
//
// A case ends in one of three ways. It closes by itself, in the very
// transaction that removes its cause ([CaseKind] says what that is). An
// administrator resolves it ([Directory.ResolveCase]). Or it is put aside:
// ignored, and then opened anew when it is met again, or rejected, and then
// answered the same for good without another case.
type Case struct {
	ID       ID       `json:"id"`
	Org      string   `json:"org"`
	Kind     CaseKind `json:"kind"`
	Code     Code     `json:"code"`
	Source   Source   `json:"source"`
	Detail   string   `json:"detail"`
	Evidence Evidence `json:"evidence"`
	// Resolutions are those permitted as things stand.
	Resolutions []Resolution `json:"resolutions"`
	Opened      time.Time    `json:"opened"`
	Last        time.Time    `json:"last"`
	Count       int          `json:"count"`
	// Closed is when, by whom and how; zero while it waits. A case that closed by
	// itself has neither a name nor a resolution.
	Closed   time.Time  `json:"closed,omitzero"`
	ClosedBy string     `json:"closedBy,omitempty"`
	Resolved Resolution `json:"resolved,omitempty"`
	Note     string     `json:"note,omitempty"`
}

// CaseKind is what sort of conflict a case is about. It decides which
// resolutions there may be, and when the cause is gone.
type CaseKind string

// The kinds, each with what ends it: the subject is linked, or else as said.
const (
	// CaseUnlinked: an account exists and may not be linked by itself. Ends when
	// nobody it names answers to the keys, unlinked, any more.
	CaseUnlinked CaseKind = "unlinked"
	// CaseSubject: the connection knows the user by another subject. Ends with
	// that link.
	CaseSubject CaseKind = "subject changed"
	// CaseAmbiguous: the keys point to several users. Ends when fewer than two of
	// them answer to the keys.
	CaseAmbiguous CaseKind = "ambiguous"
	// CaseName: a unique value belongs to somebody else. Ends when the holder gives
	// it up, or the claimant has it or is gone.
	CaseName CaseKind = "name taken"
	// CaseGrave: a name or subject belongs to a deleted user. Ends when the
	// tombstone gives it up, is lifted or is erased.
	CaseGrave CaseKind = "tombstone"
	// CaseRehire: a new user has the name of a deleted one. Ends with either.
	CaseRehire CaseKind = "re-hire"
	// CaseMoved: a sign-in by an earlier value of a mutable subject. Ends when the
	// user gives that value up.
	CaseMoved CaseKind = "earlier name"
	// CasePin: a lapsed pin stays, because nothing permitted lies below it. Ends
	// with the pin.
	CasePin CaseKind = "lapsed pin"
	// CaseGuard: too many people would lose access at once. Ends when an
	// administrator lets it through or undoes it.
	CaseGuard CaseKind = "guard"
	// CaseOverflow: the connection has as many open cases as are kept; what would
	// be further ones is only counted. Ends when there is room.
	CaseOverflow CaseKind = "too many cases"
)

// Evidence is what a case was opened on.
type Evidence struct {
	// Users concerned. Of CaseName the first holds the value and the second, if
	// there is one, claims it; of CaseRehire the first is the new user.
	Users []ID `json:"users,omitempty"`
	// Channel, Issuer and Subject are the identity in question, Known the one by
	// which the connection knows the user.
	Channel Channel `json:"channel,omitempty"`
	Issuer  string  `json:"issuer,omitempty"`
	Subject string  `json:"subject,omitempty"`
	Known   string  `json:"known,omitempty"`
	// Attribute is the one at fault.
	Attribute string            `json:"attribute,omitempty"`
	Values    map[string]string `json:"values,omitempty"` // what was compared, by name
	// Keys are those of the values by which the users were found.
	Keys []string `json:"keys,omitempty"`
	// Unverified: the identity provider said that the address is not verified.
	// That is remembered until it says the opposite.
	Unverified bool `json:"unverified,omitempty"`
}

// Resolution is one way to close a case.
type Resolution string

// The resolutions.
const (
	ResolveLink    Resolution = "link"        // link the subject to the user
	ResolveRepoint Resolution = "re-point"    // move the user's link to the subject; the old one is reserved
	ResolveSwap    Resolution = "swap"        // exchange the values
	ResolveRestore Resolution = "restore"     // restore the tombstone
	ResolveNew     Resolution = "new user"    // it is somebody else: release what it has of theirs, so that it can come in anew
	ResolveMerge   Resolution = "merge"       // join two users, with undo
	ResolveAllow   Resolution = "let through" // for one window of the guard
	ResolveReject  Resolution = "reject"      // the answer stays no, without a further case
	ResolveIgnore  Resolution = "ignore"      // close; met again it opens anew
)

// Remedy is how an administrator resolves a case.
type Remedy struct {
	Resolution Resolution
	// User is whom the resolution is about: who is linked or restored, or who
	// survives a merge. It may be NoID where the case leaves no choice.
	User ID
	Note string
}

// circumstances are a case with everybody it names as they are now.
type circumstances struct {
	*Case
	policy *Policy
	users  []*User // of the evidence, nil for one who is gone for good
	linked *User   // whom the subject in question names by now, nil for nobody
}

// permitted lists the resolutions that are possible as things stand.
func (c circumstances) permitted() []Resolution {
	var list []Resolution
	offer := func(may bool, r Resolution) {
		if may {
			list = append(list, r)
		}
	}
	two := len(c.users) > 1
	switch c.Kind {
	case CaseUnlinked:
		offer(c.any(c.linkable), ResolveLink)
		offer(c.Evidence.Subject != "", ResolveNew)
	case CaseSubject:
		offer(c.any(c.repointable), ResolveRepoint)
		offer(c.Evidence.Channel == c.Source.Channel, ResolveNew)
	case CaseAmbiguous:
		offer(c.any(c.linkable), ResolveLink)
		offer(c.mergeable(), ResolveMerge)
	case CaseName:
		offer(two && c.swappable(), ResolveSwap)
		offer(c.mergeable(), ResolveMerge)
	case CaseGrave:
		offer(c.any(restorable), ResolveRestore)
		offer(c.any(restorable), ResolveNew)
	case CaseRehire:
		offer(c.mergeable(), ResolveMerge)
	case CaseMoved:
		offer(c.any(c.repointable), ResolveRepoint)
		offer(c.any(isLive), ResolveNew)
	case CaseGuard:
		return []Resolution{ResolveAllow, ResolveIgnore}
	case CasePin, CaseOverflow:
		return []Resolution{ResolveIgnore}
	}
	return append(list, ResolveReject, ResolveIgnore)
}

// any says whether somebody whom the case names is so.
func (c circumstances) any(is func(*User) bool) bool { return slices.ContainsFunc(c.users, is) }

func isLive(u *User) bool { return u != nil && u.Deleted == nil }

// restorable: a tombstone with data; who was merged comes back by undoing that.
func restorable(u *User) bool {
	return u != nil && u.Deleted != nil && !u.Deleted.Erased && u.Deleted.Into == NoID
}

// linkable: nobody came through that door as this user yet.
func (c circumstances) linkable(u *User) bool {
	return isLive(u) && !u.Linked(c.Source.Connection, c.Evidence.Channel)
}

// repointable: the user has a link that may move. A locked user's never does.
func (c circumstances) repointable(u *User) bool {
	return isLive(u) && !u.Locked()
}

// swappable: two active users who each have a value of their own.
func (c circumstances) swappable() bool {
	for _, u := range c.users[:2] {
		if !isLive(u) || u.Locked() || !u.has(c.Evidence.Attribute) {
			return false
		}
	}
	return true
}

// mergeable: two of those named can become one user.
func (c circumstances) mergeable() bool {
	return len(c.users) > 1 && (mayMerge(c.users[0], c.users[1]) == nil || mayMerge(c.users[1], c.users[0]) == nil)
}

// stands says whether the cause is still there.
func (c circumstances) stands() bool {
	switch c.Kind {
	case CaseUnlinked:
		return c.linked == nil && c.any(func(u *User) bool { return c.linkable(u) && c.answers(u) })
	case CaseSubject:
		return c.linked == nil && c.any(c.knownOtherwise)
	case CaseAmbiguous:
		return c.linked == nil && c.count(c.answers) > 1
	case CaseName:
		return len(c.users) > 0 && c.holds(c.users[0]) && (len(c.users) == 1 || c.claims(c.users[1]))
	case CaseGrave:
		return c.any(c.keeps)
	case CaseRehire:
		return len(c.users) > 1 && isLive(c.users[0]) && c.any(restorable)
	case CaseMoved:
		return c.any(func(u *User) bool { return isLive(u) && u.formerly(c.Source.Connection, c.Evidence.Subject) })
	case CasePin:
		return c.any(c.pinned)
	}
	return true
}

func (c circumstances) count(is func(*User) bool) (n int) {
	for _, u := range c.users {
		if is(u) {
			n++
		}
	}
	return n
}

// answers says whether a live user still has one of the values by which it was
// found; one found by its id always has.
func (c circumstances) answers(u *User) bool {
	if !isLive(u) {
		return false
	}
	return len(c.Evidence.Keys) == 0 || slices.ContainsFunc(c.Evidence.Keys, func(name string) bool {
		v, _ := u.Effective.Get(name)
		return len(v) > 0 && c.same(name, v.Primary().Field("value"))
	})
}

// same compares a value with that of the evidence.
func (c circumstances) same(name, text string) bool {
	return c.policy.fold(name, text) == c.policy.fold(name, c.Evidence.Values[name])
}

// knownOtherwise: the connection knows the live user by another subject.
func (c circumstances) knownOtherwise(u *User) bool {
	if !isLive(u) {
		return false
	}
	if l := u.link(c.Source.Connection, c.Source.Channel); c.Evidence.Channel != c.Source.Channel && (l == nil || l.Subject != c.Evidence.Subject) {
		return false // the push that changed it took that back
	}
	return slices.ContainsFunc(u.Links, func(l Link) bool {
		return l.Connection == c.Source.Connection && l.State != LinkMoved && l.Subject == c.Evidence.Known
	})
}

// holds says whether nobody else may have the value because of the user.
func (c circumstances) holds(u *User) bool {
	name := c.Evidence.Attribute
	if !isLive(u) {
		return false
	}
	v, _ := u.Effective.Get(name)
	said := slices.Clone(v)
	for i := range u.Layers {
		if own, _ := u.Layers[i].Get(name); name == UserName && u.Layers[i].Source.Channel == SCIM {
			said = append(said, own...)
		}
	}
	return slices.ContainsFunc(said, func(e Element) bool { return c.same(name, e.Field("value")) })
}

// claims says whether the live user does not have the value yet.
func (c circumstances) claims(u *User) bool {
	v, _ := u.effective().Get(c.Evidence.Attribute)
	return isLive(u) && !slices.ContainsFunc(v, func(e Element) bool { return c.same(c.Evidence.Attribute, e.Field("value")) })
}

// keeps says whether a tombstone still keeps its names or the subject from others.
func (c circumstances) keeps(u *User) bool {
	return restorable(u) && (!u.Yielded || slices.ContainsFunc(u.Links, func(l Link) bool {
		return l.Connection == c.Source.Connection && l.Subject != "" && l.Subject == c.Evidence.Subject
	}))
}

func (c circumstances) pinned(u *User) bool {
	if !isLive(u) {
		return false
	}
	_, ok := u.Layer(Source{Channel: Pin}).Get(c.Evidence.Attribute)
	return ok
}

// formerly says whether a subject is an earlier name of the user.
func (u *User) formerly(connection, subject string) bool {
	return slices.ContainsFunc(u.Links, func(l Link) bool {
		return l.Connection == connection && l.State == LinkMoved && l.Subject == subject
	})
}

// effective is nil-safe.
func (u *User) effective() Attributes {
	if u == nil {
		return nil
	}
	return u.Effective
}
