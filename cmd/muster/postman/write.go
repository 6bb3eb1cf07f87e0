package postman

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/wneessen/go-mail"

	"muster/directory"
)

// write makes the message of a letter. base is how the world reaches this server.
func write(l *directory.Letter, base, from string) (*mail.Msg, error) {
	m := mail.NewMsg()
	if err := m.From(from); err != nil {
		return nil, fmt.Errorf("the sender %q: %w", from, err)
	}
	if err := m.AddToFormat(line(l.Name), l.To); err != nil {
		return nil, fmt.Errorf("the recipient: %w", err)
	}
	subject, text := says(l, base)
	m.Subject(line(subject))
	m.SetMessageIDWithValue(l.ID.String() + "@" + host(base))
	m.SetDateWithValue(l.Created)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	m.SetBodyString(mail.TypeTextPlain, text)
	return m, nil
}

// says is the subject and the text.
func says(l *directory.Letter, base string) (subject, text string) {
	var b strings.Builder
	if name := line(l.Name); name != "" {
		fmt.Fprintf(&b, "Hello %s,\n\n", name)
	}
	org := line(l.OrgName)
	switch l.Kind {
	case directory.LetterInvitation:
		subject = "You are invited to " + org
		fmt.Fprintf(&b, "you are invited to %s. Sign in with your organisation's own sign-in as %s:\n\n", org, line(l.To))
	case directory.LetterWayIn:
		subject = "How to sign in"
		b.WriteString("somebody, probably you, asked how to sign in with this address. This is the way:\n\n")
	default:
		subject = "Welcome to " + org
		fmt.Fprintf(&b, "you have an account at %s. Sign in with your organisation's own sign-in:\n\n", org)
	}
	for _, way := range l.Ways {
		fmt.Fprintf(&b, "%s/c/%s/login\n", base, url.PathEscape(way)) // and no address, which would stand in logs
	}
	b.WriteString("\nThere is no password to choose here. If this is not about you, do nothing.\n")
	return subject, b.String()
}

// line is a text without line ends and other control characters.
func line(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text))
}

func host(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return "muster.invalid"
	}
	return u.Hostname()
}
