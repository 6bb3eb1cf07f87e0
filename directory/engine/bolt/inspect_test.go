package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/directory/engine"
)

// filled is a closed file with a few hundred pairs in it.
func filled(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "muster.db")
	e, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = e.Update(t.Context(), func(tx engine.WriteTx) error {
		for i := range 500 {
			if err := tx.Set(fmt.Appendf(nil, "key%04d", i), bytes.Repeat([]byte("v"), 100)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
	content, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestUnsoundFilesAreRefusedAndLeftAlone(t *testing.T) {
	path, sound := filled(t)
	cases := map[string]func(b []byte) []byte{
		"text":                  func([]byte) []byte { return []byte("hello, this is no database\n") },
		"one byte":              func(b []byte) []byte { return b[:1] },
		"zeros":                 func(b []byte) []byte { return make([]byte, len(b)) },
		"cut to one page":       func(b []byte) []byte { return b[:os.Getpagesize()] },
		"cut in half":           func(b []byte) []byte { return b[:pagesInUse(t, b)/2] },
		"cut by a byte":         func(b []byte) []byte { return b[:pagesInUse(t, b)-1] },
		"both meta pages wrong": func(b []byte) []byte { b[16+20]++; b[os.Getpagesize()+16+20]++; return b },
		"pages of no kind":      func(b []byte) []byte { return eachPage(b, func(p []byte) { p[8] = 0x40 }) },
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			damaged := damage(bytes.Clone(sound))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, Options{})
			if !errors.Is(err, engine.ErrCorrupt) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open returned %v", err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, damaged) {
				t.Errorf("the file was touched (%v)", err)
			}
		})
	}
}

// pagesInUse is how long the file has to be.
func pagesInUse(t *testing.T, b []byte) int {
	t.Helper()
	m, err := newestMeta(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return int(m.pages) * int(m.pageSize)
}

func TestDamagedPageIsAnErrorNotAPanic(t *testing.T) {
	path, sound := filled(t)
	damages := map[string]func(page []byte){
		"its kind":            func(p []byte) { p[8] = 0x40 },
		"its number":          func(p []byte) { p[3] ^= 0x7f },
		"where its pairs are": pairsAt(0xfff00000),
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			e := openDamaged(t, path, sound, damage)
			isCorrupt(t, e, "Scan", e.View(t.Context(), func(tx engine.ReadTx) error {
				for _, err := range tx.Scan(nil, nil) {
					if err != nil {
						return err
					}
				}
				return nil
			}))
			refusesDamage(t, e)
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUnreadablePageIsAnErrorNotTheEndOfTheProcess reads where the mapping has
// no file behind it, which is what a failing disk feels like.
func TestUnreadablePageIsAnErrorNotTheEndOfTheProcess(t *testing.T) {
	path, sound := filled(t)
	e := openDamaged(t, path, sound, pairsAt(1<<30))
	refusesDamage(t, e)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// pairsAt makes a leaf say that its pairs lie elsewhere.
func pairsAt(offset uint32) func(page []byte) {
	return func(p []byte) {
		for i := range int(binary.NativeEndian.Uint16(p[10:])) {
			binary.NativeEndian.PutUint32(p[16+16*i+4:], offset)
		}
	}
}

// openDamaged opens a file with all leaves damaged.
func openDamaged(t *testing.T, path string, sound []byte, damage func(page []byte)) *Engine {
	t.Helper()
	b := eachPage(bytes.Clone(sound), func(p []byte) {
		if p[8] == leafPage && bytes.Contains(p, []byte("key0")) {
			damage(p)
		}
	})
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func isCorrupt(t *testing.T, e *Engine, what string, err error) {
	t.Helper()
	if !errors.Is(err, engine.ErrCorrupt) || !strings.Contains(err.Error(), e.path) {
		t.Errorf("%s returned %v", what, err)
	}
}

// refusesDamage reads and writes where all leaves are damaged.
func refusesDamage(t *testing.T, e *Engine) {
	t.Helper()
	isCorrupt(t, e, "Get", e.View(t.Context(), func(tx engine.ReadTx) error {
		_, err := tx.Get([]byte("key0123"))
		return err
	}))
	isCorrupt(t, e, "Update", e.Update(t.Context(), func(tx engine.WriteTx) error { return tx.Set([]byte("key0123"), nil) }))
}

// eachPage damages every page behind the meta pages.
func eachPage(b []byte, damage func(page []byte)) []byte {
	size := os.Getpagesize()
	for at := 2 * size; at < len(b); at += size {
		damage(b[at : at+size])
	}
	return b
}

func TestSoundFilesAreOpened(t *testing.T) {
	path, sound := filled(t)
	cases := map[string]func(b []byte) []byte{
		"as it is":               func(b []byte) []byte { return b },
		"empty":                  func([]byte) []byte { return nil },
		"cut behind the last":    func(b []byte) []byte { return b[:pagesInUse(t, b)] },
		"longer":                 func(b []byte) []byte { return append(b, make([]byte, 5000)...) },
		"older meta page broken": func(b []byte) []byte { b[olderMeta(t, b)+metaOffset+20]++; return b },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, change(bytes.Clone(sound)), 0o600); err != nil {
				t.Fatal(err)
			}
			e := openChecked(t, path, Options{})
			if got := get(t, e, "key0123"); (len(got) == 100) == (name == "empty") {
				t.Errorf("key0123 has %d bytes", len(got))
			}
		})
	}
}

// olderMeta is where the meta page lies that does not count.
func olderMeta(t *testing.T, b []byte) int {
	t.Helper()
	first, ok := readMeta(bytes.NewReader(b), 0)
	second, ok2 := readMeta(bytes.NewReader(b), int64(os.Getpagesize()))
	if !ok || !ok2 {
		t.Fatal("a meta page of a sound file is not valid")
	}
	if first.transaction < second.transaction {
		return 0
	}
	return os.Getpagesize()
}

func TestDirectoryIsNoDatabase(t *testing.T) {
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("Open of a directory succeeded")
	}
}

func FuzzInspectNeverPanics(f *testing.F) {
	f.Add([]byte("hello"), uint16(0))
	f.Add(make([]byte, 100), uint16(16))
	path := filepath.Join(f.TempDir(), "muster.db")
	e, err := Open(path, Options{})
	if err != nil {
		f.Fatal(err)
	}
	if err := e.Close(); err != nil {
		f.Fatal(err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, patch []byte, at uint16) {
		b := bytes.Clone(sound)
		copy(b[min(int(at), len(b)):], patch)
		if m, err := newestMeta(bytes.NewReader(b)); err == nil && !m.sane() {
			t.Errorf("accepted %+v", m)
		}
	})
}
