package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// startChromium starts the browser, or says that it is left out: then the context is nil. Where servers are asked for, a
// browser that is missing is a failure.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("MUSTER_TEST_SERVERS") != "1" {
		t.Logf("left out: %s needs Chromium (set MUSTER_TEST_SERVERS=1)", t.Name())
		return nil
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v (apt-get install chromium)", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(deskWidth, deskHeight), chromedp.Flag("hide-scrollbars", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return ctx
}

// The two sizes that pages are looked at in. 320 pixels is what WCAG 2.2 asks to do without scrolling sideways (1.4.10).
const (
	deskWidth, deskHeight   = 1280, 900
	phoneWidth, phoneHeight = 320, 700
)

// patience is how long something may take on a busy machine.
const patience = 60 * time.Second

// tab is a tab of its own profile. It notes every fault that a page shows: an error on the console, an exception nobody
// caught, something that the content security policy refused.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string // of the server, in front of every path

	mu     sync.Mutex
	faults []string
}

// newTab opens a tab that lasts as long as the test, and fails the test for each fault at its end.
func newTab(t *testing.T, browser context.Context, base string) *tab {
	t.Helper()
	b := &tab{t: t, base: base}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.note))
	t.Cleanup(func() {
		end()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, fault := range b.faults {
			t.Error(fault)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // without a deadline of its own, which would be the tab's
		t.Fatalf("open a tab: %v", err)
	}
	b.ctx = ctx
	b.light("light")
	return b
}

// note runs in the loop that reads the browser's messages.
func (b *tab) note(event any) {
	var fault string
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Source == cdplog.EntrySourceSecurity {
			fault = fmt.Sprintf("the browser reports: %s (%s)", e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		thrown, _ := json.Marshal(e.ExceptionDetails)
		fault = fmt.Sprintf("nobody caught: %s", thrown)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			said, _ := json.Marshal(e.Args)
			fault = fmt.Sprintf("on the console: %s", said)
		}
	}
	if fault == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fault)
}

// do takes steps in the page.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

// went takes steps that lead to another page, and waits for it.
func (b *tab) went(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
	if answer != nil && answer.Status != 200 {
		b.t.Fatalf("%s: %d at %s\n%s", what, answer.Status, answer.URL, b.text())
	}
}

// open goes to a path of the server, or to an address.
func (b *tab) open(address string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.base + address
	}
	b.went("open "+address, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		return chromedp.Navigate(address)(ctx, t)
	})
}

// saying is a button, a link or a summary by what it says.
func saying(text string) string {
	return fmt.Sprintf(`//*[self::button or self::a or self::summary][normalize-space()=%q]`, text)
}

// press clicks on what says text, and waits for the page that comes.
func (b *tab) press(text string) {
	b.t.Helper()
	b.went("press "+text, chromedp.Click(saying(text)))
}

// fill types into an empty field.
func (b *tab) fill(field, text string) {
	b.t.Helper()
	b.do("fill "+field, chromedp.SendKeys(chromedp.CSS(field), text))
}

// set gives a field a value, instead of the one it has.
func (b *tab) set(field, text string) {
	b.t.Helper()
	b.do("set "+field, chromedp.SetValue(chromedp.CSS(field), text))
}

// until waits for an expression to be true, whichever page is there.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// Between two pages there is nothing to ask: an error means "not yet", as false does.
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && yes {
			return
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("it never was so: %s (%v)\n%s", expression, err, b.text())
		case <-tick.C:
		}
	}
}

// shows waits until the page has a text.
func (b *tab) shows(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("document.readyState === 'complete' && document.body.innerText.includes(%q)", text))
}

// hides fails when the page has a text.
func (b *tab) hides(text string) {
	b.t.Helper()
	if now := b.text(); strings.Contains(now, text) {
		b.t.Errorf("the page shows %q:\n%s", text, now)
	}
}

// text is what the page says, with its address.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// authenticator gives the tab one that holds passkeys and says yes at once.
func (b *tab) authenticator() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{})
	if err == nil {
		_, err = chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			},
		})
	}
	if err != nil {
		b.t.Fatalf("a virtual authenticator: %v", err)
	}
}

// look examines the page on a desk by day and on a phone by night: nothing to scroll sideways, nothing that axe-core
// finds against WCAG 2.2 AA, a picture of each.
func (b *tab) look(name string) {
	b.t.Helper()
	b.examine(name + "-desk")
	b.light("dark")
	b.do("a phone", chromedp.EmulateViewport(phoneWidth, phoneHeight, chromedp.EmulateMobile))
	b.examine(name + "-phone")
	b.light("light")
	b.do("a desk", chromedp.EmulateViewport(deskWidth, deskHeight))
}

func (b *tab) light(scheme string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // a colour on its way to another has neither's contrast
		},
	})
	if err != nil {
		b.t.Fatalf("%s: %v", scheme, err)
	}
}

func (b *tab) examine(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[string](tooWide))
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if wide != "" {
		b.t.Errorf("%s scrolls sideways: %s", name, wide)
	}
	b.accessible(ctx, name)
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(pictures(b.t), name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// pictures is the folder that MUSTER_SCREENSHOTS names, or one that goes with the test.
func pictures(t *testing.T) string {
	if folder := os.Getenv("MUSTER_SCREENSHOTS"); folder != "" {
		return folder
	}
	return t.TempDir()
}

// tooWide names what reaches over the right edge, "" when nothing makes the page scroll sideways.
const tooWide = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return "";
  const over = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > width + 1);
  return document.documentElement.scrollWidth + " of " + width + ": " +
    over.slice(0, 5).map((e) => e.outerHTML.slice(0, 120)).join("\n");
})()`

// examination runs axe-core and tells each violation with the elements it is about.
const examination = `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], resultTypes: ["violations"]})
  .then((found) => found.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 200) + ": " + n.failureSummary)))`

// accessible puts axe-core into the page as a debugger does, so that the content security policy stays as it is.
func (b *tab) accessible(ctx context.Context, name string) {
	b.t.Helper()
	axe, err := os.ReadFile("../../testdata/axe/axe.min.js")
	if err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](string(axe)+"; undefined")); err != nil {
		b.t.Fatalf("axe-core in %s: %v", name, err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](examination, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("axe-core in %s: %v", name, err)
	}
	for _, violation := range found {
		b.t.Errorf("%s: %s", name, violation)
	}
}
