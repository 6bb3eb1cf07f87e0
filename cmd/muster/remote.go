package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"muster/admin"
	"muster/cmd/muster/applyfile"
	"muster/directory"
)

// remote is a server that runs, reached by its administration API.
type remote struct{ base, token string }

// bind declares how a command reaches a server. Without --server it works on the store itself.
func (r *remote) bind(f *pflag.FlagSet) {
	f.StringVar(&r.base, "server", "", "URL of a server that runs, instead of --store")
	f.StringVar(&r.token, "token", "", "administration token for --server (default MUSTER_ADMIN_TOKEN)")
}

func (r *remote) isSet() bool { return r.base != "" }

const (
	remoteTimeout = 2 * time.Minute
	maxAnswer     = 16 << 20
)

// remoteProblem is what the server answers when it refuses.
type remoteProblem struct {
	Detail        string `json:"detail"`
	Code          string `json:"code"`
	CorrelationID string `json:"correlationId"`
	Errors        []struct {
		Field   string   `json:"field"`
		Detail  string   `json:"detail"`
		Allowed []string `json:"allowed"`
	} `json:"errors"`
}

// call sends one request and reads the answer into out.
func (r *remote) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.base, "/")+"/admin/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+r.token)
	// A redirect would carry the token to wherever it leads.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return refusedBy(response.StatusCode, content)
	}
	return json.Unmarshal(content, out)
}

// refusedBy makes the server's problem an error; faults of a configuration become those that an apply file can place.
func refusedBy(status int, content []byte) error {
	var p remoteProblem
	if err := json.Unmarshal(content, &p); err != nil || p.Code == "" {
		return fmt.Errorf("the server answered %d and not as the administration API does", status)
	}
	if p.Code != "invalid" || len(p.Errors) == 0 {
		return fmt.Errorf("the server refuses: %s (%s, request %s)", p.Detail, p.Code, p.CorrelationID)
	}
	config := &directory.ConfigError{}
	for _, e := range p.Errors {
		config.Faults = append(config.Faults, directory.Fault{Path: e.Field, Detail: e.Detail, Allowed: e.Allowed})
	}
	return config
}

// check holds the flags against each other.
func (r *remote) check(getenv func(string) string) error {
	if r.token == "" {
		r.token = getenv("MUSTER_ADMIN_TOKEN")
	}
	u, err := url.Parse(r.base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("--server %q is no URL of a server", r.base)
	}
	if u.Scheme == "http" && !isLoopbackName(u.Hostname()) {
		return errors.New("--server must be https: the token would travel in the clear")
	}
	if r.token == "" {
		return errors.New("--server needs --token or MUSTER_ADMIN_TOKEN")
	}
	return nil
}

func isLoopbackName(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// apply sends an apply file, read, and says what changed.
func (r *remote) apply(ctx context.Context, file *applyfile.File, w io.Writer) error {
	var wanted admin.Application
	for _, s := range file.Setups {
		wanted.Setups = append(wanted.Setups, admin.AppliedSetup{Org: s.Org, Connections: s.Connections})
	}
	for _, t := range file.Tokens {
		wanted.Tokens = append(wanted.Tokens, admin.AppliedToken{Token: t.Record, Secret: t.Secret})
	}
	var answer struct {
		Changed []string `json:"changed"`
	}
	if err := r.call(ctx, http.MethodPost, "/apply", wanted, &answer); err != nil {
		return file.Locate(err)
	}
	for _, line := range answer.Changed {
		fmt.Fprintln(w, line)
	}
	if len(answer.Changed) == 0 {
		fmt.Fprintln(w, "nothing to change")
	}
	return nil
}

// explain asks why a user, named by userName or id, is as it is.
func (r *remote) explain(ctx context.Context, org, name string) (*directory.Explanation, error) {
	users := "/orgs/" + url.PathEscape(org) + "/users"
	id, ok := directory.ParseID(name)
	if !ok {
		var page struct {
			Items []struct {
				ID directory.ID `json:"id"`
			} `json:"items"`
		}
		filter := url.Values{"filter": {fmt.Sprintf("%s eq %q", directory.UserName, name)}, "limit": {"1"}}
		if err := r.call(ctx, http.MethodGet, users+"?"+filter.Encode(), nil, &page); err != nil {
			return nil, err
		}
		if len(page.Items) == 0 {
			return nil, directory.ErrNotFound
		}
		id = page.Items[0].ID
	}
	x := new(directory.Explanation)
	return x, r.call(ctx, http.MethodGet, users+"/"+id.String()+"/explanation", nil, x)
}
