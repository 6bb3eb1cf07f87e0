package directory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/bolt"
	"muster/directory/engine/memory"
)

// populated is a store with some people in it.
func populated(t *testing.T, people int) (engine.Engine, *directory.Directory) {
	t.Helper()
	e := newStore(t)
	t.Cleanup(func() { e.Close() })
	return e, populate(t, e, people)
}

func populate(t *testing.T, e engine.Engine, people int) *directory.Directory {
	t.Helper()
	d, err := directory.Open(t.Context(), e, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	setup := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create}}}}
	if _, err := d.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup}); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		join(t, d, fmt.Sprintf("person%04d", i))
	}
	return d
}

func join(t *testing.T, d *directory.Directory, name string) {
	t.Helper()
	_, err := d.Apply(context.Background(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate,
		Attributes: attributes("userName", name)})
	if err != nil {
		t.Error(err)
	}
}

// sound opens a directory that was brought here and checks it.
func sound(t *testing.T, e engine.Engine, least int) {
	t.Helper()
	d, err := directory.Open(t.Context(), e, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if problems, err := d.Check(t.Context()); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	page, err := d.Users(t.Context(), directory.Viewer{Org: "acme"}, directory.Query{Limit: 1})
	if err != nil || page.Total < least {
		t.Errorf("%d people, want %d at least, %v", page.Total, least, err)
	}
}

func newBolt(t *testing.T) engine.Engine {
	t.Helper()
	e, err := bolt.Open(filepath.Join(t.TempDir(), "muster.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestACopyIsTheSameOnEveryEngineAndBackAgain(t *testing.T) {
	from, _ := populated(t, 40)
	narrow := memory.New(memory.Options{Limits: engine.Limits{Operations: 20, Bytes: 1 << 20, ValueBytes: 1 << 20, KeyBytes: 4096}})
	for _, to := range []engine.Engine{newBolt(t), narrow, newStore(t)} {
		var told int
		x, err := directory.Copy(t.Context(), from, to, func(directory.Extent) { told++ })
		if err != nil || digest(t, from) != digest(t, to) || x.Keys == 0 || told == 0 {
			t.Fatalf("%s, told %d times, %v", x, told, err)
		}
		sound(t, to, 40)
		from = to // and on from there
	}
}

// Events that wait for their numbers in one engine get them in another, before
// those that come after.
func TestEventsThatWaitForTheirNumbersMoveToo(t *testing.T) {
	from := memory.New(memory.Options{})
	defer from.Close()
	populate(t, from, 10) // nobody has read the events
	to := newBolt(t)
	if _, err := directory.Copy(t.Context(), from, to, nil); err != nil {
		t.Fatal(err)
	}
	d, err := directory.Open(t.Context(), to, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	join(t, d, "late")
	events, err := d.Events(t.Context(), "acme", 0, 100)
	if err != nil || len(events) < 11 || events[len(events)-1].Type != directory.UserCreated {
		t.Fatalf("%d events, %v", len(events), err)
	}
	last, err := d.LastEvent(t.Context(), "acme")
	if err != nil || last != events[len(events)-1].Seq || last != uint64(len(events)) {
		t.Errorf("%d events, the last is %d, %v", len(events), last, err)
	}
	page, err := d.Users(t.Context(), directory.Viewer{Org: "acme"}, directory.Query{Filter: `userName eq "late"`, Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != events[len(events)-1].User {
		t.Errorf("the last event is not the last change: %v", err)
	}
	sound(t, to, 11)
}

func TestACopyIntoSomethingIsRefused(t *testing.T) {
	from, _ := populated(t, 1)
	to, _ := populated(t, 2)
	before := digest(t, to)
	if _, err := directory.Copy(t.Context(), from, to, nil); !errors.Is(err, directory.ErrNotEmpty) || digest(t, to) != before {
		t.Errorf("%v, changed: %v", err, digest(t, to) != before)
	}
	foreign := newStore(t)
	if err := foreign.Update(t.Context(), func(tx engine.WriteTx) error { return tx.Set([]byte("x"), nil) }); err != nil {
		t.Fatal(err)
	}
	if _, err := directory.Copy(t.Context(), from, foreign, nil); !errors.Is(err, directory.ErrNotEmpty) {
		t.Error(err)
	}
	if _, err := directory.Copy(t.Context(), foreign, newStore(t), nil); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Error(err)
	}
}

// Whoever opens the half of a store would make a new key for its tokens and
// work on what is there.
func TestAnUnfinishedCopyIsNotOpenedAndCanBeRepeated(t *testing.T) {
	from, _ := populated(t, 300)
	to := memory.New(memory.Options{Limits: engine.Limits{Operations: 100}})
	defer to.Close()
	for _, pieces := range []int{1, 5} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := directory.Copy(ctx, from, to, func(directory.Extent) {
			if pieces--; pieces == 0 {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		if _, err := directory.Open(t.Context(), to, directory.Options{}); err == nil || !strings.Contains(err.Error(), "unfinished copy or restore") {
			t.Fatalf("the half of a store was opened: %v", err)
		}
	}
	if _, err := directory.Copy(t.Context(), from, to, nil); err != nil || digest(t, from) != digest(t, to) {
		t.Fatal(err)
	}
	sound(t, to, 300)
}

// changing changes a byte on its way.
type changing struct{ engine.Engine }

func (c changing) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	return c.Engine.Update(ctx, func(tx engine.WriteTx) error { return fn(changingTx{tx}) })
}

type changingTx struct{ engine.WriteTx }

func (c changingTx) Set(key, value []byte) error {
	if bytes.Contains(value, []byte("person0003")) {
		value = bytes.Replace(value, []byte("person0003"), []byte("person9993"), 1)
	}
	return c.WriteTx.Set(key, value)
}

func TestWhatArrivesOtherwiseThanItWasSentIsNoStore(t *testing.T) {
	from, _ := populated(t, 5)
	to := newStore(t)
	defer to.Close()
	if _, err := directory.Copy(t.Context(), from, changing{to}, nil); err == nil || !strings.Contains(err.Error(), "what arrived is not what was sent") {
		t.Fatal(err)
	}
	if _, err := directory.Open(t.Context(), to, directory.Options{}); err == nil {
		t.Error("it was opened")
	}
}

func TestABackupIsTakenWhilePeopleAreAdded(t *testing.T) {
	e := newBolt(t)
	d := populate(t, e, 100)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				join(t, d, fmt.Sprint("late", i))
			}
		}
	}()
	for range 5 {
		var b bytes.Buffer
		x, err := d.Backup(t.Context(), &b)
		if err != nil {
			t.Fatal(err)
		}
		to := memory.New(memory.Options{})
		y, err := directory.Restore(t.Context(), to, &b, nil)
		if err != nil || x != y {
			t.Fatalf("%s, %s, %v", x, y, err)
		}
		sound(t, to, 100)
	}
	close(stop)
	<-stopped
}

func TestADamagedBackupIsRefusedAndOpensNowhere(t *testing.T) {
	e, d := populated(t, 3)
	var b bytes.Buffer
	if _, err := d.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	refused := func(what string, damaged []byte) {
		t.Helper()
		to := memory.New(memory.Options{})
		if _, err := directory.Restore(t.Context(), to, bytes.NewReader(damaged), nil); err == nil {
			t.Errorf("%s: restored", what)
		}
	}
	for at := range whole {
		if at > 200 && at < len(whole)-50 && at%37 != 0 {
			continue
		}
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		refused(fmt.Sprint("a bit at ", at), damaged)
		refused(fmt.Sprint("cut at ", at), whole[:at])
	}
	refused("more", append(bytes.Clone(whole), 'x'))
	refused("nothing", nil)
	to := newStore(t)
	defer to.Close()
	if _, err := directory.Restore(t.Context(), to, bytes.NewReader(whole[:len(whole)-1]), nil); !errors.Is(err, directory.ErrBackup) {
		t.Error(err)
	}
	if _, err := directory.Restore(t.Context(), to, bytes.NewReader(whole), nil); err != nil || digest(t, to) != digest(t, e) {
		t.Errorf("the whole one, after a part of it: %v", err)
	}
	if _, err := directory.Restore(t.Context(), to, bytes.NewReader(whole), nil); !errors.Is(err, directory.ErrNotEmpty) {
		t.Errorf("over something: %v", err)
	}
}
