package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// tokens are what the token endpoint gives for a code.
type tokens struct{ id, access string }

// exchange redeems the code.
func (rp *RelyingParty) exchange(ctx context.Context, metadata *Metadata, code, verifier string) (tokens, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	config, options, err := rp.authenticated(metadata)
	if err != nil {
		return tokens{}, err
	}
	options = append(options, oauth2.VerifierOption(verifier))
	ctx = oidc.ClientContext(ctx, rp.Provider.strictClient())
	token, err := config.Exchange(ctx, code, options...)
	if rp.SecretIn == AnyPlace && wantsSecretInBody(err, config, metadata) {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
		token, err = config.Exchange(ctx, code, options...)
	}
	if err != nil {
		return tokens{}, exchangeError(err)
	}
	id, ok := token.Extra("id_token").(string)
	switch {
	case !ok || id == "":
		return tokens{}, refuse(ReasonNoToken, "the token endpoint gave no id_token; is the scope openid permitted?")
	case len(id) > MaxToken:
		return tokens{}, refuse(ReasonTooLarge, "the ID token has %d bytes", len(id))
	}
	return tokens{id, token.AccessToken}, nil
}

// authenticated is how this client proves itself to the token endpoint: by its key, its secret, or not at all. The
// secret goes where SecretIn says.
func (rp *RelyingParty) authenticated(metadata *Metadata) (*oauth2.Config, []oauth2.AuthCodeOption, error) {
	config := &oauth2.Config{
		ClientID:    rp.ClientID,
		RedirectURL: rp.RedirectURL,
		Endpoint:    oauth2.Endpoint{TokenURL: metadata.Token, AuthStyle: oauth2.AuthStyleInParams},
	}
	if rp.Key != nil {
		assertion, err := rp.Key.assert(rp.ClientID, metadata.Token, rp.Provider.now())
		return config, []oauth2.AuthCodeOption{
			oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
			oauth2.SetAuthURLParam("client_assertion", assertion),
		}, err
	}
	config.ClientSecret = rp.ClientSecret
	if rp.ClientSecret != "" && !rp.secretInBody(metadata) {
		config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return config, nil, nil
}

func (rp *RelyingParty) secretInBody(metadata *Metadata) bool {
	if rp.SecretIn != AnyPlace {
		return rp.SecretIn == InBody
	}
	return slices.Contains(metadata.ClientMethods, "client_secret_post") && !slices.Contains(metadata.ClientMethods, "client_secret_basic")
}

// wantsSecretInBody says that a client may be registered for the other place of its secret, which discovery cannot tell.
// A client that was not recognised has not used up its code.
func wantsSecretInBody(err error, config *oauth2.Config, metadata *Metadata) bool {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && refused.ErrorCode == "invalid_client" && config.Endpoint.AuthStyle == oauth2.AuthStyleInHeader &&
		slices.Contains(metadata.ClientMethods, "client_secret_post")
}

// exchangeError quotes what the provider says and nothing that was sent.
func exchangeError(err error) *Error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if refused.Response.StatusCode >= http.StatusInternalServerError {
			return refuse(ReasonUnavailable, "the token endpoint answers %d", refused.Response.StatusCode)
		}
		return refuse(ReasonExchange, "the token endpoint answers %d, error %.100q: %.300q",
			refused.Response.StatusCode, refused.ErrorCode, refused.ErrorDescription)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return because(ReasonUnavailable, err, "the token endpoint cannot be reached")
	}
	return because(ReasonExchange, err, "the token endpoint's answer cannot be read")
}
