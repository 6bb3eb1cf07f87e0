package oidctest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options describe the provider. The zero value makes one with a fresh RSA key of 2048 bits and no client.
type Options struct {
	Issuer  string        // "": https://op.example
	Key     crypto.Signer // RSA, ECDSA or Ed25519
	Clients []Client
	Now     func() time.Time // nil: time.Now
	// Choose says who is at the browser, for each authentication request. When it answers the request itself, with a
	// page to choose from, say, it returns false. nil: whoever SignIn named last.
	Choose func(http.ResponseWriter, *http.Request) (Person, bool)
}

// Client is a relying party that the provider knows. One without Secret and Key is public.
type Client struct {
	ID           string
	Secret       string
	SecretInBody bool             // the secret is taken in the body only
	Key          crypto.PublicKey // for private_key_jwt
	RedirectURLs []string         // nil: any
}

// Person is whom the provider vouches for.
type Person struct {
	Subject  string
	Claims   map[string]any // in the ID token and at the userinfo endpoint
	UserInfo map[string]any // at the userinfo endpoint only
}

// Bend makes the provider behave unlike one. The zero value bends nothing; functions edit what they are given.
type Bend struct {
	Discovery func(document map[string]any)
	KeySet    func(document map[string]any)
	Callback  func(parameters url.Values)
	Header    map[string]any // added to the ID token's, in place of the usual
	Claims    func(claims map[string]any)
	IDToken   func(token string) string // after signing
	Answer    func(answer map[string]any)
	UserInfo  func(claims map[string]any)

	SignUserInfo bool // answer as application/jwt
	Lax          bool // check neither client nor PKCE
}

// OP is a test provider and an http.Handler, at the root of its issuer's address. It may be used by many goroutines.
type OP struct {
	Issuer string

	now    func() time.Time
	choose func(http.ResponseWriter, *http.Request) (Person, bool)
	mux    *http.ServeMux

	mu      sync.Mutex // guards what follows
	clients map[string]Client
	person  Person
	bend    Bend
	keys    []Key
	grants  grants // by code
	access  grants // by access token
	asked   map[string]int
}

// NewOP makes a provider.
func NewOP(options Options) (*OP, error) {
	op := &OP{
		Issuer:  cmp.Or(options.Issuer, "https://op.example"),
		clients: map[string]Client{},
		now:     options.Now,
		choose:  options.Choose,
		asked:   map[string]int{},
	}
	if op.now == nil {
		op.now = time.Now
	}
	for _, c := range options.Clients {
		op.clients[c.ID] = c
	}
	private := options.Key
	if private == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("oidctest: make a key: %w", err)
		}
		private = key
	}
	op.keys = []Key{{ID: "k1", Private: private}}
	op.routes()
	return op, nil
}

func (op *OP) routes() {
	op.mux = http.NewServeMux()
	op.mux.HandleFunc("GET /.well-known/openid-configuration", op.discovery)
	op.mux.HandleFunc("GET /jwks", op.keySet)
	op.mux.HandleFunc("GET /authorize", op.authorize)
	op.mux.HandleFunc("POST /token", op.token)
	op.mux.HandleFunc("GET /userinfo", op.userInfo)
}

// ServeHTTP answers below the path of the issuer.
func (op *OP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := "/"
	if u, err := url.Parse(op.Issuer); err == nil {
		path = strings.TrimSuffix(u.Path, "/")
	}
	op.mu.Lock()
	op.asked[strings.TrimPrefix(r.URL.Path, path)]++
	op.mu.Unlock()
	http.StripPrefix(path, op.mux).ServeHTTP(w, r)
}

// SignIn says who is at every browser from now on.
func (op *OP) SignIn(person Person) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.person = person
}

// Register makes a client known, or known otherwise.
func (op *OP) Register(c Client) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.clients[c.ID] = c
}

func (op *OP) client(id string) (Client, bool) {
	op.mu.Lock()
	defer op.mu.Unlock()
	c, ok := op.clients[id]
	return c, ok
}

// Bend makes the provider misbehave from now on. The zero Bend makes it behave.
func (op *OP) Bend(bend Bend) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.bend = bend
}

// Publish replaces the keys: the first one signs from now on, all are in the key set.
func (op *OP) Publish(keys ...Key) {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.keys = keys
}

// Asked is how often an endpoint was: "/jwks", "/token", "/userinfo", "/.well-known/openid-configuration".
func (op *OP) Asked(path string) int {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.asked[path]
}

// state is what the endpoints need, read at once.
func (op *OP) state() (Person, Bend, []Key) {
	op.mu.Lock()
	defer op.mu.Unlock()
	return op.person, op.bend, op.keys
}

func (op *OP) discovery(w http.ResponseWriter, _ *http.Request) {
	_, bend, keys := op.state()
	base := strings.TrimSuffix(op.Issuer, "/")
	document := map[string]any{
		"issuer":                                op.Issuer,
		"authorization_endpoint":                base + "/authorize",
		"token_endpoint":                        base + "/token",
		"userinfo_endpoint":                     base + "/userinfo",
		"jwks_uri":                              base + "/jwks",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": algorithms(keys),
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "profile", "email"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},

		"authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported":                   true,
	}
	if bend.Discovery != nil {
		bend.Discovery(document)
	}
	reply(w, http.StatusOK, document)
}

func reply(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document) // whoever asked may be gone
}

// refuse answers as RFC 6749 §5.2 says.
func refuse(w http.ResponseWriter, status int, code, description string) {
	reply(w, status, map[string]string{"error": code, "error_description": description})
}
