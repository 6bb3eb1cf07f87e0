package jit

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"muster/directory"
	"muster/jit/saml"
)

// Warning tells of what keeps people from signing in through a connection, or soon will.
type Warning struct {
	Code   WarningCode `json:"code"`
	Detail string      `json:"detail"`
	// Due is when it begins to hurt, zero if it does already or if that is not known.
	Due time.Time `json:"due,omitzero"`
}

func (w Warning) String() string { return w.Detail }

// WarningCode is stable.
type WarningCode string

// The codes.
const (
	WarnCertificate    WarningCode = "certificate_expires"  // of the provider's signing certificates
	WarnMetadata       WarningCode = "metadata_expires"     // its validUntil
	WarnUnreadable     WarningCode = "metadata_unreadable"  //
	WarnNotRefreshed   WarningCode = "metadata_not_renewed" // the last tries failed
	WarnOwnCertificate WarningCode = "own_certificate_expires"
)

// warnAhead is how long before its end a certificate or document is warned about.
const warnAhead = 30 * 24 * time.Hour

// Warnings are those of one connection now. It fetches nothing.
func Warnings(ctx context.Context, d *directory.Directory, c *directory.Connection, now time.Time) ([]Warning, error) {
	if c.SAML == nil || c.State == directory.Retired {
		return nil, nil
	}
	list := metadataWarnings(c.SAML, now)
	if c.SAML.MetadataURL != "" {
		state, err := d.MetadataState(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		if state.URL == c.SAML.MetadataURL && state.Failure != "" {
			list = append(list, Warning{Code: WarnNotRefreshed, Detail: fmt.Sprintf(
				"the metadata at %s could not be renewed at %s, %s; %s", state.URL, stamp(state.Checked), since(state.Fresh), state.Failure)})
		}
	}
	keys, err := Keys(ctx, d, c)
	if err != nil || len(keys) == 0 {
		return list, err
	}
	own, err := x509.ParseCertificate(keys[0].Public)
	if err != nil {
		return nil, err
	}
	return append(list, endOf(WarnOwnCertificate, "our own certificate "+saml.Fingerprint(own), own.NotAfter, now)...), nil
}

func metadataWarnings(trust *directory.SAMLTrust, now time.Time) []Warning {
	metadata, err := saml.ParseMetadata(trust.Metadata, saml.MetadataOptions{EntityID: trust.EntityID})
	if err != nil {
		return []Warning{{Code: WarnUnreadable, Detail: err.Error()}}
	}
	list := endOf(WarnMetadata, "the identity provider's metadata (validUntil)", metadata.ValidUntil, now)
	for _, certificate := range metadata.Certificates {
		list = append(list, endOf(WarnCertificate, "the identity provider's certificate "+saml.Fingerprint(certificate), certificate.NotAfter, now)...)
	}
	return list
}

// endOf is the warning about an end that is near or past, none otherwise.
func endOf(code WarningCode, what string, end, now time.Time) []Warning {
	switch {
	case end.IsZero() || end.After(now.Add(warnAhead)):
		return nil
	case !now.Before(end):
		return []Warning{{Code: code, Detail: what + " ran out at " + stamp(end), Due: end}}
	}
	return []Warning{{Code: code, Detail: fmt.Sprintf("%s runs out at %s, in %d days", what, stamp(end), int(end.Sub(now).Hours()/24)), Due: end}}
}

func since(fresh time.Time) string {
	if fresh.IsZero() {
		return "nor before"
	}
	return "the last good copy is of " + stamp(fresh)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
