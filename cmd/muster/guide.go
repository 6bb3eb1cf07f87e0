package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"muster/jit"
)

func guideCommand() *cobra.Command {
	var base, connection, protocol string
	cmd := &cobra.Command{
		Use:   "guide PRESET",
		Short: "Print what to do in an identity provider's console",
		Long:  "Print, step by step, what to do in an identity provider's console, with the addresses of your connection.\n\nPresets: " + strings.Join(jit.Presets(), ", "),
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			presets := map[string]func(string) (jit.Preset, bool){"saml": jit.PresetOf, "oidc": jit.OpenIDPresetOf}
			find, ok := presets[protocol]
			if !ok {
				return fmt.Errorf("there is no protocol %q (allowed: saml, oidc)", protocol)
			}
			preset, ok := find(args[0])
			if !ok {
				return fmt.Errorf("there is no preset %q (allowed: %s)", args[0], strings.Join(jit.Presets(), ", "))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n", preset.Title)
			for i, step := range preset.Guide(jit.AddressesOf(strings.TrimSuffix(base, "/"), connection)) {
				fmt.Fprintf(cmd.OutOrStdout(), "%d. %s\n", i+1, step)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&base, "base-url", "https://id.example", "how the world reaches your server")
	cmd.Flags().StringVar(&connection, "connection", "CONNECTION", "the connection's id in your apply file")
	cmd.Flags().StringVar(&protocol, "protocol", "saml", "how people sign in: saml or oidc")
	return cmd
}
