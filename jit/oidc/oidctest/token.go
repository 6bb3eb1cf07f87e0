package oidctest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	lifetime = 5 * time.Minute
	maxForm  = 64 << 10
)

// token redeems a code.
func (op *OP) token(w http.ResponseWriter, r *http.Request) {
	_, bend, keys := op.state()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "no form")
		return
	}
	client, ok := op.authenticate(r)
	if !ok && !bend.Lax {
		refuse(w, http.StatusUnauthorized, "invalid_client", "the client is unknown or has proved nothing")
		return
	}
	granted, ok := op.redeem(r.PostForm.Get("code"))
	if !ok || !bend.Lax && !granted.fits(client, r.PostForm) {
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code is unknown, used, or somebody else's")
		return
	}
	answer, err := op.tokens(granted, bend, keys[0])
	if err != nil {
		refuse(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	reply(w, http.StatusOK, answer)
}

// redeem takes a code: it is good once.
func (op *OP) redeem(code string) (grant, bool) {
	op.mu.Lock()
	defer op.mu.Unlock()
	granted, ok := op.grants.known[code]
	delete(op.grants.known, code)
	return granted, ok
}

func (g grant) fits(client Client, form url.Values) bool {
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	return form.Get("grant_type") == "authorization_code" && g.client == client.ID && g.redirect == form.Get("redirect_uri") &&
		subtle.ConstantTimeCompare([]byte(challenge), []byte(g.challenge)) == 1
}

// tokens are the answer for a grant.
func (op *OP) tokens(granted grant, bend Bend, key Key) (map[string]any, error) {
	access := newSecret()
	op.mu.Lock()
	op.access.add(access, granted)
	op.mu.Unlock()
	id, err := op.idToken(granted, bend, key)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(lifetime.Seconds()), "id_token": id}
	if bend.Answer != nil {
		bend.Answer(answer)
	}
	return answer, nil
}

func (op *OP) idToken(granted grant, bend Bend, key Key) (string, error) {
	now := op.now()
	claims := maps.Clone(granted.person.Claims)
	if claims == nil {
		claims = map[string]any{}
	}
	maps.Copy(claims, map[string]any{
		"iss": op.Issuer, "sub": granted.person.Subject, "aud": granted.client, "iat": now.Unix(), "auth_time": now.Unix(),
		"exp": now.Add(lifetime).Unix(), "nonce": granted.nonce,
	})
	if bend.Claims != nil {
		bend.Claims(claims)
	}
	token, err := Sign(claims, key, bend.Header)
	if err == nil && bend.IDToken != nil {
		token = bend.IDToken(token)
	}
	return token, err
}

func (op *OP) userInfo(w http.ResponseWriter, r *http.Request) {
	_, bend, keys := op.state()
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	op.mu.Lock()
	granted, ok := op.access.known[bearer]
	op.mu.Unlock()
	if !ok {
		refuse(w, http.StatusUnauthorized, "invalid_token", "the access token is unknown")
		return
	}
	claims := map[string]any{}
	maps.Copy(claims, granted.person.Claims)
	maps.Copy(claims, granted.person.UserInfo)
	claims["sub"] = granted.person.Subject
	if bend.UserInfo != nil {
		bend.UserInfo(claims)
	}
	if !bend.SignUserInfo {
		reply(w, http.StatusOK, claims)
		return
	}
	signed, err := Sign(claims, keys[0], nil)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = w.Write([]byte(signed)) // whoever asked may be gone
}

// authenticate finds the client of a token request and believes its proof: an assertion, a secret in the header or the
// body, or none for a public one.
func (op *OP) authenticate(r *http.Request) (Client, bool) {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, secret = unescaped(id), unescaped(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	client, ok := op.client(id)
	if client.Key != nil {
		return client, ok && op.asserted(client, r.PostForm)
	}
	if basic && client.SecretInBody {
		return client, false
	}
	return client, ok && subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) == 1
}

func unescaped(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

// asserted checks a client assertion (Core §9).
func (op *OP) asserted(client Client, form url.Values) bool {
	signed, err := jose.ParseSignedCompact(form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA})
	if err != nil || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return false
	}
	payload, err := signed.Verify(client.Key)
	if err != nil {
		return false
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		ID       string `json:"jti"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return false
	}
	audiences := []string{op.Issuer, strings.TrimSuffix(op.Issuer, "/") + "/token"}
	return claims.Issuer == client.ID && claims.Subject == client.ID && slices.Contains(audiences, claims.Audience) &&
		claims.Expires > op.now().Unix() && claims.ID != ""
}
