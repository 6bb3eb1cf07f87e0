package engine_test

import (
	"testing"
	"time"

	"muster/directory/engine"
)

func TestGateWaitsForWhoIsInside(t *testing.T) {
	var g engine.Gate
	if err := g.Enter(); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- g.Close() }()
	for g.Enter() == nil {
		g.Leave()
	}
	select {
	case <-closed:
		t.Error("Close did not wait")
	case <-time.After(5 * time.Millisecond):
	}
	if err := g.Close(); err != engine.ErrClosed {
		t.Errorf("the second Close returned %v", err)
	}
	g.Leave()
	if err := <-closed; err != nil {
		t.Errorf("Close returned %v", err)
	}
}

func TestEmptyGateClosesAtOnce(t *testing.T) {
	var g engine.Gate
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := g.Enter(); err != engine.ErrClosed {
		t.Errorf("Enter returned %v", err)
	}
}
