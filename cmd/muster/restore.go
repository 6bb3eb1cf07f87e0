package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/spf13/cobra"

	"muster/directory"
	"muster/directory/engine"
)

// restoring is where a backup goes and how it is read.
type restoring struct{ store, identityFile, passphraseEnv string }

func restoreCommand(getenv func(string) string) *cobra.Command {
	var r restoring
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty store with a backup",
		Long: `Fill an empty store, of any kind, with a backup; FILE may be - for the standard input. What is restored is compared
with the backup's digest and checked, every invariant of it. A store that holds something is refused. A restore that
failed is repeated by the same command; until one has ended, no server starts on the store.

Everything is as it was when the backup was taken: tokens and sessions that were revoked since are valid again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "-" {
				return r.from(cmd, cmd.InOrStdin(), getenv)
			}
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			return r.from(cmd, file, getenv)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.store, storeFlag, storeAtHome, storeUsage)
	f.StringVar(&r.identityFile, "identity", "", "file with the age secret key (AGE-SECRET-KEY-1...) of a recipient")
	f.StringVar(&r.passphraseEnv, "passphrase-env", "", "variable that holds the passphrase")
	return cmd
}

func (r *restoring) from(cmd *cobra.Command, in io.Reader, getenv func(string) string) error {
	plain, err := r.decrypted(in, getenv)
	if err != nil {
		return err
	}
	return withEngine(cmd.Context(), r.store, orMade, func(e engine.Engine) error {
		x, err := directory.Restore(cmd.Context(), e, plain, progress(cmd.ErrOrStderr()))
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		if err := checkStore(cmd.Context(), e, cmd.OutOrStdout()); err != nil {
			return fmt.Errorf("what was restored: %w", err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "restored %s\n", x)
		return nil
	})
}

const ageHead = "age-encryption.org/"

// decrypted tells by its beginning whether a backup is encrypted.
func (r *restoring) decrypted(in io.Reader, getenv func(string) string) (io.Reader, error) {
	b := bufio.NewReader(in)
	if head, _ := b.Peek(len(armor.Header)); string(head) == armor.Header {
		b = bufio.NewReader(armor.NewReader(b))
	}
	if head, _ := b.Peek(len(ageHead)); string(head) != ageHead {
		return b, nil
	}
	keys, err := r.keys(getenv)
	if err != nil {
		return nil, err
	}
	plain, err := age.Decrypt(b, keys...)
	if err != nil {
		return nil, fmt.Errorf("the backup cannot be decrypted: %w", err)
	}
	return plain, nil
}

func (r *restoring) keys(getenv func(string) string) ([]age.Identity, error) {
	switch {
	case r.passphraseEnv != "":
		passphrase, err := passphraseIn(r.passphraseEnv, getenv)
		if err != nil {
			return nil, err
		}
		key, err := age.NewScryptIdentity(passphrase)
		return []age.Identity{key}, err
	case r.identityFile != "":
		file, err := os.Open(r.identityFile)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return age.ParseIdentities(file)
	}
	return nil, errors.New("the backup is encrypted: --identity FILE or --passphrase-env NAME is needed")
}
