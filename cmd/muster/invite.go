package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"muster/directory"
)

// inviting is what the flags of the invite commands say.
type inviting struct {
	store, org, connection, given, family string
	lifetime                              time.Duration
}

func inviteCommand() *cobra.Command {
	var i inviting
	cmd := &cobra.Command{
		Use:   "invite ADDRESS",
		Short: "Invite one person by e-mail to sign in through a connection",
		Long: `Invite one person by e-mail to sign in through a connection that creates nobody, or links nobody by itself. The user of
the address is found or made; the first sign-in through the connection that vouches for the address is linked to it. The
letter is sent by the server, which needs --smtp-url; without it, tell the person the connection's sign-in address. No
server may run on the store.`,
		Args: cobra.ExactArgs(1),
		RunE: i.invite,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&i.store, storeFlag, storeAtHome, storeUsage)
	f.StringVar(&i.org, "org", "", "the organisation's id")
	f.StringVar(&i.connection, "connection", "", "the connection's id")
	cmd.Flags().StringVar(&i.given, "first-name", "", "of a user who is made")
	cmd.Flags().StringVar(&i.family, "last-name", "", "of a user who is made")
	cmd.Flags().DurationVar(&i.lifetime, "lifetime", 14*24*time.Hour, "how long the invitation is open, at most 2160h")
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List the invitations that are open", Args: cobra.NoArgs, RunE: i.list},
		&cobra.Command{Use: "revoke ADDRESS", Short: "End an invitation", Args: cobra.ExactArgs(1), RunE: i.revoke})
	return cmd
}

func (i *inviting) invite(cmd *cobra.Command, args []string) error {
	if i.org == "" || i.connection == "" {
		return errors.New("invite: give --org ORG and --connection CONNECTION")
	}
	return withExisting(cmd.Context(), i.store, func(d *directory.Directory) error {
		wanted := directory.UserInvitation{Org: i.org, Connection: i.connection, Address: args[0], Actor: "operator", Expires: time.Now().Add(i.lifetime)}
		for name, text := range map[string]string{directory.GivenName: i.given, directory.FamilyName: i.family} {
			if text != "" {
				wanted.Attributes.Set(name, directory.Text(text))
			}
		}
		result, err := d.InviteUser(cmd.Context(), wanted)
		if err != nil {
			return named(err, "invite "+args[0])
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "user %s may come in through %s until %s\n", result.User.ID, i.connection, wanted.Expires.UTC().Format(time.RFC3339))
		return err
	})
}

func (i *inviting) list(cmd *cobra.Command, _ []string) error {
	return withExisting(cmd.Context(), i.store, func(d *directory.Directory) error {
		open, err := d.UserInvitations(cmd.Context(), i.org)
		for _, o := range open {
			fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  by %s until %s\n", o.Connection, o.Address, o.Actor, o.Expires.UTC().Format(time.RFC3339))
		}
		return named(err, "organisation "+i.org)
	})
}

func (i *inviting) revoke(cmd *cobra.Command, args []string) error {
	return withExisting(cmd.Context(), i.store, func(d *directory.Directory) error {
		return named(d.RevokeUserInvitation(cmd.Context(), i.org, i.connection, args[0]), "invitation of "+args[0])
	})
}
