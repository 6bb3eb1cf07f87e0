package admin

import (
	"context"
	"errors"
	"net/http"

	"muster/directory"
)

// Application is everything that an apply file wants, read: what `muster apply` sends.
type Application struct {
	Setups []AppliedSetup `json:"setups" required:"true" maxItems:"10000"`
	Tokens []AppliedToken `json:"tokens,omitempty" maxItems:"10000"`
}

// AppliedSetup is one organisation in the directory's own form; durations are nanoseconds, documents base64.
type AppliedSetup struct {
	Org         directory.Org          `json:"org"`
	Connections []directory.Connection `json:"connections,omitempty"`
}

// AppliedToken is a token with the secret that it shall have.
type AppliedToken struct {
	Token  directory.Token `json:"token"`
	Secret string          `json:"secret" minLength:"20" maxLength:"4096"`
}

type applyInput struct{ Body Application }

type appliedOutput struct {
	Body struct {
		Changed []string `json:"changed"`
	}
}

func (s *Server) applyOperations() {
	add(s, operation{http.MethodPost, "/apply", directory.Operator, "apply", "Bring organisations, connections and tokens to a wanted state (muster apply)", 0}, s.callApply)
}

// callApply holds the tokens against what is there before anything is written.
func (s *Server) callApply(ctx context.Context, c *call, in *applyInput) (*appliedOutput, error) {
	for _, t := range in.Body.Tokens {
		known, err := s.directory.Authenticate(ctx, t.Secret)
		if err == nil && (known.Org != t.Token.Org || known.Connection != t.Token.Connection || known.Kind != t.Token.Kind || known.Name != t.Token.Name) {
			return nil, refuse(http.StatusConflict, "uniqueness", "The secret of the token "+t.Token.Name+" is already that of another one. Nothing was changed.")
		}
		if err != nil && !errors.Is(err, directory.ErrUnauthorized) {
			return nil, err
		}
	}
	setups := make([]directory.Setup, len(in.Body.Setups))
	for i, wanted := range in.Body.Setups {
		setups[i] = directory.Setup{Org: wanted.Org, Connections: wanted.Connections}
	}
	changed, err := s.directory.Configure(ctx, c.acting.Source(), setups)
	if err != nil {
		return nil, err
	}
	out := &appliedOutput{}
	out.Body.Changed = append([]string{}, changed...)
	for _, t := range in.Body.Tokens {
		t.Token.By = c.acting.Name
		set, err := s.directory.SetToken(ctx, t.Token, t.Secret)
		if err != nil {
			return nil, err
		}
		if set {
			out.Body.Changed = append(out.Body.Changed, "token "+t.Token.Name+" of "+t.Token.Org+t.Token.Connection+" set")
		}
	}
	return out, nil
}
