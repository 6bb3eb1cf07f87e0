package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"muster/directory"
)

func checkCommand() *cobra.Command {
	var store string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read the whole store and print every broken invariant",
		Long:  "Read the whole store, while no server runs on it, and print every broken invariant. Exits with 1 when there is one.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withExisting(cmd.Context(), store, func(d *directory.Directory) error { return check(cmd, d) })
		},
	}
	cmd.Flags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	return cmd
}

func check(cmd *cobra.Command, d *directory.Directory) error {
	problems, err := d.Check(cmd.Context())
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s: %s\n", p.Org, p.What, p.Detail)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems", len(problems))
	}
	fmt.Fprintln(cmd.OutOrStdout(), "no problem found")
	return nil
}
