package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/labstack/echo/v4"
	"github.com/spf13/cobra"

	"muster/directory"
)

// backupPath is where a server hands out a backup of itself.
const backupPath = "/admin/api/v1/backup"

// backing is what a backup comes from and who may read it.
type backing struct {
	store, server, token string
	recipients           []string
	passphraseEnv        string
}

func backupCommand(getenv func(string) string) *cobra.Command {
	var b backing
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything to one file, as of one moment",
		Long: `Write everything to one file, as of one moment; FILE may be - for the standard output. With --server URL a running
server is asked, which goes on working; its administrator's token comes from --token or MUSTER_ADMIN_TOKEN. Otherwise the
store is read, which must not be a file that a server has open.

The file holds everything, the keys of the store among it: whoever reads it can sign in as anybody. --recipient encrypts it
to an age public key (age1...), --passphrase-env NAME with the passphrase in that variable.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if b.token == "" {
				b.token = getenv("MUSTER_ADMIN_TOKEN")
			}
			return b.write(cmd, args[0], getenv)
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.store, storeFlag, storeAtHome, storeUsage)
	f.StringVar(&b.server, "server", "", "base URL of a running server to ask instead")
	f.StringVar(&b.token, "token", "", "an administrator's API token, for --server")
	f.StringArrayVar(&b.recipients, "recipient", nil, "age public key that can read the file; may be repeated")
	f.StringVar(&b.passphraseEnv, "passphrase-env", "", "variable that holds a passphrase to encrypt with")
	return cmd
}

func (b *backing) write(cmd *cobra.Command, name string, getenv func(string) string) error {
	readers, err := b.readers(getenv)
	if err != nil {
		return err
	}
	if len(readers) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: the backup is not encrypted; whoever reads it can sign in as anybody")
	}
	if name == "-" {
		return b.encrypted(cmd, cmd.OutOrStdout(), readers)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = b.encrypted(cmd, file, readers)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// readers are those who can decrypt the backup.
func (b *backing) readers(getenv func(string) string) (list []age.Recipient, err error) {
	for _, text := range b.recipients {
		r, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, fmt.Errorf("--recipient %q: %w", text, err)
		}
		list = append(list, r)
	}
	if b.passphraseEnv == "" {
		return list, nil
	}
	if len(list) > 0 {
		return nil, errors.New("backup: --recipient and --passphrase-env exclude each other")
	}
	passphrase, err := passphraseIn(b.passphraseEnv, getenv)
	if err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(passphrase)
	return []age.Recipient{r}, err
}

func passphraseIn(variable string, getenv func(string) string) (string, error) {
	if passphrase := getenv(variable); passphrase != "" {
		return passphrase, nil
	}
	return "", fmt.Errorf("--passphrase-env: the variable %s is empty", variable)
}

func (b *backing) encrypted(cmd *cobra.Command, w io.Writer, readers []age.Recipient) error {
	if len(readers) == 0 {
		return b.to(cmd, w)
	}
	sealed, err := age.Encrypt(w, readers...)
	if err != nil {
		return err
	}
	if err := b.to(cmd, sealed); err != nil {
		return err
	}
	return sealed.Close()
}

// to writes the backup itself.
func (b *backing) to(cmd *cobra.Command, w io.Writer) error {
	if b.server != "" {
		return b.download(cmd.Context(), w)
	}
	return withExisting(cmd.Context(), b.store, func(d *directory.Directory) error {
		x, err := d.Backup(cmd.Context(), w)
		if err == nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "backed up %s\n", x)
		}
		return err
	})
}

// download asks a running server, and believes only a whole backup.
func (b *backing) download(ctx context.Context, w io.Writer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(b.server, "/")+backupPath, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+b.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", answer.Status)
	}
	return directory.CheckBackup(io.TeeReader(answer.Body, w))
}

// backup hands everything out to an administrator of the whole instance.
func backup(d *directory.Directory) echo.HandlerFunc {
	return func(c echo.Context) error {
		secret, _ := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
		token, err := d.Authenticate(c.Request().Context(), secret)
		switch {
		case errors.Is(err, directory.ErrUnauthorized):
			return echo.NewHTTPError(http.StatusUnauthorized, "an administrator's API token is needed")
		case err != nil:
			return err
		case token.Kind != directory.AdminToken || token.Org != "":
			return echo.NewHTTPError(http.StatusForbidden, "the token is not that of an administrator of the whole instance")
		}
		h := c.Response().Header()
		h.Set(echo.HeaderContentType, echo.MIMEOctetStream)
		h.Set(echo.HeaderCacheControl, "no-store")
		if _, err := d.Backup(c.Request().Context(), &unhurried{c.Response()}); err != nil {
			if !c.Response().Committed {
				return err
			}
			panic(http.ErrAbortHandler) // the client must not take it for whole
		}
		return nil
	}
}
