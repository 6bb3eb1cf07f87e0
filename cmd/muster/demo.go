package main

import (
	"context"
	"crypto/rand"
	_ "embed" // the sample organisation
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/admin"
	"muster/directory"
)

//go:embed demo.yaml
var sampleOrganisation []byte

func demoCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it: a server, a test identity provider and a sample organisation",
		Long: `Start a server on a scratch folder, with a sample organisation, a test identity provider that vouches for anybody,
and people whom Okta and Entra ID seem to have pushed. Print what to open and what to try. Everything ends with it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), address, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&address, "listen", "localhost:8080", "loopback address to serve on; port 0 takes a free one; passkeys need localhost")
	return cmd
}

// secrets of one run, by the names that the sample organisation gives them.
type secrets map[string]string

const (
	appToken   = "DEMO_APP_TOKEN"
	oktaToken  = "DEMO_OKTA_TOKEN"
	entraToken = "DEMO_ENTRA_TOKEN"
)

// demo runs until ctx ends, and leaves nothing behind.
func demo(ctx context.Context, address string, stdout, stderr io.Writer) (err error) {
	at, err := listen(settings{Listen: address})
	if err != nil {
		return err
	}
	defer at.close()
	if bound, err := netip.ParseAddrPort(at.main.Addr().String()); err != nil || !bound.Addr().IsLoopback() {
		return fmt.Errorf("the demo vouches for anybody, so it listens on loopback addresses only, not on %s", address)
	}
	folder, err := os.MkdirTemp("", "muster-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	log := slog.New(slog.NewTextHandler(stderr, nil))
	return withDirectory(ctx, "bolt://"+filepath.Join(folder, "muster.db"), log, func(d *directory.Directory) error {
		return (&demonstration{at: at, folder: folder, directory: d, log: log, stdout: stdout}).run(ctx)
	})
}

// demonstration is one run of the demo.
type demonstration struct {
	at        *site
	folder    string
	directory *directory.Directory
	log       *slog.Logger
	stdout    io.Writer
	secrets   secrets
	pushed    string // the id of Lena, whom Entra ID pushed
}

func (d *demonstration) run(ctx context.Context) error {
	idpListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the test IdP: %w", err)
	}
	defer idpListener.Close()
	idp, err := newDemoIdP(called(strings.TrimPrefix(d.at.base, "http://"), idpListener.Addr()), d.at.base)
	if err != nil {
		return err
	}
	if err := d.configure(ctx, idp.Metadata()); err != nil {
		return err
	}
	h, err := newHandlers(d.directory, handlerOptions{base: d.at.base, log: d.log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer workBehind(ctx, d.directory, h.work)()
	served := make(chan error, 1)
	go func() {
		served <- serveAll(ctx, d.log, map[net.Listener]http.Handler{d.at.main: h.site, idpListener: idp.routes()})
	}()
	if err := d.push(ctx); err != nil {
		cancel()
		return errors.Join(err, <-served)
	}
	link, err := d.directory.FirstInvitation(ctx, firstLinkLifetime)
	if err != nil {
		cancel()
		return errors.Join(err, <-served)
	}
	d.tell(idp, admin.WelcomeLink(d.at.base, link))
	return <-served
}

// configure applies the sample organisation, as `muster apply` does.
func (d *demonstration) configure(ctx context.Context, metadata []byte) error {
	d.secrets = secrets{appToken: rand.Text(), oktaToken: rand.Text(), entraToken: rand.Text()}
	name := filepath.Join(d.folder, "muster.yaml")
	for file, content := range map[string][]byte{name: sampleOrganisation, filepath.Join(d.folder, "test-idp.xml"): metadata} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return err
		}
	}
	file, err := readApplyFile(ctx, name, func(variable string) string { return d.secrets[variable] }, false)
	if err != nil {
		return err
	}
	_, err = file.Apply(ctx, d.directory)
	return err
}

// push has Okta bring Sam, and Entra ID Lena.
func (d *demonstration) push(ctx context.Context) error {
	if _, err := newPusher(d.at.base, oktaConnection, d.secrets[oktaToken]).okta(ctx, sam()); err != nil {
		return fmt.Errorf("push as Okta: %w", err)
	}
	var err error
	if d.pushed, err = newPusher(d.at.base, entraConnection, d.secrets[entraToken]).entra(ctx, lena()); err != nil {
		return fmt.Errorf("push as Entra ID: %w", err)
	}
	return nil
}

// tell prints what there is, and what to open and to try.
func (d *demonstration) tell(idp *demoIdP, link string) {
	d.at.announce(d.stdout)
	user := d.at.base + "/c/" + entraConnection + "/scim/v2/Users/" + d.pushed
	patch := func(active string) string {
		return fmt.Sprintf(`curl -sS -X PATCH -H 'Authorization: Bearer %s' -H 'Content-Type: application/scim+json' `+
			`-d '{"schemas":["%s"],"Operations":[{"op":"Replace","path":"active","value":"%s"}]}' '%s'`,
			d.secrets[entraToken], patchSchema, active, user)
	}
	fmt.Fprintf(d.stdout, `
A test IdP listens on %s. It vouches for anybody and is for this demo only.
Everything is in %s and goes with Ctrl-C. The sample organisation stands there in muster.yaml.

Open in a browser:

1. Choose Nia, whom nobody has created: she is created at this sign-in. Sam was pushed by Okta.
   %s/c/%s/login

2. Choose Lena, whom Entra ID has pushed: the sign-in finds her by the id that both send. No second Lena.
   %s/c/%s/login

3. Who is signed in, and where each value comes from:
   %s/me

4. Administer it all: the first administrator's link, which counts once.
   %s

Try in another terminal:

5. What an application sees: the people of both doors, licences by rule.
   curl -sS -H 'Authorization: Bearer %s' '%s/o/acme/scim/v2/Users'

6. Entra ID deactivates Lena: her session is over, as link 3 shows.
   %s

7. Entra ID takes her back: link 2 works again.
   %s
`, idp.address, d.folder, d.at.base, oktaConnection, d.at.base, entraConnection, d.at.base,
		link, d.secrets[appToken], d.at.base, patch("False"), patch("True"))
}
