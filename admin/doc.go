// Package admin is where administrators see both doors and mix them: pages for people, an API for machines.
//
// # Words
//
// An administrator is a [directory.Administrator]: no user, out of reach of every connection. What they may do are
// grants: operator of the instance, or admin, helpdesk or auditor of an organisation, each including those below it. A
// visit is one request for a page, a call one request to the API; both know who asks ([directory.Acting]) and which
// organisation they are about. A problem is every answer that is no success, for pages and API alike.
//
// # How a request goes
//
//	routes.go   pages(): the site map, one row a page or action: method, path, role, handler, menu
//	visit.go    serve: headers, origin, session, role, organisation; then the handler; then answer for every error
//	users.go    the handler: one file per page action; it reads, calls the directory, and renders or redirects
//	templates/users.html   what is shown; english.txt holds every sentence
//
//	api.go      operations(): the same for the API; add registers an operation with its role
//	api_users.go           one file per resource: inputs, outputs, handlers
//	errors.go   problemOf: the one table from errors to answers
//
// Rules are in package directory; here is transport. Both pages and API call the same directory methods, or the same
// function of this package where a page and an operation need one (findUsers).
//
// # How to add a page
//
//  1. A row in pages() of routes.go. A path with /o/:org/ is about that organisation: the role is checked there, the
//     policy is loaded into v.policy, and to whom the organisation does not belong it does not exist (404). Name it in
//     the last column, and put "menu.NAME" into english.txt, if it belongs into the menu.
//  2. A file named after what it is about, with func (s *Server) NAME(v *visit) error. Read v.Param, v.QueryParam;
//     call the directory with v.Request().Context(), v.org() and, for changes, v.acting (or v.acting.Name as Actor and
//     v.request() as Request of a Change). End with v.render(http.StatusOK, "TEMPLATE", data), or for an action with
//     v.done("/admin/...", "KEY"), which redirects and shows the text "done.KEY". Return errors as they come.
//  3. templates/TEMPLATE.html, which defines "main", and "scripts" if it needs one of our script files. The page's data
//     is .Data; .Org, .Acting, .Title are there, too. Start with {{template "head" .}}. Parts that several pages use
//     stand in templates/_NAME.html. Every sentence is {{t "TEMPLATE.key" args}}; "TEMPLATE.title" must exist. Put your
//     keys into a group of your own in english.txt.
//  4. Nothing else: menu, headers, sign-in, role and the contract test (contract_test.go walks the table) follow.
//
// Forms: readForm gives a form, which keeps what was typed. Note faults with f.fail("field", "text key"), or let
// f.failed(err) note what the directory refused, beside the fields it names; then render the same page again with
// status 422 and the form in its data. The part "text" draws a labelled field with its fault; "faults" what is about
// the whole form. A form posts to a path of its own row; nothing is ever changed by GET.
//
// Configuration: put the revision of the policy as read (v.policy.Revision) into the form, and give it back in
// directory.Setup.Revision. An edit that came in between makes a *directory.StaleError, which tells who changed what;
// show it and keep what was typed.
//
// Destructive actions have a page of their own that names the object and counts what is concerned, and whose form asks
// for the object's name to be typed.
//
// htmx makes pages better and is never needed: forms and links work by themselves, and the server always renders whole
// pages. hx-get with hx-target="#x" hx-select="#x" swaps one part (users.html is an example). No hx-on, no js: values,
// no inline script, no style attribute: the content security policy refuses them, and the browser tests fail on it.
// Lists page by key ("after"), never by offset, and the search and the size of the page stand in the address.
//
// # How to add an operation to the API
//
// A file api_RESOURCE.go with func (s *Server) RESOURCEOperations(), called in operations(); in it add(s, operation{...},
// handler). Paths with /orgs/{org}/ are about that organisation. Inputs are structs with huma's tags (path, query,
// enum, minimum, doc ...); embed checked[body] for a body with `validate` tags, and name each tag you use in
// faultSentence. Return errors as they come. OpenAPI and the reference page follow; the contract test walks them.
//
// # Promises
//
//   - A handler runs only for those who have the role its row names, where it is about. The rows are the only place
//     that says so.
//   - Sessions lie on the server by the hash of their secret, end when idle, at the latest after their lifetime, and at
//     once when they are ended. What somebody may do is looked up at each use.
//   - Who has not signed in learns nothing: not who is an administrator, nor which organisations there are.
//   - Every change is an event that names who made it. Passwords are argon2id and count only together with a code;
//     each code counts once.
//   - No answer can be framed, cached by others, or run a script that is not one of our files. A request that another
//     site's page makes the browser send is refused.
//   - The pages work without scripts; passkeys alone need them.
//
// # What never happens
//
// No write leaves nobody who could run the instance and sign in without a connection. No invitation is used up by
// looking at it. No answer repeats a secret that was sent. Nothing of another organisation is shown, not even that it
// exists.
package admin
