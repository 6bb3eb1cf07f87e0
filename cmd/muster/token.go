package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"muster/directory"
)

// tokenTarget is what the flags of the token commands say: which store, and whose token.
type tokenTarget struct {
	store, org, connection string
	admin                  bool
	lifetime               time.Duration
}

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke bearer tokens",
		Long: `Make, list and revoke bearer tokens. With --connection a token is an identity provider's, for SCIM; with --org alone an
application's, for reading; with --admin an administrator's. No server may run on the store.`,
	}
	var t tokenTarget
	cmd.PersistentFlags().StringVar(&t.store, storeFlag, storeAtHome, storeUsage)
	cmd.PersistentFlags().StringVar(&t.org, "org", "", "the organisation's id")
	cmd.PersistentFlags().StringVar(&t.connection, "connection", "", "the connection's id")
	cmd.PersistentFlags().BoolVar(&t.admin, "admin", false, "an administrator's token")
	create := &cobra.Command{Use: "create NAME", Short: "Make a token and print it, once", Args: cobra.ExactArgs(1), RunE: t.create}
	create.Flags().DurationVar(&t.lifetime, "lifetime", 0, "how long it is valid, such as 720h (default for ever)")
	cmd.AddCommand(create,
		&cobra.Command{Use: "list", Short: "List the tokens there are; secrets are not kept", Args: cobra.NoArgs, RunE: t.list},
		&cobra.Command{Use: "revoke NAME", Short: "End a token, at once", Args: cobra.ExactArgs(1), RunE: t.revoke})
	return cmd
}

// record is the token of that name, of whom the flags say.
func (t *tokenTarget) record(cmd *cobra.Command, d *directory.Directory, name string) (directory.Token, error) {
	record := directory.Token{Org: t.org, Connection: t.connection, Name: name}
	switch {
	case t.admin && t.org == "" && t.connection == "":
		record.Kind, record.Role = directory.AdminToken, directory.Operator
		return record, nil
	case t.admin || t.org == "" && t.connection == "":
		return record, errors.New("whose token? give --org ORG, --connection CONNECTION, or --admin")
	case t.connection == "":
		record.Kind = directory.AppToken
		_, err := d.Policy(cmd.Context(), t.org)
		return record, named(err, "organisation "+t.org)
	}
	record.Kind = directory.SCIMToken
	c, _, err := d.Connection(cmd.Context(), t.connection)
	if err != nil {
		return record, named(err, "connection "+t.connection)
	}
	if t.org != "" && t.org != c.Org {
		return record, fmt.Errorf("connection %s belongs to %s", c.ID, c.Org)
	}
	record.Org = c.Org
	return record, nil
}

// named says what an error is about.
func named(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (t *tokenTarget) create(cmd *cobra.Command, args []string) error {
	return withExisting(cmd.Context(), t.store, func(d *directory.Directory) error {
		record, err := t.record(cmd, d, args[0])
		if err != nil {
			return err
		}
		if t.lifetime > 0 {
			record.Expires = time.Now().Add(t.lifetime)
		}
		secret := rand.Text() + rand.Text()
		if _, err := d.SetToken(cmd.Context(), record, secret); err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
		return err
	})
}

func (t *tokenTarget) list(cmd *cobra.Command, _ []string) error {
	return withExisting(cmd.Context(), t.store, func(d *directory.Directory) error {
		orgs, err := d.Orgs(cmd.Context())
		if err != nil {
			return err
		}
		for _, org := range append([]string{""}, orgs...) {
			tokens, err := d.Tokens(cmd.Context(), org)
			if err != nil {
				return err
			}
			for _, token := range slices.DeleteFunc(tokens, t.excludes) {
				printToken(cmd, token)
			}
		}
		return nil
	})
}

// excludes says whether the flags ask for other tokens than this one.
func (t *tokenTarget) excludes(token directory.Token) bool {
	return t.org != "" && token.Org != t.org || t.connection != "" && token.Connection != t.connection ||
		t.admin && token.Kind != directory.AdminToken
}

func printToken(cmd *cobra.Command, token directory.Token) {
	expires := "never expires"
	if !token.Expires.IsZero() {
		expires = "expires " + token.Expires.UTC().Format(time.RFC3339)
	}
	owner := token.Org
	if token.Connection != "" {
		owner = token.Connection
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%-5s  %-20s  %-20s  made %s, %s\n", token.Kind, orNone(owner), token.Name,
		token.Created.UTC().Format(time.RFC3339), expires)
}

func (t *tokenTarget) revoke(cmd *cobra.Command, args []string) error {
	return withExisting(cmd.Context(), t.store, func(d *directory.Directory) error {
		record, err := t.record(cmd, d, args[0])
		if err != nil {
			return err
		}
		if err := d.RevokeToken(cmd.Context(), record); err != nil {
			return named(err, "token "+args[0])
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "token %s: revoked\n", args[0])
		return err
	})
}
