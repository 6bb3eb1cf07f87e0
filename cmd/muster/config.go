package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"muster/cmd/muster/yamlfile"
	"muster/directory"
	"muster/directory/filter"
	"muster/scim"
)

// settings of the server. Each may come from a flag (--base-url), from the environment (MUSTER_BASE_URL), from the
// file that --config names (base_url) or from its default, the first of these that is there.
type settings struct {
	Config            string
	Listen            string
	BaseURL           string
	Store             string
	Apply             string
	MetricsListen     string
	AllowPrivateFetch bool
	SMTPURL           string
	MailFrom          string
	TrustedProxies    []string
	Push              scim.Options // limits alone
	OutageGrace       time.Duration
	Analysts          string
}

const (
	configFlag  = "config"
	storeFlag   = "store"
	storeUsage  = "where data is kept: bolt://PATH, etcd://HOSTS/PREFIX, postgres://USER@HOST/DATABASE or memory://"
	storeAtHome = "bolt://muster.db"
)

// bind declares the settings as flags.
func (s *settings) bind(f *pflag.FlagSet) {
	f.StringVar(&s.Config, configFlag, "", "YAML file with settings: listen, base_url, store ...")
	f.StringVar(&s.Listen, "listen", "127.0.0.1:8080", "address to serve on; port 0 takes a free one")
	f.StringVar(&s.BaseURL, "base-url", "", "how the world reaches this server; https unless it is loopback (default from --listen)")
	f.StringVar(&s.Store, storeFlag, storeAtHome, storeUsage)
	f.StringVar(&s.Apply, "apply", "", "apply file to bring the store to, at the start")
	f.StringVar(&s.MetricsListen, "metrics-listen", "", "address of a second listener with /metrics (default none)")
	f.StringSliceVar(&s.TrustedProxies, "trusted-proxies", nil, "networks (CIDR) of reverse proxies whose X-Forwarded-For is believed")
	s.bindLimits(f)
	f.StringVar(&s.Analysts, "analysts", "", "postgres://USER@HOST/DATABASE to keep SQL tables for analysts in; reader=ROLE lets a role read them (default none)")
	f.DurationVar(&s.OutageGrace, "outage-grace", 0, "how long /auth lets a session that was checked pass while the store cannot be reached, even if access was taken away since")
	f.StringVar(&s.SMTPURL, "smtp-url", "", "where letters go: smtp://USER:PASSWORD@HOST:587 or smtps://...; better in MUSTER_SMTP_URL, which nobody sees (default none)")
	f.StringVar(&s.MailFrom, "mail-from", "", "sender of letters, such as \"Acme <id@acme.example>\"")
	f.BoolVar(&s.AllowPrivateFetch, "allow-private-fetch", false, "let metadata and discovery documents come from private addresses")
}

// bindLimits declares what one SCIM request may ask for and cost. GET /ServiceProviderConfig publishes those that it has
// a field for.
func (s *settings) bindLimits(f *pflag.FlagSet) {
	f.Int64Var(&s.Push.MaxBody, "scim-max-body", 1<<20, "bytes of a SCIM request")
	f.Int64Var(&s.Push.MaxGroupBody, "scim-max-group-body", 8<<20, "bytes of a group with its members")
	f.Int64Var(&s.Push.MaxBulkBody, "scim-max-bulk-body", 4<<20, "bytes of a bulk")
	f.IntVar(&s.Push.MaxBulkOperations, "scim-max-bulk-operations", 1000, "operations of a bulk")
	f.IntVar(&s.Push.MaxOperations, "scim-max-operations", 20_000, "operations of a PATCH")
	f.IntVar(&s.Push.Filters.Bytes, "scim-max-filter", filter.MaxBytes, "bytes of a filter, at most 8192")
	f.IntVar(&s.Push.Filters.Depth, "scim-max-filter-depth", filter.MaxDepth, "levels of brackets in a filter, at most 32")
	f.IntVar(&s.Push.Filters.Terms, "scim-max-filter-terms", filter.MaxTerms, "comparisons in a filter, at most 256")
	f.IntVar(&s.Push.PageSize, "scim-page-size", 100, "resources on a page whose length nobody asks for")
	f.IntVar(&s.Push.MaxResults, "scim-max-results", 200, "resources on a page")
	f.IntVar(&s.Push.MaxScan, "scim-max-scan", directory.DefaultMaxScan, "records that one list may look at")
	f.DurationVar(&s.Push.CursorLife, "scim-cursor-life", directory.DefaultCursorLife, "for how long a cursor is good")
	f.Float64Var(&s.Push.Rate, "scim-rate", 0, "SCIM requests a second that one token may make on average; 0 is any number")
	f.IntVar(&s.Push.Burst, "scim-burst", 0, "SCIM requests that one token may make at once (default those of a second)")
}

// overlay fills the flags that were not given from the environment and from the file of settings.
func overlay(flags *pflag.FlagSet, getenv func(string) string) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "MUSTER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value := getenv(name); err == nil && isSetting(f) && !f.Changed && value != "" {
			if set := flags.Set(f.Name, value); set != nil {
				err = fmt.Errorf("%s: %w", name, set)
			}
		}
	})
	config := flags.Lookup(configFlag)
	if err != nil || config == nil || config.Value.String() == "" {
		return err
	}
	return overlayFile(flags, config.Value.String())
}

// isSetting tells settings from a command's own arguments: they are what settings.bind declares.
func isSetting(f *pflag.Flag) bool {
	declared := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(settings).bind(declared)
	return declared.Lookup(f.Name) != nil
}

// overlayFile fills what is still open from a file. Every key of it is checked, also those that do not count.
func overlayFile(flags *pflag.FlagSet, name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	doc, err := yamlfile.Parse(name, content)
	if err != nil {
		return err
	}
	shape := yamlfile.Shape{}
	flags.VisitAll(func(f *pflag.Flag) {
		if isSetting(f) && f.Name != configFlag {
			shape[strings.ReplaceAll(f.Name, "-", "_")] = intoFlag(flags, f)
		}
	})
	doc.Root().Mapping(shape)
	return doc.Err()
}

func intoFlag(flags *pflag.FlagSet, f *pflag.Flag) yamlfile.Reader {
	return func(n yamlfile.Node) {
		var text string
		yamlfile.Text(&text)(n)
		if text == "" || f.Changed {
			return
		}
		if err := flags.Set(f.Name, text); err != nil {
			n.Fault(fmt.Sprintf("%q is no value of this setting", text))
		}
	}
}

// called is the host and port at which this machine reaches a listener that was asked for as asked. localhost stays
// localhost: to browsers it is a name, so that it can have passkeys, and 127.0.0.1 is another site.
func called(asked string, addr net.Addr) string {
	host, _, err := net.SplitHostPort(asked)
	bound, boundErr := netip.ParseAddrPort(addr.String())
	if err != nil || boundErr != nil || host != "localhost" {
		return reachable(addr)
	}
	return net.JoinHostPort(host, strconv.Itoa(int(bound.Port())))
}

// reachable is the host and port at which this machine reaches a listener.
func reachable(addr net.Addr) string {
	bound, err := netip.ParseAddrPort(addr.String())
	if err != nil || !bound.Addr().IsUnspecified() {
		return addr.String()
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), bound.Port()).String()
}
