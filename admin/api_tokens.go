package admin

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"muster/directory"
)

// tokenView is a token without its secret, which is not kept.
type tokenView struct {
	Name       string              `json:"name"`
	Kind       directory.TokenKind `json:"kind"`
	Org        string              `json:"org,omitempty"`
	Connection string              `json:"connection,omitempty"`
	Role       directory.AdminRole `json:"role,omitempty"`
	By         string              `json:"by,omitempty"`
	Created    time.Time           `json:"created"`
	Expires    time.Time           `json:"expires,omitzero"`
	Used       time.Time           `json:"used,omitzero" doc:"the last use, coarse"`
}

type tokensOutput struct {
	Body struct {
		Items []tokenView `json:"items"`
	}
}

// orgTokenBody is a new token of an organisation.
type orgTokenBody struct {
	Name       string              `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Kind       directory.TokenKind `json:"kind" required:"true" enum:"scim,app,admin"`
	Connection string              `json:"connection,omitempty" doc:"whose, for kind scim"`
	Role       directory.AdminRole `json:"role,omitempty" enum:"auditor,helpdesk,admin" doc:"for kind admin"`
	Lifetime   duration            `json:"lifetime,omitzero" doc:"such as 2160h; for ever when left out"`
}

type orgTokenInput struct {
	Org  string `path:"org"`
	Body orgTokenBody
}

// newTokenOutput shows the secret, this once.
type newTokenOutput struct {
	Body struct {
		Secret string    `json:"secret" doc:"shown this once"`
		Token  tokenView `json:"token"`
	}
}

type instanceTokenInput struct {
	Body struct {
		Name     string   `json:"name" required:"true" minLength:"1" maxLength:"100"`
		Lifetime duration `json:"lifetime,omitzero" doc:"such as 2160h; for ever when left out"`
	}
}

type revokeOrgToken struct {
	Org        string              `path:"org"`
	Kind       directory.TokenKind `path:"kind" enum:"scim,app,admin"`
	Name       string              `path:"name"`
	Connection string              `query:"connection" doc:"whose, for kind scim"`
}

type revokeToken struct {
	Name string `path:"name"`
}

func (s *Server) tokenOperations() {
	const tokens = "/orgs/{org}/tokens"
	add(s, operation{http.MethodGet, tokens, directory.OrgAdmin, "list-tokens", "The tokens of an organisation: of connections, applications and for this API", 0},
		func(ctx context.Context, c *call, _ *orgInput) (*tokensOutput, error) {
			return s.listTokens(ctx, c.org())
		})
	add(s, operation{http.MethodPost, tokens, directory.OrgAdmin, "create-token", "Make a token, or give a new secret to the one of that name", http.StatusCreated},
		func(ctx context.Context, c *call, in *orgTokenInput) (*newTokenOutput, error) {
			return s.issue(ctx, c, in.Body.Lifetime, directory.Token{Org: c.org(), Connection: in.Body.Connection, Name: in.Body.Name, Kind: in.Body.Kind, Role: in.Body.Role})
		})
	add(s, operation{http.MethodDelete, tokens + "/{kind}/{name}", directory.OrgAdmin, "revoke-token", "End a token, at once", http.StatusNoContent},
		func(ctx context.Context, c *call, in *revokeOrgToken) (*struct{}, error) {
			return nil, s.endToken(ctx, c.acting, directory.Token{Org: c.org(), Connection: in.Connection, Name: in.Name, Kind: in.Kind})
		})
	add(s, operation{http.MethodGet, "/tokens", directory.Operator, "list-instance-tokens", "The operators' tokens", 0},
		func(ctx context.Context, _ *call, _ *struct{}) (*tokensOutput, error) { return s.listTokens(ctx, "") })
	add(s, operation{http.MethodPost, "/tokens", directory.Operator, "create-instance-token", "Make an operator's token", http.StatusCreated},
		func(ctx context.Context, c *call, in *instanceTokenInput) (*newTokenOutput, error) {
			return s.issue(ctx, c, in.Body.Lifetime, directory.Token{Name: in.Body.Name, Kind: directory.AdminToken, Role: directory.Operator})
		})
	add(s, operation{http.MethodDelete, "/tokens/{name}", directory.Operator, "revoke-instance-token", "End an operator's token, at once", http.StatusNoContent},
		func(ctx context.Context, c *call, in *revokeToken) (*struct{}, error) {
			return nil, s.endToken(ctx, c.acting, directory.Token{Name: in.Name, Kind: directory.AdminToken})
		})
}

func (s *Server) listTokens(ctx context.Context, org string) (*tokensOutput, error) {
	list, err := s.directory.Tokens(ctx, org)
	out := &tokensOutput{}
	out.Body.Items = []tokenView{}
	for _, t := range list {
		out.Body.Items = append(out.Body.Items, tokenViewOf(t))
	}
	return out, err
}

func tokenViewOf(t directory.Token) tokenView {
	return tokenView{t.Name, t.Kind, t.Org, t.Connection, t.Role, t.By, t.Created, t.Expires, t.Used}
}

// issue makes a token, for the API.
func (s *Server) issue(ctx context.Context, c *call, lifetime duration, t directory.Token) (*newTokenOutput, error) {
	if (t.Kind == directory.SCIMToken) != (t.Connection != "") {
		return nil, refuse(http.StatusUnprocessableEntity, "invalid", "A connection goes with the kind scim, and only with it.",
			fieldError{Field: "connection", Detail: "goes with the kind scim"})
	}
	if lifetime > 0 {
		t.Expires = s.now().Add(time.Duration(lifetime))
	}
	if t.Kind != directory.AdminToken {
		t.Role = ""
	}
	secret, err := s.makeToken(ctx, c.acting, t)
	if err != nil {
		return nil, err
	}
	t.By, t.Created = c.acting.Name, s.now()
	out := &newTokenOutput{}
	out.Body.Secret, out.Body.Token = secret, tokenViewOf(t)
	return out, nil
}

// makeToken makes a token that gives no more than its maker has, and returns its secret.
func (s *Server) makeToken(ctx context.Context, by directory.Acting, t directory.Token) (secret string, err error) {
	if err := by.MayIssue(t); err != nil {
		return "", err
	}
	t.By = by.Name
	secret = rand.Text() + rand.Text()
	_, err = s.directory.SetToken(ctx, t, secret)
	return secret, err
}

// endToken revokes a token that gives no more than somebody has.
func (s *Server) endToken(ctx context.Context, by directory.Acting, t directory.Token) error {
	known, err := s.directory.Tokens(ctx, t.Org)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.Kind == t.Kind && k.Name == t.Name && k.Connection == t.Connection {
			t.Role = k.Role
		}
	}
	if t.Kind == directory.AdminToken && t.Role == "" {
		return directory.ErrNotFound
	}
	if err := by.MayIssue(t); err != nil {
		return err
	}
	t.By = by.Name
	return s.directory.RevokeToken(ctx, t)
}
