package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"muster/admin"
	"muster/cmd/muster/applyfile"
	"muster/directory"
	"muster/jit/fetch"
)

// Bounds of one connection and of the end of the server.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	drainTimeout  = 20 * time.Second
)

func serveCommand(getenv func(string) string) *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve both doors",
		Long: `Serve both doors: SCIM for identity providers and applications, and sign-in.

A setting comes from its flag, from the environment (--base-url is MUSTER_BASE_URL), from the file that --config names
(base_url), or from its default, the first of these that is there. MUSTER_ADMIN_TOKEN sets the first administrator's
API token; without it one is made and printed when the store is new. SIGINT and SIGTERM let requests under way finish.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), s, getenv, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	s.bind(cmd.Flags())
	return cmd
}

// tuneCollector lets the heap grow further between collections: the data lie in
// the file's mapping and the live heap is a few megabytes, so that by default
// the collector would run every few hundred requests. GOGC and GOMEMLIMIT stay
// the operator's.
func tuneCollector(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(1 << 30)
	}
}

// serve runs the server until ctx ends. It listens before it says so.
func serve(ctx context.Context, s settings, getenv func(string) string, stdout, stderr io.Writer) error {
	tuneCollector(getenv)
	log := slog.New(slog.NewTextHandler(stderr, nil))
	var wanted *applyfile.File
	if s.Apply != "" {
		var err error
		if wanted, err = readApplyFile(ctx, s.Apply, getenv, s.AllowPrivateFetch); err != nil {
			return err
		}
		warn(stderr, wanted)
	}
	return withDirectory(ctx, s.Store, log, func(d *directory.Directory) error {
		at, err := listen(s)
		if err != nil {
			return err
		}
		defer at.close()
		proxies, err := networks(s.TrustedProxies)
		if err != nil {
			return err
		}
		post, err := postOffice(d, s, at.base, log)
		if err != nil {
			return err
		}
		h, err := newHandlers(d, handlerOptions{
			base: at.base, log: log, metered: at.metrics != nil, proxies: proxies, letters: post.ask,
			push: s.Push, grace: s.OutageGrace, fetch: fetch.Client(fetch.Options{AllowPrivate: s.AllowPrivateFetch}),
		})
		if err != nil {
			return err
		}
		if err := firstAdministrator(ctx, d, getenv("MUSTER_ADMIN_TOKEN"), stdout); err != nil {
			return err
		}
		if err := firstLink(ctx, d, at.base, stdout); err != nil {
			return err
		}
		if wanted != nil {
			if err := applyTo(ctx, d, wanted, stdout); err != nil {
				return err
			}
		}
		unproject, err := project(ctx, d, s.Analysts, log)
		if err != nil {
			return err
		}
		defer unproject()
		stop := workBehind(ctx, d, h.work, post.run)
		defer stop()
		at.announce(stdout)
		return serveAll(ctx, log, map[net.Listener]http.Handler{at.main: h.site, at.metrics: h.metrics})
	})
}

// networks reads the list of trusted proxies; a single address is a network of one.
func networks(list []string) ([]*net.IPNet, error) {
	var read []*net.IPNet
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if ip, single := netip.ParseAddr(text); single == nil {
			prefix, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("trusted-proxies: %q is neither an address nor a network such as 10.0.0.0/8", text)
		}
		prefix = prefix.Masked()
		read = append(read, &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())})
	}
	return read, nil
}

// workBehind starts what the directory and the doors do without being asked: jobs, and what time brings. The function
// that it returns ends that and waits for it, because the store must stay open until then.
func workBehind(ctx context.Context, d *directory.Directory, others ...func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var under sync.WaitGroup
	under.Go(func() { _ = d.Run(ctx) }) // logs its faults and goes on; it returns when ctx ends
	for _, work := range others {
		under.Go(func() { work(ctx) })
	}
	return func() {
		cancel()
		under.Wait()
	}
}

// site is where a server is reached: its listeners, bound, and its base URL.
type site struct {
	base          string       // without a slash at the end
	main, metrics net.Listener // metrics may be nil
}

func listen(s settings) (*site, error) {
	main, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	at := &site{main: main, base: strings.TrimSuffix(s.BaseURL, "/")}
	if at.base == "" {
		at.base = "http://" + called(s.Listen, main.Addr())
	}
	if s.MetricsListen == "" {
		return at, nil
	}
	if at.metrics, err = net.Listen("tcp", s.MetricsListen); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for metrics: %w", err), main.Close())
	}
	return at, nil
}

// close lets the listeners go. A server that was shut down has closed them before.
func (s *site) close() {
	_ = s.main.Close()
	if s.metrics != nil {
		_ = s.metrics.Close()
	}
}

// announce says where the server listens; connections made from now on are answered.
func (s *site) announce(w io.Writer) {
	own := "http://" + reachable(s.main.Addr())
	if s.metrics != nil {
		fmt.Fprintf(w, "metrics on http://%s/metrics\n", reachable(s.metrics.Addr()))
	}
	if own != s.base {
		fmt.Fprintf(w, "base URL %s\n", s.base)
	}
	fmt.Fprintf(w, "listening on %s\n", own)
}

// serveAll answers on each listener until ctx ends, then lets the requests under way finish. A nil listener is none.
func serveAll(ctx context.Context, log *slog.Logger, on map[net.Listener]http.Handler) error {
	delete(on, nil)
	ended := make(chan error, len(on))
	servers := make([]*http.Server, 0, len(on))
	for l, h := range on {
		server := newServer(h, log)
		servers = append(servers, server)
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("serve: %w", err), drain(servers))
	case <-ctx.Done():
		return drain(servers)
	}
}

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// drain waits for the requests under way, for a while.
func drain(servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	var errs []error
	for _, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("shut down: %w", errors.Join(err, s.Close())))
		}
	}
	return errors.Join(errs...)
}

// minAdminToken is the least length of a token that an operator chooses.
const minAdminToken = 20

// firstLinkLifetime is how long the link for the first administrator counts; each start prints a new one.
const firstLinkLifetime = 24 * time.Hour

// firstLink prints a one-time link while nobody can run the instance by signing in.
func firstLink(ctx context.Context, d *directory.Directory, base string, stdout io.Writer) error {
	secret, err := d.FirstInvitation(ctx, firstLinkLifetime)
	if secret == "" || err != nil {
		return named(err, "the link for the first administrator")
	}
	_, err = fmt.Fprintf(stdout, "first administrator, open once within a day: %s\n", admin.WelcomeLink(base, secret))
	return err
}

// firstAdministrator makes the token given the first administrator's; without one, a store that has no administrator
// gets a new token, which is shown once.
func firstAdministrator(ctx context.Context, d *directory.Directory, given string, stdout io.Writer) error {
	record := directory.Token{Name: "first administrator", Kind: directory.AdminToken, Role: directory.Operator, By: "muster serve"}
	if given != "" && len(given) < minAdminToken {
		return fmt.Errorf("MUSTER_ADMIN_TOKEN has %d bytes and needs at least %d: whoever guesses it runs the instance", len(given), minAdminToken)
	}
	if given != "" {
		_, err := d.SetToken(ctx, record, given)
		return named(err, "MUSTER_ADMIN_TOKEN")
	}
	tokens, err := d.Tokens(ctx, "")
	if err != nil {
		return err
	}
	if slices.ContainsFunc(tokens, func(t directory.Token) bool { return t.Kind == directory.AdminToken }) {
		return nil
	}
	secret := rand.Text()
	if _, err := d.SetToken(ctx, record, secret); err != nil {
		return named(err, "the first administrator's token")
	}
	_, err = fmt.Fprintf(stdout, "administrator's API token, shown this once: %s\n", secret)
	return err
}
