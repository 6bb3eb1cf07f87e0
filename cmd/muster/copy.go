package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"muster/directory"
	"muster/directory/engine"
)

func copyCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy everything from one store into another, empty one",
		Long: `Copy everything from one store into another, empty one, of the same kind or another: bolt://PATH, postgres://...
Both are checked, every invariant of them, and compared by a digest. Stop the servers first: what they write after the
beginning is not copied. A copy that was interrupted is repeated by the same command; until one has ended, no server
starts on the target.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case from == "" || to == "":
				return errors.New("copy: --from STORE and --to STORE are needed")
			case from == to:
				return errors.New("copy: --from and --to are the same store")
			}
			return withEngine(cmd.Context(), from, ifItIsThere, func(source engine.Engine) error {
				return withEngine(cmd.Context(), to, orMade, func(target engine.Engine) error { return copyStore(cmd, source, target) })
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the store to copy")
	cmd.Flags().StringVar(&to, "to", "", "the empty store to fill")
	return cmd
}

func copyStore(cmd *cobra.Command, source, target engine.Engine) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	if err := checkStore(ctx, source, out); err != nil {
		return fmt.Errorf("the store to copy: %w", err)
	}
	x, err := directory.Copy(ctx, source, target, progress(cmd.ErrOrStderr()))
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	if err := checkStore(ctx, target, out); err != nil {
		return fmt.Errorf("the copy: %w", err)
	}
	fmt.Fprintf(out, "copied %s\n", x)
	return nil
}

// checkStore prints every broken invariant.
func checkStore(ctx context.Context, e engine.Engine, out io.Writer) error {
	return onDirectory(ctx, e, slog.New(slog.DiscardHandler), func(d *directory.Directory) error { return checkTo(ctx, d, out) })
}

// progress says now and then how much was moved.
func progress(w io.Writer) func(directory.Extent) {
	const every = 5 * time.Second
	last := time.Now()
	return func(x directory.Extent) {
		if time.Since(last) < every {
			return
		}
		last = time.Now()
		fmt.Fprintf(w, "%d keys, %d MB\n", x.Keys, x.Bytes>>20)
	}
}
