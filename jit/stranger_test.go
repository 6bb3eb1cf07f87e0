package jit_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

func TestStrangersWhoStartSignInsHaveNothingWritten(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	before := s.store.updates.Load()
	for range 20 {
		s.browser().start("corp", "?return_to=%2Fapp")
	}
	if n := s.store.updates.Load() - before; n != 0 {
		t.Errorf("%d transactions that write", n)
	}
	s.in(s.browser().signIn("corp", ada()), "/me")
}

// Several nodes share one store: the answer may come to another one than the request left from.
func TestASignInEndsOnAnotherNodeThanItBegan(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	request, _ := b.start("corp", "?return_to=%2Fapp")
	other := s.node()
	there := *b
	there.scene = other
	jar := b.client.Jar
	at, _ := url.Parse(s.base)
	to, _ := url.Parse(other.base)
	jar.SetCookies(to, jar.Cookies(at))
	// The provider posts to the address that the request named; behind one name there are two nodes.
	response := s.response("corp", request, ada(), samltest.Bend{})
	s.in(there.arrive("corp", response), "/app")
	s.out(b.arrive("corp", response), 403, "unknown_request")
}

func TestALongReturnPathLeavesRoomForTheCookie(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	for path, want := range map[string]string{
		"/" + strings.Repeat("a", 1900):  "/" + strings.Repeat("a", 1900),
		"/?" + strings.Repeat("&", 1900): "/me",
	} {
		request, _ := b.start("corp", "?return_to="+url.QueryEscape(path))
		at, _ := url.Parse(s.base)
		total := 0
		for _, c := range b.client.Jar.Cookies(at) {
			if total += len(c.Name) + len(c.Value); len(c.Value) > 3800 {
				t.Errorf("a cookie of %d bytes", len(c.Value))
			}
		}
		if total > 8<<10 {
			t.Errorf("%d bytes of cookies", total)
		}
		s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), want)
	}
}

// Attack 67: what is wrong with an encrypted assertion makes no difference outside, and who goes on asking has to wait.
func TestAttack67ProbingGetsOneAnswerAndThenHasToWait(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	b.accept = "application/json"
	request, _ := b.start("corp", "")
	bad := s.response("corp", request, ada(), samltest.Bend{Sign: samltest.SignNothing})
	var got reply
	for i := range 400 {
		if got = b.arrive("corp", bad); got.StatusCode == http.StatusTooManyRequests {
			if i < 100 {
				t.Errorf("after %d messages, which one office may send by mistake", i)
			}
			break
		}
		s.out(got, 403, "invalid_assertion")
	}
	s.out(got, 429, "too_many_requests")
	wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 60 {
		t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
	}
	good := s.response("corp", request, ada(), samltest.Bend{})
	s.untouched(func() { s.out(b.arrive("corp", good), 429, "too_many_requests") })
	s.wait(time.Duration(wait) * time.Second)
	s.in(b.arrive("corp", good), "/me")
}

func TestPeopleWhoAreBelievedAreNotCounted(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), directory.Connection{ID: "closed"})
	b := s.browser()
	b.accept = "application/json"
	for range 400 {
		request, _ := b.start("closed", "")
		got := b.arrive("closed", s.response("closed", request, ada(), samltest.Bend{}))
		s.out(got, 403, "not_provisioned")
	}
	s.in(s.browser().signIn("corp", ada()), "/me")
}

// Attack 67, the other half: broken messages are counted, too, before anything is parsed.
func TestAttack67BrokenMessagesAreCounted(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	big := base64.StdEncoding.EncodeToString([]byte("<a>" + strings.Repeat("x", saml.MaxMessage/64) + "</a>"))
	for range 400 {
		if got := b.arrive("corp", big); got.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("400 broken messages were read")
}
