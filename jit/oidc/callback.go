package oidc

import (
	"crypto/subtle"
	"net/url"
)

// maxParameter bounds each parameter of a reply, in bytes. Some providers' codes are tokens themselves.
const maxParameter = 8 << 10

// State is the state that a reply names, by which what was kept is found. It says nothing about whose it is.
func State(callback url.Values) (string, error) {
	state, err := one(callback, "state")
	if err == nil && state == "" {
		err = refuse(ReasonMalformed, "the reply has no state")
	}
	return state, err
}

// one returns a parameter, "" if it is not there. None may stand twice (RFC 6749 §3.1).
func one(callback url.Values, name string) (string, error) {
	values := callback[name]
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", refuse(ReasonMalformed, "the reply has %d parameters %s", len(values), name)
	case len(values[0]) > maxParameter:
		return "", refuse(ReasonTooLarge, "the parameter %s has %d bytes", name, len(values[0]))
	}
	return values[0], nil
}

// checkState holds the reply against what was kept, and what was kept against this relying party.
func (rp *RelyingParty) checkState(kept Kept, callback url.Values) error {
	state, err := State(callback)
	switch {
	case err != nil:
		return err
	case kept.State == "" || subtle.ConstantTimeCompare([]byte(state), []byte(kept.State)) != 1:
		return refuse(ReasonState, "the reply answers another request")
	case kept.Issuer != rp.Provider.Issuer || kept.ClientID != rp.ClientID || kept.RedirectURL != rp.RedirectURL:
		return refuse(ReasonState, "the reply answers a request of client %q at %q, redirected to %q", kept.ClientID, kept.Issuer, kept.RedirectURL)
	}
	return nil
}

// reply is what the browser carries besides the state.
type reply struct{ issuer, code, refusal, description string }

func readReply(callback url.Values) (reply, error) {
	var r reply
	for name, field := range map[string]*string{
		"iss": &r.issuer, "code": &r.code, "error": &r.refusal, "error_description": &r.description,
	} {
		value, err := one(callback, name)
		if err != nil {
			return r, err
		}
		*field = value
	}
	return r, nil
}

// check looks at the issuer first, for an error may come from another provider, too (RFC 9207 §2.4).
func (r reply) check(metadata *Metadata) error {
	switch {
	case r.issuer != "" && r.issuer != metadata.Issuer:
		return refuse(ReasonMixUp, "the reply comes from %.300q, expected %q (iss)", r.issuer, metadata.Issuer)
	case r.issuer == "" && metadata.IssuerInReply:
		return refuse(ReasonMixUp, "the reply does not say whose it is (iss), though the provider announces that its replies do")
	case r.refusal != "":
		return refuse(ReasonDeclined, "the provider reports %.100q: %.300q", r.refusal, r.description)
	case r.code == "":
		return refuse(ReasonMalformed, "the reply has neither code nor error")
	}
	return nil
}
