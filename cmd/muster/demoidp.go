package main

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// demoPerson is somebody whom the demo's identity provider knows.
type demoPerson struct {
	Given, Family string
	ID            string // what the provider calls the person for ever
	Email         string
	Group         string
	Connection    string // the connection whose person it is
	Story         string
}

// Name is how the person is shown.
func (p demoPerson) Name() string { return p.Given + " " + p.Family }

const (
	oktaConnection  = "acme-okta"
	entraConnection = "acme-entra"
)

// The three people, in two groups. Nobody pushes Nia: she is created when she signs in.
func nia() demoPerson {
	return demoPerson{"Nia", "Newcomer", "00u1nia", "nia@acme.example", "Engineering", oktaConnection, "nobody has created her yet"}
}

func sam() demoPerson {
	return demoPerson{"Sam", "Okoro", "00u2sam", "sam@acme.example", "Engineering", oktaConnection, "pushed by Okta over SCIM"}
}

func lena() demoPerson {
	return demoPerson{"Lena", "Fischer", "6f1c2b9e-4d0a-4f57-9f0e-1a2b3c4d5e6f", "lena@emea.acme.example", "Sales", entraConnection,
		"pushed by Entra ID over SCIM"}
}

// claims are what Okta, by its guide, and Entra ID, by default, send about the person.
func (p demoPerson) claims(connection string) samltest.Person {
	const soap, microsoft = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/", "http://schemas.microsoft.com/identity/claims/"
	if connection == entraConnection {
		return vouch(p.Email, soap+"name", p.Email, microsoft+"objectidentifier", p.ID, microsoft+"displayname", p.Name(),
			soap+"emailaddress", p.Email, soap+"givenname", p.Given, soap+"surname", p.Family)
	}
	return vouch(p.Email, "uniqueUserId", p.ID, "userName", p.Email, "email", p.Email, "firstName", p.Given,
		"lastName", p.Family, "displayName", p.Name(), "groups", p.Group)
}

// vouch is an assertion's content: the NameID, and attributes as names with their values.
func vouch(nameID string, pairs ...string) samltest.Person {
	person := samltest.Person{NameID: saml.NameID{Value: nameID}}
	for pair := range slices.Chunk(pairs, 2) {
		person.Attributes = append(person.Attributes, saml.Attribute{Name: pair[0], Values: []string{pair[1]}})
	}
	return person
}

// demoIdP is the identity provider of both sample connections. It asks nobody for a password, so it answers only the
// server of its own demo.
type demoIdP struct {
	*samltest.IdP
	address string // host and port it listens on
	base    string // of the server it answers
	page    *template.Template
}

func newDemoIdP(address, base string) (*demoIdP, error) {
	idp, err := samltest.NewIdP(samltest.Options{EntityID: "http://" + address + "/metadata", SSOURL: "http://" + address + "/sso"})
	if err != nil {
		return nil, err
	}
	page, err := template.New("choose").Parse(choosePage)
	return &demoIdP{idp, address, base, page}, err
}

func (idp *demoIdP) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/sso", idp.choose)
	mux.HandleFunc("GET /metadata", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = w.Write(idp.Metadata())
	})
	return mux
}

// choice is one person on the page, with the response that vouches for them.
type choice struct {
	Person   demoPerson
	Foreign  bool // another connection's person
	Response string
}

// choose shows everybody, a signed response behind each button: those first whom the asking connection knows.
func (idp *demoIdP) choose(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	request, err := samltest.ReadRequest(r.FormValue("SAMLRequest"))
	if err != nil || !strings.HasPrefix(request.ACSURL, idp.base+"/c/") {
		http.Error(w, "This test IdP answers sign-ins of its own demo only. Start from a link that the demo printed.", http.StatusBadRequest)
		return
	}
	asking, _, _ := strings.Cut(strings.TrimPrefix(request.ACSURL, idp.base+"/c/"), "/")
	var own, foreign []choice
	for _, p := range []demoPerson{nia(), sam(), lena()} {
		response, err := idp.Respond(request, p.claims(asking), samltest.Bend{})
		if err != nil {
			http.Error(w, "The response could not be signed.", http.StatusInternalServerError)
			return
		}
		if p.Connection == asking {
			own = append(own, choice{p, false, response})
		} else {
			foreign = append(foreign, choice{p, true, response})
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "+idp.base)
	_ = idp.page.Execute(w, map[string]any{
		"ACS": request.ACSURL, "RelayState": r.FormValue("RelayState"), "Asking": asking, "Choices": append(own, foreign...),
	})
}

const choosePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Test IdP</title>
<style>body{font:1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}
.test{border:3px dashed #b45309;padding:.5rem 1rem}form{margin:1rem 0}button{font:inherit;padding:.5rem 1rem}</style>
</head>
<body>
<p class="test"><strong>Test IdP.</strong> It asks for no password and vouches for anybody. It belongs to a demo on this machine.</p>
<h1>Test IdP: who do you want to be?</h1>
{{range .Choices}}<form method="post" action="{{$.ACS}}">
<input type="hidden" name="SAMLResponse" value="{{.Response}}">
<input type="hidden" name="RelayState" value="{{$.RelayState}}">
<button type="submit">{{.Person.Name}}</button>
{{.Person.Email}}, group {{.Person.Group}}: {{.Person.Story}}{{if .Foreign}}. Not a person of {{$.Asking}}, so muster will refuse{{end}}.
</form>
{{end}}</body>
</html>
`
