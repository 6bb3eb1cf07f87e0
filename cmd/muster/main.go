// Command muster is one identity directory with two doors: identity providers push people in over SCIM, and people
// arrive by single sign-on. See the README.
//
// Each command has a file of its own. serve.go wires the whole server, once, top to bottom; config.go says where
// settings come from; engines.go where data is kept; applyfile reads what an operator wants there to be.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "muster:", err)
		os.Exit(1)
	}
}

// run is the whole program. It returns when the command is done, or ctx is and everything under way has ended.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:           "muster",
		Short:         "One identity directory with two doors: SCIM push and sign-in",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return overlay(cmd.Flags(), getenv)
		},
	}
	root.AddCommand(demoCommand(), serveCommand(getenv), applyCommand(getenv), checkCommand(), backupCommand(getenv), restoreCommand(getenv), copyCommand(),
		explainCommand(getenv), adminLinkCommand(),
		tokenCommand(), keyCommand(), guideCommand(), inviteCommand(), versionCommand())
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}
