package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"muster/directory/engine/etcd"
)

const etcdExample = "etcd://USER@HOST1:2379,HOST2:2379/PREFIX?password_file=FILE&ca=FILE&cert=FILE&key=FILE"

// etcdOptions reads what follows etcd:// in a store URL. An error never shows the password.
func etcdOptions(rest string) (o etcd.Options, err error) {
	rest, query, _ := strings.Cut(rest, "?")
	place, prefix, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(place, '@'); at >= 0 {
		if o.Username, o.Password, err = etcdUser(place[:at]); err != nil {
			return o, err
		}
		place = place[at+1:]
	}
	for _, host := range strings.Split(place, ",") {
		endpoint, err := etcdEndpoint(host)
		if err != nil {
			return o, err
		}
		o.Endpoints = append(o.Endpoints, endpoint)
	}
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return o, errors.New("it needs a prefix for its keys, such as etcd://127.0.0.1:2379/muster")
	}
	o.Prefix = "/" + prefix + "/"
	return o, etcdParameters(&o, query)
}

func etcdUser(text string) (name, password string, err error) {
	name, password, _ = strings.Cut(text, ":")
	for _, part := range []*string{&name, &password} {
		if *part, err = url.PathUnescape(*part); err != nil {
			return "", "", errors.New("its user or password holds a % that is no escape; write it as %25")
		}
	}
	return name, password, nil
}

// etcdEndpoint is a host with its port, 2379 when it names none.
func etcdEndpoint(host string) (string, error) {
	if host == "" {
		return "", fmt.Errorf("it names no host; it looks like %s", etcdExample)
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, nil
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return net.JoinHostPort(host, "2379"), nil
}

// etcdParameters reads what follows the question mark.
func etcdParameters(o *etcd.Options, query string) error {
	known := []string{"tls", "ca", "cert", "key", "password_file"}
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("what follows its question mark cannot be read")
	}
	for name, all := range values {
		if !slices.Contains(known, name) {
			return fmt.Errorf("it has no parameter %q; there are %s", name, strings.Join(known, ", "))
		}
		if len(all) > 1 {
			return fmt.Errorf("its parameter %s is there twice", name)
		}
	}
	if path := values.Get("password_file"); path != "" {
		if o.Password != "" {
			return errors.New("it has a password and a password_file; one is enough")
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("its password_file: %w", err)
		}
		o.Password = strings.TrimRight(string(text), "\r\n")
	}
	o.TLS, err = etcdTLS(values)
	return err
}

// etcdTLS is nil where the connection is not encrypted: where nothing of it is named.
func etcdTLS(values url.Values) (*tls.Config, error) {
	ca, cert, key := values.Get("ca"), values.Get("cert"), values.Get("key")
	switch wanted := values.Get("tls"); {
	case wanted != "" && wanted != "on":
		return nil, fmt.Errorf("its parameter tls is %q; tls=on is all there is", wanted)
	case (cert == "") != (key == ""):
		return nil, errors.New("its client certificate needs both cert and key")
	case wanted+ca+cert == "":
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		authority, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("its ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(authority) {
			return nil, fmt.Errorf("its ca: %s holds no certificate in PEM form", ca)
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("its client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
