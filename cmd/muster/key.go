package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"muster/directory"
	"muster/jit"
	"muster/jit/saml"
)

func keyCommand() *cobra.Command {
	var store, connection string
	var overlap time.Duration
	var print keyForm
	cmd := &cobra.Command{
		Use:   "key",
		Short: "List and roll the key by which an identity provider knows this side",
		Long: `List and roll the key by which an identity provider knows this side. A new key is published in the connection's
SAML metadata or OpenID key set at once and begins to sign after the overlap; the old one is published for as long again. No server may run on
the store.`,
	}
	cmd.PersistentFlags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	cmd.PersistentFlags().StringVar(&connection, "connection", "", "the connection's id")
	list := &cobra.Command{Use: "list", Short: "Print the certificates that are published", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error { return listKeys(cmd, d, connection, print) })
		}}
	list.Flags().BoolVar((*bool)(&print), "pem", false, "print the certificates themselves, for consoles that take an upload")
	roll := &cobra.Command{Use: "roll", Short: "Make a new key", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error {
				by := directory.EventSource{Connection: connection, Channel: directory.Local, Actor: "operator"}
				c, _, err := d.Connection(cmd.Context(), connection)
				if err == nil {
					err = jit.RollKey(cmd.Context(), d, by, c, overlap)
				}
				if err != nil {
					return named(err, "connection "+connection)
				}
				return listKeys(cmd, d, connection, asLines)
			})
		}}
	roll.Flags().DurationVar(&overlap, "overlap", jit.DefaultOverlap, "how long the new key is published before it signs; 0 after a theft")
	cmd.AddCommand(list, roll)
	return cmd
}

// keyForm is how keys are printed.
type keyForm bool

const (
	asLines keyForm = false
	asPEM   keyForm = true
)

func listKeys(cmd *cobra.Command, d *directory.Directory, connection string, form keyForm) error {
	c, _, err := d.Connection(cmd.Context(), connection)
	if err != nil {
		return named(err, "connection "+connection)
	}
	keys, err := jit.Keys(cmd.Context(), d, c)
	if err != nil {
		return named(err, "connection "+connection)
	}
	for i, k := range keys {
		certificate, err := x509.ParseCertificate(k.Public)
		if err != nil {
			return err
		}
		role := "published"
		if i == 0 {
			role = "signs"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%-9s  %s  signs from %s, expires %s%s\n", role, saml.Fingerprint(certificate),
			k.From.UTC().Format(time.RFC3339), certificate.NotAfter.UTC().Format(time.RFC3339), publishedUntil(k))
		if form == asPEM {
			_ = pem.Encode(cmd.OutOrStdout(), &pem.Block{Type: "CERTIFICATE", Bytes: k.Public})
		}
	}
	if len(keys) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "no key yet: the first one is made when the metadata or key set is read")
	}
	return nil
}

func publishedUntil(k directory.OwnKey) string {
	if k.Until.IsZero() {
		return ""
	}
	return ", published until " + k.Until.UTC().Format(time.RFC3339)
}
