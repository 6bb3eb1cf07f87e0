package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"muster/directory"
)

// theDoors are every setting of the write modes, link policy and domains that an outlook tells of.
func theDoors(each func(name string, c directory.Connection)) {
	modes := []directory.Mode{directory.Off, directory.Update, directory.Create}
	links := []directory.LinkPolicy{directory.LinkNever, directory.LinkVerified, directory.LinkConfirm, directory.LinkAlways}
	for _, scim := range modes {
		for _, sso := range modes {
			for _, link := range links {
				for _, domains := range [][]string{nil, {"acme.example"}} {
					for _, same := range []bool{false, true} {
						c := directory.Connection{ID: "idp", Write: directory.Write{SCIM: scim, SSO: sso}, Link: link, Domains: domains,
							Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: []string{"NameID"}, Same: same},
							SAML:    &directory.SAMLTrust{EntityID: "https://idp.example"}, Guard: directory.Guard{Off: true}}
						each(fmt.Sprintf("scim %s, sso %s, link %s, domains %v, same %v", scim, sso, link, domains, same), c)
					}
				}
			}
		}
	}
}

// cast is one person of each kind, at the address of their kind; the outlook's words for what really happens to them.
type cast struct {
	*world
	users map[directory.Comer]directory.ID
}

func addressFor(who directory.Comer) string {
	if who == directory.ComerOutside {
		return "outside@elsewhere.example"
	}
	return string(who) + "@acme.example"
}

func saysOf(who directory.Comer, subject string) directory.Attributes {
	return attributes("externalId", subject, "userName", subject+"-name", "emails", addressFor(who), "name.givenName", "G", "name.familyName", "F")
}

func arrival(ch directory.Channel, who directory.Comer, subject string) directory.Change {
	c := directory.Change{Org: "acme", Connection: "idp", Channel: ch, Verb: directory.VerbCreate, Attributes: saysOf(who, subject)}
	if ch == directory.SSO {
		c.Verb, c.Subject, c.Issuer = directory.VerbSignIn, subject, "https://idp.example"
		c.Attributes.Delete("externalId")
	}
	return c
}

// settle brings everybody in while all doors are open.
func (w *cast) settle(ch directory.Channel) {
	w.t.Helper()
	other := directory.SCIM
	if ch == directory.SCIM {
		other = directory.SSO
	}
	for _, who := range []directory.Comer{directory.ComerKnown, directory.ComerLocked, directory.ComerDeleted, directory.ComerRemoved} {
		first := arrival(ch, who, string(who))
		w.users[who] = w.does(first).User.ID
	}
	w.users[directory.ComerOwn] = w.does(arrival(other, directory.ComerOwn, "own")).User.ID
	local := directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbCreate, Attributes: saysOf(directory.ComerSame, "local")}
	local.Attributes.Delete("externalId")
	w.users[directory.ComerSame] = w.does(local).User.ID
	elsewhere := arrival(directory.SSO, directory.ComerElsewhere, "there")
	elsewhere.Connection, elsewhere.Issuer = "second", "https://second.example"
	w.users[directory.ComerElsewhere] = w.does(elsewhere).User.ID
	w.does(directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbMerge, ID: w.users[directory.ComerLocked], Attributes: attributes("active", "false")})
	w.does(directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbDelete, ID: w.users[directory.ComerRemoved]})
	if ch == directory.SCIM {
		w.does(directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbDelete, ID: w.users[directory.ComerDeleted]})
	}
}

// TestAnOutlookSaysWhatThenHappens holds every promise of an outlook against the change itself.
func TestAnOutlookSaysWhatThenHappens(t *testing.T) {
	for _, ch := range []directory.Channel{directory.SCIM, directory.SSO} {
		theDoors(func(name string, c directory.Connection) {
			open := c
			open.Write, open.Domains = directory.Write{SCIM: directory.Create, SSO: directory.Create}, nil
			second := directory.Connection{ID: "second", Write: directory.Write{SSO: directory.Create}, SAML: &directory.SAMLTrust{EntityID: "https://second.example"}}
			w := &cast{newWorld(t, func(s *directory.Setup) { s.Connections = []directory.Connection{open, second} }), map[directory.Comer]directory.ID{}}
			w.settle(ch)
			w.configure(directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{c}})
			p, err := w.Policy(t.Context(), "acme")
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range p.Outlook(p.Connection("idp")) {
				said := o.SCIM
				if ch == directory.SSO {
					said = o.SSO
				}
				if said.Does == directory.DeedNone || ch == directory.SSO && o.Who == directory.ComerDeleted {
					continue
				}
				w.hold(name+", "+string(o.Who)+" by "+string(ch), said, w.comes(ch, o.Who))
			}
		})
	}
}

// comes is the change by which somebody of that kind arrives.
func (w *cast) comes(ch directory.Channel, who directory.Comer) directory.Change {
	subject := "new-" + string(who)
	known := who == directory.ComerKnown || who == directory.ComerLocked
	if known || who == directory.ComerDeleted || who == directory.ComerRemoved || who == directory.ComerOwn {
		subject = string(who)
	}
	c := arrival(ch, who, subject)
	if known && ch == directory.SCIM {
		c.Verb, c.ID = directory.VerbMerge, w.users[who]
	}
	if who == directory.ComerOwn {
		p, err := w.Policy(w.t.Context(), "acme")
		if err != nil {
			w.t.Fatal(err)
		}
		if !p.Connection("idp").Subject.Same { // otherwise both doors name one person by one subject
			again := arrival(ch, who, "own-here")
			c.Subject, c.Attributes = again.Subject, again.Attributes
		}
	}
	if c.Verb != directory.VerbMerge {
		c.Attributes.Set("title", directory.Text("newly said"))
	}
	return c
}

// hold tries the change out and compares.
func (w *cast) hold(name string, said directory.Prospect, c directory.Change) {
	w.t.Helper()
	r, err := w.DryRun(w.t.Context(), c)
	switch said.Does {
	case directory.DeedRefuse, directory.DeedConfirm:
		if err == nil || directory.RefusalCode(err) != said.Code {
			w.t.Errorf("%s: said %+v, did %v %v", name, said, r.Outcome, err)
		}
		return
	}
	if err != nil {
		w.t.Errorf("%s: said %+v, did %v", name, said, err)
		return
	}
	fits := map[directory.Deed][]directory.Outcome{
		directory.DeedCreate: {directory.Created}, directory.DeedLink: {directory.Adopted}, directory.DeedLinkOnly: {directory.Adopted},
		directory.DeedRestore: {directory.Restored}, directory.DeedUpdate: {directory.Updated, directory.Unchanged}, directory.DeedEnter: {directory.Unchanged, directory.Updated}, // the link is bound
	}
	if !slices.Contains(fits[said.Does], r.Outcome) {
		w.t.Errorf("%s: said %+v, did %v", name, said, r.Outcome)
	}
	wrote := false
	for _, change := range r.Changes {
		wrote = wrote || change.Attribute == "title"
	}
	if c.Verb != directory.VerbMerge && wrote != (said.Does != directory.DeedEnter && said.Does != directory.DeedLinkOnly) {
		w.t.Errorf("%s: said %+v, wrote %v: %+v", name, said, wrote, r.Changes)
	}
}

func (w *cast) does(c directory.Change) directory.Result {
	w.t.Helper()
	r, err := w.Apply(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}
