package postman

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	stdmail "net/mail"
	"time"

	"github.com/wneessen/go-mail"

	"muster/directory"
)

// lease is how long a letter is ours. It is longer than sending one may take.
const lease = 2 * time.Minute

// rest is how long there is no work before looking again.
const rest = 2 * time.Second

// Options of a Postman. All must be set.
type Options struct {
	Directory *directory.Directory
	Server    *Server
	From      string // "Name <address>", or an address
	Base      string // how the world reaches this server, without a slash at the end
	Log       *slog.Logger
}

// Postman sends the letters of one directory.
type Postman struct{ Options }

// New prepares a postman. It refuses a sender that is no address.
func New(o Options) (*Postman, error) {
	if _, err := stdmail.ParseAddress(o.From); err != nil {
		return nil, fmt.Errorf("mail is sent from an address, such as \"Acme <id@acme.example>\", not %q", o.From)
	}
	return &Postman{o}, nil
}

// Run sends what is due, until ctx ends.
func (p *Postman) Run(ctx context.Context) {
	for {
		more, err := p.Deliver(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.Log.ErrorContext(ctx, "letters cannot be read", "error", err)
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

// Deliver sends one letter, and says whether there was one.
func (p *Postman) Deliver(ctx context.Context) (more bool, err error) {
	l, err := p.Directory.ClaimLetter(ctx, lease)
	if l == nil || err != nil {
		return false, err
	}
	log := p.Log.With("letter", l.ID, "kind", l.Kind, "org", l.Org, "conn", l.Connection, "user", l.User)
	switch err := p.send(ctx, l); {
	case err == nil:
		log.InfoContext(ctx, "letter sent")
		return true, p.Directory.LetterSent(ctx, l)
	case isRefused(err):
		log.WarnContext(ctx, "letter refused; it is not sent again", "error", err)
		return true, p.Directory.LetterSent(ctx, l)
	default:
		again, failed := p.Directory.LetterFailed(ctx, l)
		log.WarnContext(ctx, "letter not sent", "error", err, "tries", l.Tries, "again", again)
		return true, failed
	}
}

func (p *Postman) send(ctx context.Context, l *directory.Letter) error {
	m, err := write(l, p.Base, p.From)
	if err != nil {
		return errUnwritable{err}
	}
	client, err := p.Server.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return client.DialAndSendWithContext(ctx, m)
}

// errUnwritable is a letter to what is no address.
type errUnwritable struct{ error }

// isRefused: the server takes no mail to this recipient, now or later. What is wrong with the server or with our account
// there is no reason to drop a letter.
func isRefused(err error) bool {
	if _, ok := errors.AsType[errUnwritable](err); ok {
		return true
	}
	refused, ok := errors.AsType[*mail.SendError](err)
	return ok && refused.Reason == mail.ErrSMTPRcptTo && !refused.IsTemp()
}
