package directory

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"time"
)

// ID names one user, group, case or event for ever: a UUIDv7 (RFC 9562 §5.7).
// It is opaque to everybody outside, never changes and is never reused.
type ID [16]byte

// NoID is the zero ID; it names nothing.
var NoID ID

// String is the canonical form of RFC 9562 §4: 36 lower-case characters.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseID reads the canonical form, in either case. Anything else names nothing.
func ParseID(s string) (ID, bool) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return NoID, false
	}
	at := 0
	for _, part := range [...]string{s[0:8], s[9:13], s[14:18], s[19:23], s[24:36]} {
		n, err := hex.Decode(id[at:], []byte(part))
		if err != nil {
			return NoID, false
		}
		at += n
	}
	return id, id != NoID
}

// idRange are the lowest and the highest id whose text begins with start.
func idRange(start string) (low, high ID, ok bool) {
	const lowest, highest = "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"
	if len(start) > len(lowest) {
		return low, high, false
	}
	read := func(text string) (id ID, ok bool) {
		raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
		if err != nil || len(raw) != len(id) {
			return id, false
		}
		return ID(raw), strings.EqualFold(ID(raw).String(), text)
	}
	low, okLow := read(start + lowest[len(start):])
	high, okHigh := read(start + highest[len(start):])
	return low, high, okLow && okHigh
}

// MarshalText and UnmarshalText make an ID its canonical form in JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, ok := ParseID(string(text))
	if !ok && len(text) > 0 {
		return invalid("id", "%q is not an id", text)
	}
	*id = parsed
	return nil
}

// idSource makes ids that sort by the moment they were made, so that new
// records land at the end of their range.
type idSource struct {
	mu     sync.Mutex
	random io.Reader
	last   uint64 // milliseconds << 12 | counter
}

// next returns an id that is greater than every earlier one of this source.
func (s *idSource) next(now time.Time) (ID, error) {
	var id ID
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.random, id[8:]); err != nil {
		return NoID, err
	}
	stamp := uint64(now.UnixMilli()) << 12
	if stamp <= s.last {
		stamp = s.last + 1
	}
	s.last = stamp
	binary.BigEndian.PutUint64(id[:8], stamp>>12<<16|0x7000|stamp&0xfff)
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}
