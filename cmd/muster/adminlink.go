package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"muster/admin"
	"muster/directory"
)

// adminLinkCommand is the way back for administrators who lost theirs: whoever may open the store may run it.
func adminLinkCommand() *cobra.Command {
	var store, base, email string
	cmd := &cobra.Command{
		Use:   "admin-link",
		Short: "Print a one-time link for an administrator who cannot sign in",
		Long: `Print a one-time link by which an administrator comes in once, to set up how they sign in: the one with --email, who
is made an operator if there is none of that address. Without --email it is the first administrator's, as serve prints
it at each start until it was used. No server may run on the store.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error {
				secret, err := adminLink(cmd, d, email)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), admin.WelcomeLink(base, secret))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	cmd.Flags().StringVar(&base, "base-url", "http://127.0.0.1:8080", "how the world reaches your server")
	cmd.Flags().StringVar(&email, "email", "", "the administrator's e-mail address")
	return cmd
}

func adminLink(cmd *cobra.Command, d *directory.Directory, email string) (secret string, err error) {
	ctx, by := cmd.Context(), directory.Itself("muster admin-link")
	if email == "" {
		secret, err = d.FirstInvitation(ctx, firstLinkLifetime)
		if err == nil && secret == "" {
			err = errors.New("there is an operator who can sign in; say for whom the link is with --email")
		}
		return secret, err
	}
	a, _, err := d.AdministratorByEmail(ctx, email)
	if errors.Is(err, directory.ErrNotFound) {
		a, err = d.AddAdministrator(ctx, by, directory.Administrator{Name: email, Email: email, Grants: directory.Grants{{Role: directory.Operator}}})
	}
	if err != nil {
		return "", err
	}
	return d.Invite(ctx, by, a.ID, firstLinkLifetime)
}
