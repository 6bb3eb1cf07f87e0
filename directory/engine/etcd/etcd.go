package etcd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"muster/directory/engine"
)

// Options of Open.
type Options struct {
	// Endpoints are host:port of the members, one at least.
	Endpoints []string
	// Prefix is what all keys begin with, such as "/muster/". Required.
	Prefix string
	// Username and Password sign in where the cluster asks for it.
	Username, Password string
	// TLS encrypts the connection and may hold a client certificate. Without it
	// the connection is neither encrypted nor authenticated.
	TLS *tls.Config
	// Existing refuses a prefix that holds no store, instead of making one.
	Existing bool
	// Patience is how long a call goes on asking a cluster that does not answer.
	// Ten seconds when zero.
	Patience time.Duration
	// Now is the clock, time.Now when nil. Only the removal of receipts that
	// dead processes left a day ago depends on it.
	Now func() time.Time
}

const (
	defaultPatience = 10 * time.Second
	maxPrefix       = 128
	// keepAlive is the shortest interval of pings that members permit.
	keepAlive        = 5 * time.Second
	keepAliveTimeout = 2 * time.Second
)

// What a member accepts in one request by default, and what of it the engine's
// own keys, the note of deletions and the frame around everything take at most.
const (
	requestOperations = 128
	requestBytes      = 3 << 19
	ownOperations     = 2 // receipt and note of deletions; receipt and horizon
	ownBytes          = 384 << 10
	keyBytes          = 2 << 10
	valueBytes        = 1 << 20
	batch             = requestOperations - ownOperations
	largeBytes        = 32 << 20 // held in memory by every process while it is applied
)

// Engine is one process's door to one prefix of a cluster.
type Engine struct {
	client   *clientv3.Client
	prefix   string
	process  string // names this process among all
	patience time.Duration
	now      func() time.Time

	gate     engine.Gate
	watchers engine.Watchers
	observer observer
	streams  atomic.Int64 // watch streams opened so far

	receipts chan *receipt // who holds one may commit
	named    atomic.Int64  // receipts so far
	mine     sync.Map      // keys of the receipts in use
	losers   chan struct{} // held by the one loser that may retry
	deleted  atomic.Int64  // keys, since the last collection
	applied  atomic.Pointer[committedWrites]

	stop   context.CancelFunc // ends what runs in the background
	alive  context.Context
	ending chan struct{} // closed when the collector has ended
}

// Open connects to the cluster and reads once, so that a wrong address,
// certificate or password is told now.
func Open(o Options) (*Engine, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	e := &Engine{prefix: o.Prefix, process: processName(), patience: o.Patience, now: o.Now,
		receipts: make(chan *receipt, slots), losers: make(chan struct{}, 1), ending: make(chan struct{})}
	if e.patience == 0 {
		e.patience = defaultPatience
	}
	if e.now == nil {
		e.now = time.Now
	}
	e.alive, e.stop = context.WithCancel(context.Background())
	for range slots {
		e.receipts <- e.newReceipt()
	}
	if err := e.connect(o); err != nil {
		e.stop()
		return nil, fmt.Errorf("etcd at %s: %w", strings.Join(o.Endpoints, ","), err)
	}
	go e.collectAll()
	return e, nil
}

func (o *Options) check() error {
	switch {
	case len(o.Endpoints) == 0:
		return errors.New("etcd: no endpoint was given")
	case o.Prefix == "":
		return errors.New("etcd: no prefix was given")
	case len(o.Prefix) > maxPrefix:
		return fmt.Errorf("etcd: the prefix is longer than %d bytes", maxPrefix)
	case o.Username == "" && o.Password != "":
		return errors.New("etcd: a password without a user name was given")
	}
	return nil
}

func processName() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (e *Engine) connect(o Options) (err error) {
	e.client, err = clientv3.New(clientv3.Config{
		Endpoints: withScheme(o.Endpoints, o.TLS), TLS: o.TLS, Username: o.Username, Password: o.Password,
		DialTimeout: e.patience, DialKeepAliveTime: keepAlive, DialKeepAliveTimeout: keepAliveTimeout,
		MaxCallRecvMsgSize: math.MaxInt32, Context: e.alive, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithChainStreamInterceptor(e.countStreams)},
	})
	if err != nil {
		return plain(err)
	}
	err = e.prepare(e.alive, o.Existing)
	if err == nil {
		return nil
	}
	_ = e.client.Close()
	if errors.Is(err, engine.ErrUnavailable) {
		return o.diagnose(e.alive, err)
	}
	return err
}

// withScheme tells the client library whether to encrypt.
func withScheme(endpoints []string, config *tls.Config) []string {
	scheme := "http://"
	if config != nil {
		scheme = "https://"
	}
	all := make([]string, len(endpoints))
	for i, endpoint := range endpoints {
		all[i] = scheme + endpoint
	}
	return all
}

// Limits of one transaction.
func (e *Engine) Limits() engine.Limits {
	return engine.Limits{Bytes: largeBytes, KeyBytes: keyBytes, ValueBytes: valueBytes, Batch: batch}
}

// Close waits for running transactions, takes the receipts away and
// disconnects.
func (e *Engine) Close() error {
	if err := e.gate.Close(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(e.alive, readAttempt)
	defer cancel()
	// Receipts that cannot be taken away now are collected by others later.
	_, _ = e.client.Delete(ctx, e.prefix+"r"+e.process, clientv3.WithPrefix())
	e.stop()
	<-e.ending
	e.observer.wait()
	e.watchers.Close()
	if err := e.client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("etcd: closing: %w", err)
	}
	return nil
}

// dataKey is where a pair lies.
func (e *Engine) dataKey(key []byte) string { return e.prefix + "d" + string(key) }

// dataRange is where the pairs of a range lie; empty says that there can be
// none.
func (e *Engine) dataRange(r engine.Range) (from, to string, empty bool) {
	from, to = e.dataKey(r.From), e.prefix+"e"
	if r.To != nil {
		to = e.dataKey(r.To)
	}
	return from, to, from >= to
}
