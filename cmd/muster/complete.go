package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"muster/directory"
	"muster/jit"
	"muster/jit/fetch"
	"muster/jit/saml"
)

// completer fills in what a connection's preset knows and holds its SAML metadata to be readable, as an apply file's is.
// A document named by address alone is got from there.
func completer(client *http.Client) func(context.Context, *directory.Connection) error {
	if client == nil {
		client = fetch.Client(fetch.Options{})
	}
	return func(ctx context.Context, c *directory.Connection) error {
		if err := jit.Fill(c); err != nil {
			return err
		}
		trust := c.SAML
		if trust == nil {
			return nil
		}
		if len(trust.Metadata) == 0 && trust.MetadataURL == "" {
			return errors.New("saml: metadata is missing")
		}
		if len(trust.Metadata) == 0 {
			document, err := fetch.Get(ctx, client, trust.MetadataURL)
			if err != nil {
				return err
			}
			trust.Metadata = document
		}
		parsed, err := saml.ParseMetadata(trust.Metadata, saml.MetadataOptions{EntityID: trust.EntityID, Now: time.Now()})
		if err != nil {
			return err
		}
		trust.EntityID = parsed.EntityID
		return nil
	}
}
