package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// pusher is an identity provider's SCIM client.
type pusher struct {
	root   string // of the connection's SCIM endpoint
	token  string
	client *http.Client
}

func newPusher(base, connection, token string) *pusher {
	return &pusher{root: base + "/c/" + connection + "/scim/v2", token: token, client: &http.Client{Timeout: 30 * time.Second}}
}

// body is a JSON object to send.
type body map[string]any

const (
	userSchema  = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// okta plays what Okta sends when provisioning is switched on: a first page, a search, the user, then the group with
// its member. It returns the user's id.
func (p *pusher) okta(ctx context.Context, person demoPerson) (string, error) {
	if _, err := p.call(ctx, http.MethodGet, "/Users?startIndex=1&count=2", nil); err != nil {
		return "", err
	}
	if err := p.absent(ctx, "/Users?filter="+url.QueryEscape(`userName eq "`+person.Email+`"`)+"&startIndex=1&count=100"); err != nil {
		return "", err
	}
	user, err := p.call(ctx, http.MethodPost, "/Users", body{
		"schemas": []string{userSchema}, "userName": person.Email, "externalId": person.ID, "active": true, "locale": "en-US",
		"name":   body{"givenName": person.Given, "familyName": person.Family},
		"emails": []body{{"primary": true, "value": person.Email, "type": "work"}}, "displayName": person.Name(), "groups": []body{},
	})
	if err != nil {
		return "", err
	}
	group, err := p.call(ctx, http.MethodPost, "/Groups", body{"schemas": []string{groupSchema}, "displayName": person.Group, "members": []body{}})
	if err != nil {
		return "", err
	}
	_, err = p.call(ctx, http.MethodPatch, "/Groups/"+group, body{"schemas": []string{patchSchema}, "Operations": []body{
		{"op": "add", "path": "members", "value": []body{{"value": user, "display": person.Email}}},
	}})
	return user, err
}

// entra plays Entra ID's connection test and first cycle: searches for somebody who cannot exist, a search for each
// object, the user, the group, then the membership.
func (p *pusher) entra(ctx context.Context, person demoPerson) (string, error) {
	for _, search := range []string{
		"/Users?filter=userName+eq+%22non-existing-user%22",
		"/Groups?excludedAttributes=members&filter=displayName+eq+%22non-existing-group%22",
		"/Users?filter=externalId+eq+%22" + person.ID + "%22",
	} {
		if err := p.absent(ctx, search); err != nil {
			return "", err
		}
	}
	user, err := p.call(ctx, http.MethodPost, "/Users", body{
		"schemas":    []string{userSchema, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},
		"externalId": person.ID, "userName": person.Email, "active": true, "displayName": person.Name(), "meta": body{"resourceType": "User"},
		"name":   body{"formatted": person.Name(), "familyName": person.Family, "givenName": person.Given},
		"emails": []body{{"primary": true, "type": "work", "value": person.Email}}, "roles": []body{},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": body{"department": person.Group},
	})
	if err != nil {
		return "", err
	}
	if err := p.absent(ctx, "/Groups?excludedAttributes=members&filter=displayName+eq+%22"+person.Group+"%22"); err != nil {
		return "", err
	}
	group, err := p.call(ctx, http.MethodPost, "/Groups", body{
		"schemas": []string{groupSchema}, "externalId": "b3d1a7c0-" + person.Group, "displayName": person.Group, "meta": body{"resourceType": "Group"},
	})
	if err != nil {
		return "", err
	}
	_, err = p.call(ctx, http.MethodPatch, "/Groups/"+group, body{"schemas": []string{patchSchema}, "Operations": []body{
		{"op": "Add", "path": "members", "value": []body{{"$ref": nil, "value": user}}},
	}})
	return user, err
}

// absent searches, and reports when somebody is found: then the push would update instead.
func (p *pusher) absent(ctx context.Context, search string) error {
	var list struct{ TotalResults int }
	answer, err := p.send(ctx, http.MethodGet, search, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return fmt.Errorf("GET %s: %w", search, err)
	}
	if list.TotalResults != 0 {
		return fmt.Errorf("GET %s: %d found in an empty directory", search, list.TotalResults)
	}
	return nil
}

// call sends a request and returns the id of the resource answered, "" when there is none.
func (p *pusher) call(ctx context.Context, method, path string, content body) (id string, err error) {
	answer, err := p.send(ctx, method, path, content)
	if err != nil || len(answer) == 0 {
		return "", err
	}
	var resource struct{ ID string }
	if err := json.Unmarshal(answer, &resource); err != nil {
		return "", fmt.Errorf("%s %s: %w", method, path, err)
	}
	return resource.ID, nil
}

func (p *pusher) send(ctx context.Context, method, path string, content body) ([]byte, error) {
	var sent io.Reader
	if content != nil {
		text, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.root+path, sent)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Accept", "application/scim+json")
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	return answer, err
}
