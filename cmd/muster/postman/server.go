package postman

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// sendTimeout bounds one letter, from dialling to the last answer.
const sendTimeout = 30 * time.Second

// Server is where mail goes.
type Server struct {
	host     string
	port     int
	implicit bool // TLS from the first byte
	user     string
	password string
	// TLS is for tests with a certificate of their own; nil: the system's.
	TLS *tls.Config
}

// ParseServer reads smtp://USER:PASSWORD@HOST:PORT, which changes to TLS before anything is said (STARTTLS), or
// smtps://..., which begins with it. Ports are 587 and 465 unless named. Errors show nothing of the URL.
func ParseServer(raw string) (*Server, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the SMTP URL cannot be read; it is like smtp://USER:PASSWORD@HOST:587, with special characters escaped")
	}
	s := &Server{host: u.Hostname(), port: 587}
	switch {
	case u.Scheme == "smtps":
		s.implicit, s.port = true, 465
	case u.Scheme != "smtp":
		return nil, errors.New("the SMTP URL begins with smtp:// or smtps://")
	}
	if s.host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the SMTP URL names a host and nothing behind it, such as smtp://USER:PASSWORD@HOST:587")
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errors.New("the SMTP URL's port is no number")
		}
	}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	return s, nil
}

// String names the server without its password.
func (s *Server) String() string { return fmt.Sprintf("%s:%d", s.host, s.port) }

// policy is the encryption that must be. A server on this machine may have none.
func (s *Server) policy() mail.TLSPolicy {
	if ip, err := netip.ParseAddr(s.host); err == nil && ip.IsLoopback() || strings.EqualFold(s.host, "localhost") {
		return mail.TLSOpportunistic
	}
	return mail.TLSMandatory
}

func (s *Server) client() (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(s.port), mail.WithTimeout(sendTimeout), mail.WithTLSPolicy(s.policy())}
	if s.implicit {
		options = append(options, mail.WithSSL())
	}
	if s.TLS != nil {
		options = append(options, mail.WithTLSConfig(s.TLS))
	}
	if s.user != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.user), mail.WithPassword(s.password))
	}
	return mail.NewClient(s.host, options...)
}
