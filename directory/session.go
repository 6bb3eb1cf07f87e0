package directory

import (
	"context"
	"time"
)

// Session is one signed-in browser. It is kept by the hash of its secret, and
// every use of it checks current access.
type Session struct {
	Org        string
	User       ID
	Connection string
	Issuer     string
	Subject    string
	// SessionIndex is the identity provider's name for it, for single logout.
	SessionIndex string
	Created      time.Time
	Expires      time.Time
}

// StartSession keeps a session and returns its secret, 43 characters. It
// refuses when the user may not sign in right now.
func (d *Directory) StartSession(ctx context.Context, s Session) (secret string, err error) {
	return d.startSession(ctx, s)
}

// Session returns the live session of a secret with the effective view of its
// user. ErrUnauthorized when it is unknown, ended or expired, and a Refusal
// when the user's access ended in the meantime.
func (d *Directory) Session(ctx context.Context, secret string) (Session, *Profile, error) {
	return d.session(ctx, secret)
}

// EndSession forgets a session; an unknown one is no error.
func (d *Directory) EndSession(ctx context.Context, secret string) error {
	return d.endSession(ctx, secret)
}
