package memory

import (
	"bytes"
	"hash/maphash"
)

// tree is an immutable treap: with and without return a new root that shares
// all but one path with the old one. Priorities are keyed hashes of the keys,
// so the shape depends on the set of keys alone and nobody can choose keys
// that make it deep.
type tree struct {
	left, right *tree
	key, value  []byte
	commit      uint64 // the number of the commit that wrote the pair
	priority    uint64
}

func leaf(seed maphash.Seed, key, value []byte, commit uint64) *tree {
	return &tree{key: key, value: value, commit: commit, priority: maphash.Bytes(seed, key)}
}

func (t *tree) find(key []byte) *tree {
	for t != nil {
		switch c := bytes.Compare(key, t.key); {
		case c == 0:
			return t
		case c < 0:
			t = t.left
		default:
			t = t.right
		}
	}
	return nil
}

// with returns the tree with pair in it, instead of what has its key.
func (t *tree) with(pair *tree) *tree {
	if t == nil {
		return pair
	}
	c := bytes.Compare(pair.key, t.key)
	switch {
	case c == 0:
		pair.left, pair.right = t.left, t.right
		return pair
	case pair.priority > t.priority:
		pair.left, pair.right = t.split(pair.key)
		return pair
	case c < 0:
		return t.fork(t.left.with(pair), t.right)
	default:
		return t.fork(t.left, t.right.with(pair))
	}
}

// without returns the tree without key.
func (t *tree) without(key []byte) *tree {
	if t == nil {
		return nil
	}
	switch c := bytes.Compare(key, t.key); {
	case c == 0:
		return join(t.left, t.right)
	case c < 0:
		return t.fork(t.left.without(key), t.right)
	default:
		return t.fork(t.left, t.right.without(key))
	}
}

// split parts the tree into the keys below and above key, which is not in it.
func (t *tree) split(key []byte) (below, above *tree) {
	if t == nil {
		return nil, nil
	}
	if bytes.Compare(key, t.key) < 0 {
		below, above = t.left.split(key)
		return below, t.fork(above, t.right)
	}
	below, above = t.right.split(key)
	return t.fork(t.left, below), above
}

// join is one tree of two, where every key of a is below every key of b.
func join(a, b *tree) *tree {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		return a.fork(a.left, join(a.right, b))
	default:
		return b.fork(join(a, b.left), b.right)
	}
}

// fork is the same pair above other subtrees.
func (t *tree) fork(left, right *tree) *tree {
	n := *t
	n.left, n.right = left, right
	return &n
}

// walk is an ordered iteration over a tree.
type walk struct{ above []*tree }

// from starts a walk at the first key >= key.
func (t *tree) from(key []byte) walk {
	w := walk{above: make([]*tree, 0, 32)}
	for t != nil {
		if bytes.Compare(t.key, key) < 0 {
			t = t.right
			continue
		}
		w.above = append(w.above, t)
		t = t.left
	}
	return w
}

// next returns the next pair, nil at the end or when its key is not below to.
func (w *walk) next(to []byte) *tree {
	if len(w.above) == 0 {
		return nil
	}
	t := w.above[len(w.above)-1]
	if to != nil && bytes.Compare(t.key, to) >= 0 {
		return nil
	}
	w.above = w.above[:len(w.above)-1]
	for n := t.right; n != nil; n = n.left {
		w.above = append(w.above, n)
	}
	return t
}
