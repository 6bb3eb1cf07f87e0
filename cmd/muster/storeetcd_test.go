package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/directory/engine/etcd"
)

func TestStoreURLsOfEtcdAreRead(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for rest, want := range map[string]etcd.Options{
		"127.0.0.1:2379/muster":          {Endpoints: []string{"127.0.0.1:2379"}, Prefix: "/muster/"},
		"a,b:1,[::1],[::1]:2/deep/down/": {Endpoints: []string{"a:2379", "b:1", "[::1]:2379", "[::1]:2"}, Prefix: "/deep/down/"},
		"ann:p%40%2Fss@h/m":              {Endpoints: []string{"h:2379"}, Prefix: "/m/", Username: "ann", Password: "p@/ss"},
		"ann@h/m?password_file=" + password: {Endpoints: []string{"h:2379"}, Prefix: "/m/", Username: "ann",
			Password: "from a file"},
	} {
		got, err := etcdOptions(rest)
		if err != nil {
			t.Errorf("%s: %v", rest, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", rest, diff)
		}
	}
	if o, err := etcdOptions("h/m?tls=on"); err != nil || o.TLS == nil || o.TLS.InsecureSkipVerify {
		t.Errorf("tls=on: %+v, %v", o.TLS, err)
	}
}

func TestFaultyStoreURLsOfEtcdAreRefusedWithoutTheirPassword(t *testing.T) {
	for rest, says := range map[string]string{
		"/m":                                  "no host",
		"h":                                   "prefix",
		"h/":                                  "prefix",
		"h,/m":                                "no host",
		"ann:s3cret%zz@h/m":                   "no escape",
		"ann:s3cret@h/m?colour=red":           `"colour"`,
		"ann:s3cret@h/m?tls=off":              "tls=on",
		"ann:s3cret@h/m?cert=x":               "both cert and key",
		"ann:s3cret@h/m?ca=/nowhere":          "its ca",
		"ann:s3cret@h/m?ca=a&ca=b":            "twice",
		"ann:s3cret@h/m?password_file=x":      "one is enough",
		"ann@h/m?password_file=/no/where":     "password_file",
		"ann:s3cret@h/m?cert=/no/x&key=/no/y": "client certificate",
		"ann:s3cret@h/m?tls=on;x":             "cannot be read",
	} {
		_, err := openEngine(t.Context(), "etcd://"+rest, orMade)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v; want it to say %q", rest, err, says)
		}
	}
}
