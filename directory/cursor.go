package directory

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// A cursor is a position, sealed: it holds personal values, and nobody outside
// may make one up. It opens only for the query that it came from.

// maxCursor bounds what is opened: a position with the longest order text.
const maxCursor = 2 * maxOrderText

// seal makes the cursor that goes on behind a position.
func (s *search) seal(p position) (string, error) {
	e := newEncoder(64 + len(p.text))
	e.time(canonicalTime(s.d.now()))
	e.int(int(p.kind))
	e.id(p.id)
	e.text(p.text)
	sealed, err := seal(nil, s.d.sealKey(forCursors), s.binding(), e.b)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// open reads the query's cursor, nil for the first page.
func (s *search) open() (*position, error) {
	text := s.q.Cursor
	if text == "" {
		return nil, nil
	}
	if len(text) > maxCursor {
		return nil, ErrCursor
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrCursor
	}
	plain, err := unseal(s.d.sealKey(forCursors), s.binding(), sealed)
	if err != nil {
		return nil, ErrCursor
	}
	d := newDecoder(plain)
	made := d.time()
	p := &position{kind: Resource(d.uint()), id: d.id(), text: d.text()}
	if d.done() != nil {
		return nil, ErrCursor
	}
	if s.d.now().Sub(made) > s.cursorLife() {
		return nil, ErrCursorExpired
	}
	return p, nil
}

func (s *search) cursorLife() time.Duration {
	if s.q.CursorLife > 0 {
		return s.q.CursorLife
	}
	return DefaultCursorLife
}

// binding names the query: who asks, for what, in which order. How many come on
// one page, and what is shown of them, may change on the way.
func (s *search) binding() ID {
	h := sha256.New()
	part := func(text string) {
		h.Write(binary.AppendUvarint(nil, uint64(len(text))))
		h.Write([]byte(text))
	}
	part(s.v.Org)
	part(s.v.Connection)
	part(s.q.Filter)
	part(s.q.SortBy)
	h.Write([]byte{byte(s.q.Order), byte(len(s.kinds))})
	for _, k := range s.kinds {
		h.Write([]byte{byte(k.resource())})
	}
	return ID(h.Sum(nil)[:16])
}
