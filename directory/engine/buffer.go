package engine

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
)

// buffer is an ordered map of writes: a skip list, because a transaction
// mixes scans and writes freely, may hold tens of thousands of them, and most
// hold a dozen. Nodes never move and never go, so an iteration under way
// survives every write.
type buffer struct {
	head   [maxHeight]*node
	height int
	count  int
	bytes  int
	arena  arena
}

const maxHeight = 16 // with one node in four a level up: good for 4^16 writes

// node is one written key. A nil value is a deletion.
type node struct {
	key, value []byte
	above      []*node // successors on level 1 and up
	successor  *node   // on level 0
}

func (n *node) next() *node { return n.successor }

func (b *buffer) first() *node { return b.head[0] }

// seek finds the first node with key >= from.
func (b *buffer) seek(from []byte) *node {
	var at *node
	for level := b.height - 1; level >= 0; level-- {
		at = b.advance(at, level, from)
	}
	return *b.link(at, 0)
}

// find returns the node of key, or nil.
func (b *buffer) find(key []byte) *node {
	if b.count == 0 {
		return nil
	}
	if n := b.seek(key); n != nil && bytes.Equal(n.key, key) {
		return n
	}
	return nil
}

// put copies key and value in. An overwritten value is left as it is, since
// a reader may hold it.
func (b *buffer) put(key, value []byte, deleted bool) {
	var path [maxHeight]*node
	var at *node
	for level := b.height - 1; level >= 0; level-- {
		at = b.advance(at, level, key)
		path[level] = at
	}
	n := *b.link(at, 0)
	if n == nil || !bytes.Equal(n.key, key) {
		n = b.insert(&path, key)
	}
	b.bytes += len(value) - len(n.value)
	n.value = nil
	if !deleted {
		n.value = b.arena.copy(value)
	}
}

func (b *buffer) insert(path *[maxHeight]*node, key []byte) *node {
	height := randomHeight()
	n := &node{key: b.arena.copy(key)}
	if height > 1 {
		n.above = make([]*node, height-1)
	}
	b.height = max(b.height, height)
	for level := range height {
		before := b.link(path[level], level)
		*b.link(n, level) = *before
		*before = n
	}
	b.count++
	b.bytes += len(key)
	return n
}

// advance walks one level from at (nil is the head) to the last node with a
// smaller key.
func (b *buffer) advance(at *node, level int, key []byte) *node {
	for {
		next := *b.link(at, level)
		if next == nil || bytes.Compare(next.key, key) >= 0 {
			return at
		}
		at = next
	}
}

// link is where the successor of n (nil is the head) on a level is kept.
func (b *buffer) link(n *node, level int) **node {
	switch {
	case n == nil:
		return &b.head[level]
	case level == 0:
		return &n.successor
	default:
		return &n.above[level-1]
	}
}

func randomHeight() int {
	return min(1+bits.TrailingZeros32(rand.Uint32())/2, maxHeight)
}

// arena hands out copies from blocks, each twice as large as the one before
// up to a limit, so that a dozen small writes cost a few allocations.
type arena struct {
	free  []byte
	block int
}

const (
	firstBlock = 2048
	arenaBlock = 4096
)

func (a *arena) copy(b []byte) []byte {
	if len(b) > arenaBlock/4 {
		return bytes.Clone(b)
	}
	if a.free == nil || len(b) > len(a.free) {
		a.block = min(max(2*a.block, firstBlock), arenaBlock)
		a.free = make([]byte, a.block)
	}
	c := a.free[:len(b):len(b)]
	a.free = a.free[len(b):]
	copy(c, b)
	return c
}
