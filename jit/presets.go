package jit

import (
	"fmt"
	"slices"
	"strings"

	"muster/directory"
)

// Preset is what is known of one identity provider.
type Preset struct {
	Name    string
	Title   string
	Subject directory.Subjects
	Map     []directory.Mapping
	Groups  []string // the assertion's names of the groups claim
	Split   string   // the separator, where groups come as one text
	// CreateElement: see directory.Connection.
	CreateElement bool
	// Steps to take in the provider's console. The placeholders {entityID}, {acs}, {metadata}, {callback}, {logout},
	// {jwks}, {login} and {scim} stand for this connection's addresses.
	Steps []string
}

// Generic is the preset of a connection that names none.
const Generic = "generic"

// Presets lists the names that Connection.Preset may have.
func Presets() []string {
	var names []string
	for _, p := range presetTable() {
		names = append(names, p.Name)
	}
	return names
}

// PresetOf returns the preset with that name for people who come by SAML, "" being the generic one.
func PresetOf(name string) (Preset, bool) { return named(presetTable(), name) }

// OpenIDPresetOf is PresetOf for people who come by OpenID Connect.
func OpenIDPresetOf(name string) (Preset, bool) { return named(openIDTable(), name) }

func named(table []Preset, name string) (Preset, bool) {
	if name == "" {
		name = Generic
	}
	i := slices.IndexFunc(table, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return table[i], true
}

// Fill completes what the connection left unset from its preset. What it sets wins: a mapping of the connection
// replaces the preset's mapping of the same attribute, and one without source switches it off. Filling twice changes
// nothing more. A *directory.ConfigError tells of an unknown preset.
func Fill(c *directory.Connection) error {
	p, ok := PresetOf(c.Preset)
	if c.OIDC != nil {
		p, ok = OpenIDPresetOf(c.Preset)
	}
	if !ok {
		return &directory.ConfigError{Faults: []directory.Fault{{
			Path: "preset", Detail: fmt.Sprintf("there is no preset %q", c.Preset), Allowed: Presets(),
		}}}
	}
	mapped := fillMap(c.Map, p.Map)
	if !complete(c, len(mapped)) {
		c.Subject = fillSubject(c.Subject, p.Subject)
	}
	c.Preset, c.Map = p.Name, mapped
	if len(c.Groups.From) == 0 {
		c.Groups.From = p.Groups
		if c.Groups.Split == "" {
			c.Groups.Split = p.Split
		}
	}
	c.CreateElement = c.CreateElement || p.CreateElement
	return nil
}

// complete says that nothing is left to fill: the connection has been filled before, and what its subjects declare
// must not be inferred a second time.
func complete(c *directory.Connection, mapped int) bool {
	return c.Preset != "" && c.Subject.SCIM != "" && len(c.Subject.SSO) > 0 && len(c.Map) == mapped && len(c.Groups.From) > 0
}

// fillSubject keeps what is set. Naming both subjects declares that they carry one value. Naming the sign-in's alone
// says how this provider spells the preset's subject; naming SCIM's alone chooses another identity, of which nothing is
// declared. The resource id is no value of the provider's.
func fillSubject(own, preset directory.Subjects) directory.Subjects {
	filled := own
	filled.SCIM, filled.SSO = preset.SCIM, preset.SSO
	if own.SCIM != "" {
		filled.SCIM = own.SCIM
	}
	if len(own.SSO) > 0 {
		filled.SSO = own.SSO
	}
	switch {
	case own.SCIM != "" && own.SCIM != "id" && len(own.SSO) > 0:
		filled.Same = true
	case filled.SCIM == preset.SCIM:
		filled.Same = filled.Same || preset.Same
	}
	if slices.Equal(filled.SSO, preset.SSO) {
		filled.Mutable = filled.Mutable || preset.Mutable
	}
	return filled
}

func fillMap(own, preset []directory.Mapping) []directory.Mapping {
	filled := make([]directory.Mapping, 0, len(own)+len(preset))
	for _, m := range own {
		m.To = directory.CanonicalName(m.To)
		filled = append(filled, m)
	}
	for _, m := range preset {
		if !slices.ContainsFunc(filled, func(x directory.Mapping) bool { return x.To == m.To }) {
			filled = append(filled, m)
		}
	}
	return filled
}

// Addresses are where one connection is reached.
type Addresses struct {
	Login, SCIM              string
	EntityID, Metadata, ACS  string // SAML
	Callback, Logout, KeySet string // OpenID Connect
}

// AddressesOf a connection below a base URL without a final slash.
func AddressesOf(base, connection string) Addresses {
	root := base + "/c/" + connection
	return Addresses{
		EntityID: root + "/saml/metadata",
		Metadata: root + "/saml/metadata",
		ACS:      root + "/saml/acs",
		Login:    root + "/login",
		SCIM:     root + "/scim/v2",
		Callback: root + "/oidc/callback",
		Logout:   root + "/oidc/backchannel",
		KeySet:   root + "/oidc/jwks",
	}
}

// Guide is the preset's steps with the connection's addresses in them.
func (p Preset) Guide(a Addresses) []string {
	replace := strings.NewReplacer("{entityID}", a.EntityID, "{metadata}", a.Metadata, "{acs}", a.ACS, "{login}", a.Login, "{scim}", a.SCIM,
		"{callback}", a.Callback, "{logout}", a.Logout, "{jwks}", a.KeySet)
	steps := make([]string, len(p.Steps))
	for i, step := range p.Steps {
		steps[i] = replace.Replace(step)
	}
	return steps
}
