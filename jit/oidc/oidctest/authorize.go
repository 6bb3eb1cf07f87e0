package oidctest

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// maxGrants is how many codes and access tokens are remembered, of each.
const maxGrants = 1000

// grant is what a code or an access token is good for.
type grant struct {
	person    Person
	client    string
	redirect  string
	nonce     string
	challenge string
}

// grants forget the oldest. The zero value holds none.
type grants struct {
	known map[string]grant
	order []string
}

func (g *grants) add(name string, granted grant) {
	if g.known == nil {
		g.known = map[string]grant{}
	}
	if len(g.order) == maxGrants {
		delete(g.known, g.order[0])
		g.order = slices.Delete(g.order, 0, 1)
	}
	g.known[name] = granted
	g.order = append(g.order, name)
}

// authorize sends the browser back with a code at once: the person is known beforehand.
func (op *OP) authorize(w http.ResponseWriter, r *http.Request) {
	person, bend, _ := op.state()
	if op.choose != nil {
		chosen, ok := op.choose(w, r)
		if !ok {
			return
		}
		person = chosen
	}
	address, problem := op.answer(r.URL.Query(), person, bend)
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, address.String(), http.StatusSeeOther)
}

// answer is where an authentication request leads, or why it leads nowhere.
func (op *OP) answer(request url.Values, person Person, bend Bend) (*url.URL, string) {
	client, ok := op.client(request.Get("client_id"))
	back, err := url.Parse(request.Get("redirect_uri"))
	switch {
	case !ok:
		return nil, "an unknown client"
	case err != nil || client.RedirectURLs != nil && !slices.Contains(client.RedirectURLs, request.Get("redirect_uri")):
		return nil, "an unregistered redirect_uri"
	}
	parameters := url.Values{"iss": {op.Issuer}, "state": {request.Get("state")}}
	switch {
	case request.Get("response_type") != "code":
		parameters.Set("error", "unsupported_response_type")
	case request.Get("code_challenge") == "" || request.Get("code_challenge_method") != "S256":
		parameters.Set("error", "invalid_request")
		parameters.Set("error_description", "PKCE with S256 is required")
	default:
		parameters.Set("code", op.grant(request, person))
	}
	if bend.Callback != nil {
		bend.Callback(parameters)
	}
	query := back.Query()
	maps.Copy(query, parameters)
	back.RawQuery = query.Encode()
	return back, ""
}

func (op *OP) grant(request url.Values, person Person) string {
	code := newSecret()
	op.mu.Lock()
	defer op.mu.Unlock()
	op.grants.add(code, grant{
		person:    person,
		client:    request.Get("client_id"),
		redirect:  request.Get("redirect_uri"),
		nonce:     request.Get("nonce"),
		challenge: request.Get("code_challenge"),
	})
	return code
}

func newSecret() string { return rand.Text() }
