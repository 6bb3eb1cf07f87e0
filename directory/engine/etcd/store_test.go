package etcd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/directory/engine"
	"muster/directory/engine/etcd"
	"muster/directory/engine/etcd/etcdtest"
)

func set(t testing.TB, e engine.Engine, pairs ...string) {
	t.Helper()
	err := e.Update(t.Context(), func(tx engine.WriteTx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Set([]byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compact makes the cluster forget everything before now.
func compact(c *etcdtest.Cluster) {
	status := c.Control("endpoint", "status", "--write-out=json")
	_, rest, _ := strings.Cut(status, `"revision":`)
	digits := rest[:strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })]
	now, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	c.Control("compact", fmt.Sprint(now))
}

func TestACompactedSnapshotFailsAViewAndRepeatsAnUpdate(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	e := open(t, etcd.Options{Endpoints: c.Endpoints(), Prefix: "/compacted/"})
	defer e.Close()
	set(t, e, "a", "1")
	read := func(tx engine.ReadTx, key string) error { _, err := tx.Get([]byte(key)); return err }
	err := e.View(t.Context(), func(tx engine.ReadTx) error {
		if err := read(tx, "a"); err != nil {
			return err
		}
		set(t, e, "a", "2")
		compact(c)
		return read(tx, "a")
	})
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a view of a compacted revision: %v, want ErrUnavailable", err)
	}
	runs := 0
	err = e.Update(t.Context(), func(tx engine.WriteTx) error {
		if err := read(tx, "a"); err != nil {
			return err
		}
		if runs++; runs == 1 {
			set(t, e, "b", "2")
			compact(c)
		}
		if err := read(tx, "b"); err != nil {
			return errors.New("as the function sees it: " + err.Error())
		}
		return tx.Set([]byte("a"), []byte("3"))
	})
	if err != nil || runs != 2 || number(t, e, "a") != 3 {
		t.Errorf("an update over a compaction: %v, %d runs", err, runs)
	}
}

func TestWhatMusterDidNotWriteIsCorrupt(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	e := open(t, etcd.Options{Endpoints: c.Endpoints(), Prefix: "/foreign/"})
	defer e.Close()
	c.Control("put", "/foreign/dk", "foreign")
	err := e.View(t.Context(), func(tx engine.ReadTx) error { _, err := tx.Get([]byte("k")); return err })
	if !errors.Is(err, engine.ErrCorrupt) {
		t.Errorf("a foreign value: %v, want ErrCorrupt", err)
	}
}

func TestAUserWithPermissionOnThePrefixIsEnough(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	const secret = "a secret: with @ and /"
	c.Control("role", "add", "muster")
	c.Control("role", "grant-permission", "muster", "--prefix=true", "readwrite", "/mine/")
	for _, user := range []string{"root", "muster"} {
		c.Control("user", "add", user+":"+secret)
	}
	c.Control("user", "grant-role", "root", "root")
	c.Control("user", "grant-role", "muster", "muster")
	c.Control("auth", "enable")
	o := etcd.Options{Endpoints: c.Endpoints(), Prefix: "/mine/", Username: "muster", Password: secret, Patience: 2 * time.Second}
	e := open(t, o)
	set(t, e, "a", "1", "b", "2")
	nowhere := o
	nowhere.Existing, nowhere.Prefix = true, "/mine/other/"
	if e, err := etcd.Open(nowhere); err == nil || !strings.Contains(err.Error(), "no store") {
		t.Errorf("a prefix without a store: %v, %v", e, err)
	}
	err := e.Update(t.Context(), func(tx engine.WriteTx) error {
		for _, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
		}
		return tx.Delete([]byte("b"))
	})
	if err != nil || number(t, e, "a") != 1 {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*etcd.Options){
		"another prefix":   func(o *etcd.Options) { o.Prefix = "/theirs/" },
		"a wrong password": func(o *etcd.Options) { o.Password += "!" },
		"no user":          func(o *etcd.Options) { o.Username, o.Password = "", "" },
	} {
		wrong := o
		change(&wrong)
		e, err := etcd.Open(wrong)
		if err == nil {
			t.Errorf("%s opens", name)
			_ = e.Close()
			continue
		}
		if strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), c.Endpoints()[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// certificate makes a key pair that is its own authority, for members and
// clients alike, and returns its two files.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	certDER, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", certDER), write("key.pem", "PRIVATE KEY", keyDER)
}

func TestMembersAndClientsShowCertificates(t *testing.T) {
	t.Parallel()
	certFile, keyFile := certificate(t)
	c, ok := etcdtest.Start(t, etcdtest.Options{CA: certFile, Cert: certFile, Key: keyFile})
	if !ok {
		return
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	authority, err := os.ReadFile(certFile)
	if err != nil || !roots.AppendCertsFromPEM(authority) {
		t.Fatal(err)
	}
	o := etcd.Options{Endpoints: c.Endpoints(), Prefix: "/tls/", Patience: time.Second,
		TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	e := open(t, o)
	set(t, e, "a", "1")
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	for says, config := range map[string]*tls.Config{
		"unavailable": nil,
		"certificate": {RootCAs: roots},
		"authority":   {Certificates: []tls.Certificate{pair}},
	} {
		wrong := o
		wrong.TLS = config
		if e, err := etcd.Open(wrong); err == nil {
			t.Errorf("opens although: %s", says)
			_ = e.Close()
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want it to say %q", err, says)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []etcd.Options{
		{},
		{Endpoints: []string{"127.0.0.1:1"}},
		{Endpoints: []string{"127.0.0.1:1"}, Prefix: strings.Repeat("x", 200)},
		{Endpoints: []string{"127.0.0.1:1"}, Prefix: "/a/", Password: "x"},
		{Endpoints: []string{"127.0.0.1:1"}, Prefix: "/a/", Patience: 100 * time.Millisecond},
	} {
		if e, err := etcd.Open(o); err == nil {
			t.Errorf("%+v opens", o)
			_ = e.Close()
		}
	}
}

// TestEverybodyHearsOfChanges: what one process commits the other is told, and
// while it cannot hear it is told to forget.
func TestEverybodyHearsOfChanges(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	door := etcdtest.NewProxy(t, c.Members[0].Door.Address())
	writer := open(t, etcd.Options{Endpoints: c.Endpoints(), Prefix: "/heard/"})
	defer writer.Close()
	reader := open(t, etcd.Options{Endpoints: []string{door.Address()}, Prefix: "/heard/"})
	defer reader.Close()
	notices, err := reader.Watch(t.Context(), []byte("w"))
	if err != nil {
		t.Fatal(err)
	}
	told := func(within time.Duration, wanted func(engine.Notice) bool) bool {
		late := time.After(within)
		for {
			select {
			case n := <-notices:
				if wanted(n) {
					return true
				}
			case <-late:
				return false
			}
		}
	}
	key := func(k string) func(engine.Notice) bool {
		return func(n engine.Notice) bool { return len(n.Keys) == 1 && string(n.Keys[0]) == k }
	}
	resync := func(n engine.Notice) bool { return n.Resync }
	time.Sleep(time.Second)
	set(t, writer, "w1", "1", "x", "1")
	if !told(5*time.Second, key("w1")) {
		t.Error("not told of a key that another process set")
	}
	if told(time.Second, resync) {
		t.Error("told to forget although nothing was missed")
	}
	door.Cut()
	set(t, writer, "w2", "1")
	for range 2 {
		if !told(time.Second, resync) {
			t.Error("not told to forget, within a second and again, while nothing can be heard")
		}
	}
	door.Restore()
	if !told(10*time.Second, key("w2")) {
		t.Error("not told of what was missed")
	}
	compact(c)
	door.Reset()
	set(t, writer, "w3", "1")
	if !told(5*time.Second, func(n engine.Notice) bool { return n.Resync || key("w3")(n) }) {
		t.Error("not told after a compaction")
	}
}
