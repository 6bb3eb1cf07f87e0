package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/directory/engine/memory"
)

// wired is a whole server on a new directory in memory.
func wired(t *testing.T, o handlerOptions) (handlers, *memory.Engine) {
	t.Helper()
	e := memory.New(memory.Options{})
	d, err := directory.Open(t.Context(), e, directory.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	o.base = "http://127.0.0.1:8080"
	h, err := newHandlers(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return h, e
}

func ask(h http.Handler, method, path string, header http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, strings.NewReader("x=y"))
	for name := range header {
		request.Header.Set(name, header.Get(name))
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer
}

// surrounded is a server with what wraps every request, and a route that does what the test wants.
func surrounded(log *slog.Logger, h echo.HandlerFunc) *echo.Echo {
	e := echo.New()
	surround(e, log, maxBody)
	e.Any("/route", h)
	return e
}

func TestAPanicIsAnsweredWithoutDetailAndLoggedUnderItsCorrelationID(t *testing.T) {
	var log strings.Builder
	h := surrounded(slog.New(slog.NewTextHandler(&log, nil)), func(echo.Context) error { panic("a secret of the house") })
	answer := ask(h, http.MethodGet, "/route", http.Header{"X-Request-Id": {"request-0815"}})
	if answer.Code != http.StatusInternalServerError || strings.Contains(answer.Body.String(), "secret") ||
		!strings.Contains(answer.Body.String(), `"correlationId":"request-0815"`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if !strings.Contains(log.String(), "request=request-0815") || !strings.Contains(log.String(), "a secret of the house") {
		t.Errorf("logged: %s", log.String())
	}
}

func TestAnAnswerThatWasCutOffOnPurposeStaysCutOff(t *testing.T) {
	h := surrounded(slog.New(slog.DiscardHandler), func(echo.Context) error { panic(http.ErrAbortHandler) })
	defer func() {
		if recover() == nil {
			t.Error("the connection would have been kept")
		}
	}()
	ask(h, http.MethodGet, "/route", nil)
}

func TestAnInternalErrorShowsNothing(t *testing.T) {
	h := surrounded(slog.New(slog.DiscardHandler), func(echo.Context) error { return errors.New("open /var/lib/muster.db: disk on fire") })
	if answer := ask(h, http.MethodGet, "/route", nil); answer.Code != http.StatusInternalServerError || strings.Contains(answer.Body.String(), "disk") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestOnlyWellFormedRequestIDsAreKept(t *testing.T) {
	h := surrounded(slog.New(slog.DiscardHandler), func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	for id, kept := range map[string]bool{
		"0123-4567_89.ab": true, "short": false, "with blank inside": false, "line\nbreak-line": false, `quote"quote"`: false,
		strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "": false,
	} {
		answer := ask(h, http.MethodGet, "/route", http.Header{"X-Request-Id": {id}}).Header().Get("X-Request-Id")
		if (answer == id) != kept || len(answer) < 8 {
			t.Errorf("%q was answered as %q", id, answer)
		}
	}
}

func TestAClientCannotChooseItsAddress(t *testing.T) {
	var seen string
	h := surrounded(slog.New(slog.DiscardHandler), func(c echo.Context) error { seen = c.RealIP(); return nil })
	ask(h, http.MethodGet, "/route", http.Header{"X-Forwarded-For": {"10.1.2.3"}, "X-Real-Ip": {"10.1.2.3"}})
	if seen != "192.0.2.1" { // httptest's
		t.Errorf("the client is taken for %s", seen)
	}
}

func TestABodyEndsAtTheBound(t *testing.T) {
	var read int64
	h := surrounded(slog.New(slog.DiscardHandler), func(c echo.Context) error {
		var err error
		read, err = io.Copy(io.Discard, c.Request().Body)
		return err
	})
	request := httptest.NewRequest(http.MethodPost, "/route", io.LimitReader(endless{}, maxBody+1<<20))
	h.ServeHTTP(httptest.NewRecorder(), request)
	if read != maxBody {
		t.Errorf("%d bytes were read, want %d", read, maxBody)
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestAnotherSitesPagePostsToTheACSAndNowhereElse(t *testing.T) {
	h, _ := wired(t, handlerOptions{})
	for _, test := range []struct {
		method, path string
		site         string
		refused      bool
	}{
		{http.MethodPost, "/logout", "cross-site", true},
		{http.MethodPost, "/login", "same-site", true},
		{http.MethodPost, "/c/x/scim/v2/Users", "cross-site", true},
		{http.MethodPost, "/c/x/saml/acs/more", "cross-site", true},
		{http.MethodPut, "/c/x/saml/acs", "cross-site", true},
		{http.MethodPost, "/c/x/saml/acs", "cross-site", false},
		{http.MethodPost, "/logout", "same-origin", false},
		{http.MethodPost, "/c/x/scim/v2/Users", "", false}, // no browser
		{http.MethodGet, "/login", "cross-site", false},
	} {
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		if test.site != "" {
			header.Set("Sec-Fetch-Site", test.site)
		}
		answer := ask(h.site, test.method, test.path, header)
		if refused := answer.Code == http.StatusForbidden && strings.Contains(answer.Body.String(), "cross_origin"); refused != test.refused {
			t.Errorf("%s %s from %q: %d %s", test.method, test.path, test.site, answer.Code, answer.Body)
		}
	}
}

func TestReadinessFollowsTheStore(t *testing.T) {
	h, store := wired(t, handlerOptions{})
	for _, path := range []string{"/healthz", "/readyz"} {
		if answer := ask(h.site, http.MethodGet, path, nil); answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if answer := ask(h.site, http.MethodGet, "/readyz", nil); answer.Code != http.StatusServiceUnavailable || strings.Contains(answer.Body.String(), "closed") {
		t.Errorf("/readyz without a store: %d %s", answer.Code, answer.Body)
	}
	if answer := ask(h.site, http.MethodGet, "/healthz", nil); answer.Code != http.StatusOK {
		t.Errorf("/healthz without a store: %d", answer.Code)
	}
}

func TestMetricsCountByRouteAndNeverByPath(t *testing.T) {
	h, _ := wired(t, handlerOptions{metered: true})
	ask(h.site, http.MethodGet, "/c/acme/scim/v2/Users/some-id", nil)
	ask(h.site, http.MethodGet, "/nowhere/at/all", nil)
	ask(h.site, "BREW", "/healthz", nil)
	text := ask(h.metrics, http.MethodGet, "/metrics", nil).Body.String()
	for _, want := range []string{
		`muster_http_request_seconds_count{method="GET",route="/c/:door/scim/v2/Users/:id",status="401"} 1`,
		`method="GET",route="none",status="404"`, `method="other"`, "muster_scim_ignored_attributes_total 0", "go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "some-id") || strings.Contains(text, "nowhere") {
		t.Error("a path became a label")
	}
	if answer := ask(h.site, http.MethodGet, "/metrics", nil); answer.Code != http.StatusNotFound {
		t.Errorf("/metrics on the main listener: %d", answer.Code)
	}
}

func TestMonitorsMayAskWithHEAD(t *testing.T) {
	h, _ := wired(t, handlerOptions{})
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/nowhere": http.StatusNotFound} {
		if answer := ask(h.site, http.MethodHead, path, nil); answer.Code != want {
			t.Errorf("HEAD %s: %d, want %d", path, answer.Code, want)
		}
	}
}
