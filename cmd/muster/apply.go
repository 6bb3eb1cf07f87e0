package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"muster/cmd/muster/applyfile"
	"muster/directory"
)

func applyCommand(getenv func(string) string) *cobra.Command {
	var name, store string
	var private bool
	var server remote
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Bring organisations, connections, rules and tokens to what a file says",
		Long: `Bring organisations, connections, rules and tokens to what a YAML file says, and print a line for each object that
changed. A file with a fault changes nothing. What the file does not name stays as it is.

Where a server runs, name it with --server and give an operator's administration token; or stop it and name its store.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				return errors.New("apply: -f FILE is missing")
			}
			file, err := readApplyFile(cmd.Context(), name, getenv, private)
			if err != nil {
				return err
			}
			warn(cmd.ErrOrStderr(), file)
			if server.isSet() {
				if err := server.check(getenv); err != nil {
					return err
				}
				return server.apply(cmd.Context(), file, cmd.OutOrStdout())
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return withDirectory(cmd.Context(), store, log, func(d *directory.Directory) error {
				return applyTo(cmd.Context(), d, file, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringVarP(&name, "file", "f", "", "the apply file")
	cmd.Flags().StringVar(&store, storeFlag, storeAtHome, storeUsage)
	server.bind(cmd.Flags())
	cmd.Flags().BoolVar(&private, "allow-private-fetch", false, "let metadata documents come from private addresses")
	return cmd
}

func readApplyFile(ctx context.Context, name string, getenv func(string) string, private bool) (*applyfile.File, error) {
	return applyfile.Read(ctx, name, applyfile.Options{Getenv: getenv, Fetch: fetcher(private), Now: time.Now()})
}

func warn(w io.Writer, file *applyfile.File) {
	for _, sentence := range file.Warnings {
		fmt.Fprintln(w, "warning:", sentence)
	}
}

// applyTo applies a file and says what changed.
func applyTo(ctx context.Context, d *directory.Directory, file *applyfile.File, w io.Writer) error {
	changed, err := file.Apply(ctx, d)
	for _, line := range changed {
		fmt.Fprintln(w, line)
	}
	if err == nil && len(changed) == 0 {
		fmt.Fprintln(w, "nothing to change")
	}
	return err
}
