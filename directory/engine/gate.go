package engine

import "sync"

// Gate counts who is inside an engine, so that Close can wait for them. The
// zero Gate is open.
type Gate struct {
	mu     sync.Mutex
	inside int
	empty  chan struct{} // made by Close, closed when nobody is left
}

// Enter lets a call in, or returns ErrClosed. It never waits, so a View
// inside a View cannot hang while somebody closes the engine. Every Enter
// that returned nil is followed by one Leave.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty != nil {
		return ErrClosed
	}
	g.inside++
	return nil
}

// Leave ends what Enter began.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.empty != nil && g.inside == 0 {
		close(g.empty)
	}
}

// Close refuses whoever comes from now on and waits until nobody is inside.
// Every call but the first returns ErrClosed at once.
func (g *Gate) Close() error {
	g.mu.Lock()
	if g.empty != nil {
		g.mu.Unlock()
		return ErrClosed
	}
	g.empty = make(chan struct{})
	if g.inside == 0 {
		close(g.empty)
	}
	g.mu.Unlock()
	<-g.empty
	return nil
}
