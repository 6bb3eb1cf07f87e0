package oidc

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxSubject bounds sub (Core §2), in characters.
const maxSubject = 255

// check judges an ID token by what was kept. The order puts what an administrator would look at first in front.
func (rp *RelyingParty) check(token *protocol, kept Kept) error {
	if err := rp.checkParties(token); err != nil {
		return err
	}
	clock := rp.clock()
	if err := clock.checkWindow(token); err != nil {
		return err
	}
	if err := checkNonce(token, kept); err != nil {
		return err
	}
	if err := checkSubject(token.subject); err != nil {
		return err
	}
	if err := clock.checkAuthTime(token, kept.MaxAge); err != nil {
		return err
	}
	return checkACR(token.acr, kept.ACR)
}

// checkACR holds the provider to the ways of authenticating that were asked for: it may answer with others (Core 5.5.1.1).
func checkACR(stated string, asked []string) error {
	if len(asked) > 0 && !slices.Contains(asked, stated) {
		return refuse(ReasonACR, "the person authenticated by %.100q (acr); asked for was one of %q", stated, asked)
	}
	return nil
}

// checkParties: of several audiences, azp says for which client the token was made (Core 3.1.3.7).
func (rp *RelyingParty) checkParties(token *protocol) error {
	switch {
	case token.issuer != rp.Provider.Issuer:
		return refuse(ReasonIssuer, "the token is issued by %.300q, expected %q", token.issuer, rp.Provider.Issuer)
	case !token.isFor(rp.ClientID):
		return refuse(ReasonAudience, "the token is for %.300q, expected %q", token.audience, rp.ClientID)
	case token.party != "" && token.party != rp.ClientID:
		return refuse(ReasonAudience, "the token is made for client %.300q (azp), expected %q", token.party, rp.ClientID)
	case len(token.audience) > 1 && token.party == "":
		return refuse(ReasonAudience, "the token is for %.300q and does not say for which of them it was made (azp)", token.audience)
	}
	return nil
}

func checkNonce(token *protocol, kept Kept) error {
	if kept.Nonce == "" || subtle.ConstantTimeCompare([]byte(token.nonce), []byte(kept.Nonce)) != 1 {
		return refuse(ReasonNonce, "the token was made for another sign-in, or does not say for which")
	}
	return nil
}

// checkSubject refuses an identifier that is none, and one that has lost characters on its way.
func checkSubject(subject string) error {
	unreadable := func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
	switch {
	case strings.TrimSpace(subject) == "":
		return refuse(ReasonSubject, "the token names nobody: sub is missing or empty")
	case utf8.RuneCountInString(subject) > maxSubject || strings.ContainsFunc(subject, unreadable):
		return refuse(ReasonSubject, "sub has more than %d characters, or some that are none: %.300q", maxSubject, subject)
	}
	return nil
}

// clock is one reading of ours, and how far theirs may differ.
type clock struct {
	now  time.Time
	skew time.Duration
}

func (c clock) checkWindow(token *protocol) error {
	if token.expires.IsZero() {
		return refuse(ReasonExpired, "the token has no end (exp)")
	}
	if err := c.checkIssued(token.issued); err != nil {
		return err
	}
	if token.notBefore.After(c.now.Add(c.skew)) {
		return refuse(ReasonNotYetValid, "nbf is %s", c.difference(token.notBefore))
	}
	return c.checkEnd(token.expires)
}

func (c clock) checkIssued(issued time.Time) error {
	switch {
	case issued.IsZero():
		return refuse(ReasonClaims, "the token does not say when it was issued (iat)")
	case issued.After(c.now.Add(c.skew)):
		return refuse(ReasonNotYetValid, "iat is %s", c.difference(issued))
	case c.now.After(issued.Add(MaxAge + c.skew)):
		return refuse(ReasonExpired, "iat is %s; a token is accepted for %s", c.difference(issued), MaxAge)
	}
	return nil
}

func (c clock) checkEnd(end time.Time) error {
	if !c.now.Before(end.Add(c.skew)) {
		return refuse(ReasonExpired, "exp is %s", c.difference(end))
	}
	return nil
}

// checkAuthTime holds the provider to the age of authentication that was asked for, if one was (Core 3.1.3.7, 13).
func (c clock) checkAuthTime(token *protocol, maxAge time.Duration) error {
	switch {
	case maxAge <= 0:
		return nil
	case token.authenticated.IsZero():
		return refuse(ReasonAuthTime, "the token does not say when the person authenticated, though max_age was asked for")
	case c.now.After(token.authenticated.Add(maxAge + c.skew)):
		return refuse(ReasonAuthTime, "auth_time is %s; at most %s were asked for", c.difference(token.authenticated), maxAge)
	}
	return nil
}

// end is when a token has ceased to be acceptable. A stated end of zero is none.
func (c clock) end(issued, stated time.Time) time.Time {
	end := issued.Add(MaxAge)
	if !stated.IsZero() && stated.Before(end) {
		end = stated
	}
	return end.Add(c.skew)
}

// difference tells a time so that a wrong clock shows.
func (c clock) difference(stated time.Time) string {
	const layout = "2006-01-02T15:04:05Z"
	direction := "ahead of"
	if stated.Before(c.now) {
		direction = "behind"
	}
	return fmt.Sprintf("%s, %s %s our clock %s (%s are tolerated)", stated.Format(layout),
		stated.Sub(c.now).Abs().Round(time.Second), direction, c.now.Format(layout), c.skew)
}
