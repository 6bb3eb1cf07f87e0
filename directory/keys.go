package directory

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"
)

// The key space. Every key starts with a letter that names its table; tables of
// an organisation go on with its id and a zero byte (ids of organisations and
// connections hold no zero byte). Free text inside a key is escaped, so that
// order and prefixes are kept.
//
//	f                          format version and the keyed-hash key
//	O org                      Org and its counters of change (JSON)
//	C conn                     Connection (JSON); P org conn -> nothing
//	E time id                  Letter (JSON), by when it is due
//	K conn use                 the connection's own keys (JSON)
//	D domain                   the connection that owns the domain
//	u org id                   User
//	g org id                   Group
//	m org group member         membership; b org member group the way back
//	l org conn channel issuer subject -> user
//	i org index value [id]     see index.go
//	e org seq                  Event; h org user|group ~seq -> nothing, the newest first
//	q org                      the last event number
//	p org time id              Event without a number; its place among those of its user
//	n org counter shard        a total
//	w org conn window [user]   what the guard counted
//	W org conn what [id]       what else a guard keeps, see guardstate.go
//	s hash                     Session; S org user hash -> nothing
//	a conn name hash           the session by what the identity provider calls it -> nothing
//	t hash                     Token; T org conn name -> hash
//	o kind key                 one-time value; x time kind key its expiry
//	c org ~id                  Case, the newest first; d org digest -> the open or rejected one
//	Q org ~id                  open Case -> nothing
//	y org user|subject case    cases that name somebody; z org time case when a closed one goes
//	M org user other           what undoes a merge
//	j org id                   a job under way
//	k org id                   a Task (JSON); L org id number -> a row of its table
//	X work                     which process does it (JSON)
//	r org conn channel hash    a subject of an erased user
//	A org conn what            what a connection has beside its configuration
//	v id                       Administrator; V e-mail -> id
//	B hash                     AdminSession; Y person session -> B hash
//	Z id                       Delegation
const (
	tableFormat     = 'f'
	tableOrg        = 'O'
	tableConnection = 'C'
	tableOrgConn    = 'P'
	tableOwnKey     = 'K'
	tableLetter     = 'E'
	tableDomain     = 'D'
	tableUser       = 'u'
	tableGroup      = 'g'
	tableMember     = 'm'
	tableBelongs    = 'b'
	tableLink       = 'l'
	tableIndex      = 'i'
	tableEvent      = 'e'
	tableHistory    = 'h'
	tableSequence   = 'q'
	tableWaiting    = 'p'
	tableCount      = 'n'
	tableGuard      = 'w'
	tableGuardKept  = 'W'
	tableSession    = 's'
	tableUserSess   = 'S'
	tableNamedSess  = 'a'
	tableToken      = 't'
	tableTokenName  = 'T'
	tableOnce       = 'o'
	tableExpiry     = 'x'
	tableCase       = 'c'
	tableCaseOpen   = 'Q'
	tableCaseKey    = 'd'
	tableCaseAbout  = 'y'
	tableCaseEnd    = 'z'
	tableMerge      = 'M'
	tableJob        = 'j'
	tableTask       = 'k'
	tableTaskRow    = 'L'
	tableErased     = 'r'
	tableLease      = 'X'
	tableBeside     = 'A'

	tableAdmin         = 'v'
	tableAdminEmail    = 'V'
	tableAdminSession  = 'B'
	tableAdminSessions = 'Y'
	tableDelegation    = 'Z'
)

// key builds a key of an organisation's table.
type key []byte

func orgKey(table byte, org string) key {
	k := make(key, 0, 96)
	return append(append(append(k, table), org...), 0)
}

// id appends an id as it is: fixed length needs no end mark.
func (k key) id(id ID) key { return append(k, id[:]...) }

// word appends text that cannot hold a zero byte, and its end mark.
func (k key) word(s string) key { return append(append(k, s...), 0) }

// text appends any text, escaped, and its end mark: 00 becomes 00 FF, and 00 01
// ends it, so shorter texts sort before longer ones with the same beginning.
func (k key) text(s string) key { return append(k.prefix(s), 0, 1) }

// prefix appends escaped text without an end mark, for a scan of all that
// begins with it.
func (k key) prefix(s string) key {
	for i := 0; i < len(s); i++ {
		k = append(k, s[i])
		if s[i] == 0 {
			k = append(k, 0xff)
		}
	}
	return k
}

// untext reads what text appended, and returns what follows.
func untext(k []byte) (string, []byte) {
	end := bytes.IndexByte(k, 0)
	if end >= 0 && end+1 < len(k) && k[end+1] == 1 {
		return string(k[:end]), k[end+2:]
	}
	var out []byte
	for i := 0; i < len(k); i++ {
		out = append(out, k[i])
		if k[i] != 0 {
			continue
		}
		if i++; i < len(k) && k[i] == 1 {
			return string(out[:len(out)-1]), k[i+1:]
		}
	}
	return string(out), nil
}

func (k key) number(n uint64) key { return binary.BigEndian.AppendUint64(k, n) }

func (k key) time(t time.Time) key { return k.number(uint64(t.UnixMicro())) }

// end is the first key after all that begin with k.
func (k key) end() key {
	e := key(bytes.Clone(k))
	for i := len(e) - 1; i >= 0; i-- {
		if e[i] != 0xff {
			e[i]++
			return e[:i+1]
		}
	}
	return nil
}

// tailID is the id that ends a key.
func tailID(k []byte) ID { return ID(k[len(k)-16:]) }

func userKey(org string, id ID) key  { return orgKey(tableUser, org).id(id) }
func groupKey(org string, id ID) key { return orgKey(tableGroup, org).id(id) }

func memberKey(org string, group, member ID) key {
	return orgKey(tableMember, org).id(group).id(member)
}

func belongsKey(org string, member, group ID) key {
	return orgKey(tableBelongs, org).id(member).id(group)
}

func linkKey(org string, l *Link) key {
	return orgKey(tableLink, org).word(l.Connection).word(string(l.Channel)).text(l.Issuer).text(l.Subject)
}

// historyKey puts the newest event about a user or group first.
func historyKey(org string, about ID, seq uint64) key {
	return orgKey(tableHistory, org).id(about).number(^seq)
}

// plainKey is a key of a table that belongs to no organisation.
func plainKey(table byte, parts ...string) key {
	k := key{table}
	for _, p := range parts {
		k = k.text(p)
	}
	return k
}

// clone lets a key be extended in two ways.
func (k key) clone() key { return slices.Clone(k) }
