package directory

import (
	"time"
	"unsafe"
)

// encodeUser and decodeUser are the stored form of a user. Stamps repeat in
// most entries, so each layer keeps a table of them.
func encodeUser(u *User) []byte {
	e := newEncoder(1024)
	e.id(u.ID)
	e.text(u.Home)
	e.time(u.Created)
	e.time(u.Modified)
	e.uint(u.Generation)
	e.bool(u.Deleted != nil)
	if u.Deleted != nil {
		e.time(u.Deleted.At)
		e.source(u.Deleted.Source)
		e.bool(u.Deleted.Erased)
		e.ids(u.Deleted.Groups)
		e.id(u.Deleted.Into)
		e.texts(u.Deleted.Answers)
	}
	e.bool(u.Yielded)
	e.texts(u.Held)
	e.int(u.Denied)
	e.texts(u.Seats)
	e.texts(u.Queued)
	e.b = append(e.b, u.key[:]...)
	e.int(len(u.Layers))
	for i := range u.Layers {
		e.layer(&u.Layers[i])
	}
	e.int(len(u.Links))
	for i := range u.Links {
		e.link(&u.Links[i])
	}
	e.attributes(u.Effective)
	return e.b
}

func decodeUser(org string, record []byte) (*User, error) {
	d := newDecoder(record)
	u := &User{Org: org, stored: d.s}
	u.ID = d.id()
	u.Home = d.text()
	u.Created = d.time()
	u.Modified = d.time()
	u.Generation = d.uint()
	if d.bool() {
		u.Deleted = &Tombstone{At: d.time(), Source: d.source(), Erased: d.bool(), Groups: d.ids(), Into: d.id(), Answers: d.texts()}
	}
	u.Yielded = d.bool()
	u.Held = d.texts()
	u.Denied = int(d.uint())
	u.Seats = d.texts()
	u.Queued = d.texts()
	u.key = [16]byte(d.id())
	u.Layers = make([]Layer, d.count())
	for i := range u.Layers {
		d.layer(&u.Layers[i])
	}
	u.Links = make([]Link, d.count())
	for i := range u.Links {
		d.link(&u.Links[i])
	}
	u.Effective = d.attributes()
	return u, d.done()
}

// isTombstone looks at the head of a user's record alone.
func isTombstone(record []byte) bool {
	d := &decoder{s: unsafe.String(unsafe.SliceData(record), len(record)), at: 1}
	d.id()
	d.text()
	for range 3 {
		d.uint()
	}
	return d.bool()
}

func (e *encoder) source(s Source) {
	e.text(s.Connection)
	e.text(string(s.Channel))
}

func (d *decoder) source() Source { return Source{d.text(), Channel(d.text())} }

func (e *encoder) texts(list []string) {
	e.int(len(list))
	for _, s := range list {
		e.text(s)
	}
}

func (d *decoder) texts() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.text()
	}
	return list
}

func (e *encoder) ids(list []ID) {
	e.int(len(list))
	for _, id := range list {
		e.id(id)
	}
}

func (d *decoder) ids() []ID {
	list := make([]ID, d.count())
	for i := range list {
		list[i] = d.id()
	}
	return list
}

func (e *encoder) stamp(s Stamp) {
	e.time(s.At)
	e.text(s.Actor)
	e.text(s.Request)
}

func (d *decoder) stamp() Stamp { return Stamp{d.time(), d.text(), d.text()} }

func (e *encoder) layer(l *Layer) {
	e.source(l.Source)
	e.stamp(l.Locked)
	e.stamp(l.Lifted)
	e.time(l.AssertedAt)
	e.time(l.Created)
	e.time(l.Modified)
	stamps := make([]Stamp, 0, 4)
	places := make([]int, len(l.Entries))
	for i := range l.Entries {
		places[i] = place(&stamps, l.Entries[i].Stamp)
	}
	e.int(len(stamps))
	for _, s := range stamps {
		e.stamp(s)
	}
	e.int(len(l.Entries))
	for i := range l.Entries {
		x := &l.Entries[i]
		e.text(x.Name)
		e.value(x.Value)
		e.int(places[i])
		e.text(x.Reason)
		e.time(x.Until)
	}
}

// place finds a stamp in the table, adding it when it is new.
func place(table *[]Stamp, s Stamp) int {
	for i, t := range *table {
		if t == s {
			return i
		}
	}
	*table = append(*table, s)
	return len(*table) - 1
}

func (d *decoder) layer(l *Layer) {
	l.Source = d.source()
	l.Locked = d.stamp()
	l.Lifted = d.stamp()
	l.AssertedAt = d.time()
	l.Created = d.time()
	l.Modified = d.time()
	stamps := make([]Stamp, d.count())
	for i := range stamps {
		stamps[i] = d.stamp()
	}
	l.Entries = make([]Entry, d.count())
	for i := range l.Entries {
		x := &l.Entries[i]
		x.Name = d.text()
		x.Value = d.value()
		if p := d.uint(); p < uint64(len(stamps)) {
			x.Stamp = stamps[p]
		} else {
			d.fail("bad stamp")
		}
		x.Reason = d.text()
		x.Until = d.time()
	}
}

func (e *encoder) link(l *Link) {
	e.text(l.Connection)
	e.text(string(l.Channel))
	e.text(l.Issuer)
	e.text(l.Subject)
	e.uint(uint64(l.State))
	e.bool(l.Ahead)
	e.time(l.At)
}

func (d *decoder) link(l *Link) {
	l.Connection = d.text()
	l.Channel = Channel(d.text())
	l.Issuer = d.text()
	l.Subject = d.text()
	l.State = LinkState(d.uint())
	l.Ahead = d.bool()
	l.At = d.time()
}

func encodeGroup(g *Group) []byte {
	e := newEncoder(256)
	e.id(g.ID)
	e.source(g.Source)
	e.text(g.ExternalID)
	e.text(g.DisplayName)
	e.text(g.Known)
	e.time(g.Created)
	e.time(g.Modified)
	return e.b
}

func decodeGroup(org string, record []byte) (*Group, error) {
	d := newDecoder(record)
	g := &Group{Org: org, ID: d.id(), Source: d.source(), ExternalID: d.text(), DisplayName: d.text(), Known: d.text(),
		Created: d.time(), Modified: d.time()}
	return g, d.done()
}

func encodeSession(s *Session) []byte {
	e := newEncoder(256)
	e.text(s.Org)
	e.id(s.User)
	for _, t := range []string{s.Connection, s.Issuer, s.Subject, s.SessionIndex, s.Agent, s.Address} {
		e.text(t)
	}
	e.time(s.Created)
	e.time(s.Expires)
	e.time(s.Used)
	return e.b
}

func decodeSession(record []byte) (Session, error) {
	d := newDecoder(record)
	s := Session{Org: d.text(), User: d.id(), Connection: d.text(), Issuer: d.text(), Subject: d.text(),
		SessionIndex: d.text(), Agent: d.text(), Address: d.text(), Created: d.time(), Expires: d.time(), Used: d.time()}
	return s, d.done()
}

// canonicalTime is the precision that records keep.
func canonicalTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// canonicalUntil is canonicalTime of a moment that may be none.
func canonicalUntil(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return canonicalTime(t)
}
