package etcd_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/enginetest"
	"muster/directory/engine/etcd"
	"muster/directory/engine/etcd/etcdtest"
)

// prefixOf gives each directory of a test a prefix of its own.
func prefixOf(dir string) string {
	h := sha256.Sum256([]byte(dir))
	return "/" + hex.EncodeToString(h[:8]) + "/"
}

func open(t testing.TB, o etcd.Options) *etcd.Engine {
	t.Helper()
	e, err := etcd.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngineOnThreeMembers(t *testing.T) {
	c, ok := etcdtest.Start(t, etcdtest.Options{Members: 3})
	if !ok {
		return
	}
	enginetest.Run(t, enginetest.Harness{Durable: true, Open: func(t testing.TB, dir string) engine.Engine {
		return open(t, etcd.Options{Endpoints: c.Endpoints(), Prefix: prefixOf(dir)})
	}})
}
