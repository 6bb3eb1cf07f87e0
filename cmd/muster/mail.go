package main

import (
	"context"
	"errors"
	"log/slog"

	"muster/cmd/muster/postman"
	"muster/directory"
)

// post is what a server does with letters: nothing, where it has nowhere to send them.
type post struct {
	run func(context.Context)                           // sends what is due, until its context ends
	ask func(ctx context.Context, address string) error // queues the ways in; nil: there is no mail
}

// postOffice opens where the settings name a mail server.
func postOffice(d *directory.Directory, s settings, base string, log *slog.Logger) (post, error) {
	if s.SMTPURL == "" && s.MailFrom == "" {
		return post{run: func(context.Context) {}}, nil
	}
	if s.SMTPURL == "" || s.MailFrom == "" {
		return post{}, errors.New("mail needs both smtp-url and mail-from")
	}
	server, err := postman.ParseServer(s.SMTPURL)
	if err != nil {
		return post{}, err
	}
	man, err := postman.New(postman.Options{Directory: d, Server: server, From: s.MailFrom, Base: base, Log: log})
	if err != nil {
		return post{}, err
	}
	return post{run: man.Run, ask: d.AskForWayIn}, nil
}
