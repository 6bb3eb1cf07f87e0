package main

import (
	"crypto/x509"
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
	cmd := &cobra.Command{
		Use:   "key",
		Short: "List and roll the key by which a SAML identity provider knows this side",
		Long: `List and roll the key by which a SAML identity provider knows this side. A new key is published in the connection's
metadata at once and begins to sign after the overlap; the old one is published for as long again. No server may run on
the store.`,
	}
	cmd.PersistentFlags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	cmd.PersistentFlags().StringVar(&connection, "connection", "", "the connection's id")
	list := &cobra.Command{Use: "list", Short: "Print the certificates that are published", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error { return listKeys(cmd, d, connection) })
		}}
	roll := &cobra.Command{Use: "roll", Short: "Make a new key", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error {
				by := directory.EventSource{Connection: connection, Channel: directory.Local, Actor: "operator"}
				if err := jit.RollSAMLKey(cmd.Context(), d, by, connection, overlap, time.Now()); err != nil {
					return named(err, "connection "+connection)
				}
				return listKeys(cmd, d, connection)
			})
		}}
	roll.Flags().DurationVar(&overlap, "overlap", jit.DefaultOverlap, "how long the new key is published before it signs; 0 after a theft")
	cmd.AddCommand(list, roll)
	return cmd
}

func listKeys(cmd *cobra.Command, d *directory.Directory, connection string) error {
	keys, err := jit.SAMLKeys(cmd.Context(), d, connection)
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
	}
	if len(keys) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "no key yet: the first one is made when the metadata is read")
	}
	return nil
}

func publishedUntil(k directory.OwnKey) string {
	if k.Until.IsZero() {
		return ""
	}
	return ", published until " + k.Until.UTC().Format(time.RFC3339)
}
