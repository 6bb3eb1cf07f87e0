package main

import (
	"context"
	"net/url"
	"strings"
	"time"

	"muster/admin"
	"muster/directory"
	"muster/jit"
)

// knownToOffice tells the administration what the sign-in door knows of identity providers.
func knownToOffice(d *directory.Directory, door *jit.Server, base string) admin.SignIn {
	base = strings.TrimSuffix(base, "/")
	known := admin.SignIn{
		Fill: jit.Fill,
		Guide: func(c *directory.Connection) []string {
			preset, _ := presetFor(c)
			return preset.Guide(jit.AddressesOf(base, c.ID))
		},
		Addresses: func(c *directory.Connection) []admin.Address { return addressesOf(base, c) },
		Warnings: func(ctx context.Context, c *directory.Connection) (list []string, err error) {
			warnings, err := jit.Warnings(ctx, d, c, time.Now())
			for _, w := range warnings {
				list = append(list, w.Detail)
			}
			return list, err
		},
		StartTest: func(ctx context.Context, by directory.EventSource, connection string, mode directory.Mode) (string, error) {
			ticket, err := door.StartTest(ctx, by, connection, mode)
			return jit.AddressesOf(base, connection).Login + "?test=" + url.QueryEscape(ticket), err
		},
	}
	for _, name := range jit.Presets() {
		preset, _ := jit.PresetOf(name)
		known.Presets = append(known.Presets, admin.Preset{Name: name, Title: preset.Title})
	}
	return known
}

// presetFor is a connection's preset, by the protocol that people come by.
func presetFor(c *directory.Connection) (jit.Preset, bool) {
	if c.OIDC != nil {
		return jit.OpenIDPresetOf(c.Preset)
	}
	return jit.PresetOf(c.Preset)
}

// addressesOf are those an identity provider of this connection has use for.
func addressesOf(base string, c *directory.Connection) []admin.Address {
	a := jit.AddressesOf(base, c.ID)
	list := []admin.Address{{What: "scim", URL: a.SCIM}}
	switch {
	case c.SAML != nil:
		list = append(list, admin.Address{What: "metadata", URL: a.Metadata}, admin.Address{What: "acs", URL: a.ACS})
	case c.OIDC != nil:
		list = append(list, admin.Address{What: "callback", URL: a.Callback}, admin.Address{What: "logout", URL: a.Logout}, admin.Address{What: "jwks", URL: a.KeySet})
	default:
		return list
	}
	return append(list, admin.Address{What: "login", URL: a.Login})
}
