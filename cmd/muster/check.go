package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"muster/directory"
	"muster/jit"
)

func checkCommand() *cobra.Command {
	var store string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read the whole store and print every broken invariant",
		Long: `Read the whole store, while no server runs on it, and print every broken invariant. Exits with 1 when there is one.
Warnings of what will keep people from signing in, such as certificates that end within 30 days, are printed, too.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error { return check(cmd, d) })
		},
	}
	cmd.Flags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	return cmd
}

func check(cmd *cobra.Command, d *directory.Directory) error {
	broken := checkTo(cmd.Context(), d, cmd.OutOrStdout())
	if err := printWarnings(cmd, d); err != nil || broken != nil {
		return errors.Join(broken, err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), "no problem found")
	return nil
}

// checkTo prints the broken invariants, and fails when there is one.
func checkTo(ctx context.Context, d *directory.Directory, out io.Writer) error {
	problems, err := d.Check(ctx)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(out, "%s: %s: %s\n", p.Org, p.What, p.Detail)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems", len(problems))
	}
	return nil
}

// printWarnings prints what will keep people from signing in unless somebody does something: expiring certificates,
// metadata that cannot be renewed. It is no fault of the store.
func printWarnings(cmd *cobra.Command, d *directory.Directory) error {
	orgs, err := d.Orgs(cmd.Context())
	if err != nil {
		return err
	}
	for _, org := range orgs {
		policy, err := d.Policy(cmd.Context(), org)
		if err != nil {
			return err
		}
		for _, c := range policy.Connections() {
			warnings, err := jit.Warnings(cmd.Context(), d, c, time.Now())
			if err != nil {
				return err
			}
			for _, w := range warnings {
				fmt.Fprintf(cmd.OutOrStdout(), "warning: %s: connection %s: %s\n", org, c.ID, w)
			}
		}
	}
	return nil
}
