package scim

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// handler answers one request; an error it returns becomes a SCIM Error.
type handler func(*call) error

// route is one path below a door, with a handler for each method it takes.
type route struct {
	path    string
	methods map[string]handler
}

// Mount adds both doors: a connection's, where its identity provider writes and
// reads its own view, and an organisation's, where applications read.
func (s *Server) Mount(e *echo.Echo) {
	shared := []route{
		{"/ServiceProviderConfig", map[string]handler{"GET": (*call).serviceProviderConfig}},
		{"/ResourceTypes", map[string]handler{"GET": (*call).resourceTypes}},
		{"/ResourceTypes/:id", map[string]handler{"GET": (*call).resourceType}},
		{"/Schemas", map[string]handler{"GET": (*call).schemas}},
		{"/Schemas/:id", map[string]handler{"GET": (*call).schema}},
		{"", map[string]handler{"GET": listing(directory.UserResource, directory.GroupResource)}},
		{"/.search", map[string]handler{"POST": searching(directory.UserResource, directory.GroupResource)}},
		{"/Users/.search", map[string]handler{"POST": searching(directory.UserResource)}},
		{"/Groups/.search", map[string]handler{"POST": searching(directory.GroupResource)}},
	}
	alias := map[string]handler{"GET": (*call).notImplemented, "POST": (*call).notImplemented, "PUT": (*call).notImplemented,
		"PATCH": (*call).notImplemented, "DELETE": (*call).notImplemented}
	readOnly := func(get handler) map[string]handler { return map[string]handler{"GET": get} }
	s.mount(e, "/c/:door/scim/v2", (*call).enterConnection, slices.Concat(shared, resourceRoutes(), []route{
		{"/Bulk", map[string]handler{"POST": (*call).bulk}},
		{"/Me", alias},
	}))
	s.mount(e, "/o/:door/scim/v2", (*call).enterOrg, slices.Concat(shared, []route{
		{"/Users", readOnly(listing(directory.UserResource))},
		{"/Users/:id", readOnly((*call).readUser)},
		{"/Groups", readOnly(listing(directory.GroupResource))},
		{"/Groups/:id", readOnly((*call).readGroup)},
		{"/Bulk", map[string]handler{"POST": (*call).notImplemented}},
	}))
	me := maps.Clone(alias)
	me["GET"] = (*call).me
	s.add(e, "/o/:door/scim/v2", (*call).enterPerson, []route{{"/Me", me}})
}

// resourceRoutes are what an identity provider may do with resources, one by
// one or in bulk.
func resourceRoutes() []route {
	return []route{
		{"/Users", map[string]handler{"GET": listing(directory.UserResource), "POST": (*call).createUser}},
		{"/Users/:id", map[string]handler{"GET": (*call).readUser, "PUT": (*call).replaceUser, "PATCH": (*call).patchUser, "DELETE": (*call).deleteUser}},
		{"/Groups", map[string]handler{"GET": listing(directory.GroupResource), "POST": (*call).createGroup}},
		{"/Groups/:id", map[string]handler{"GET": (*call).readGroup, "PUT": (*call).replaceGroup, "PATCH": (*call).patchGroup, "DELETE": (*call).deleteGroup}},
	}
}

// mount registers every method of every path, so that 404 and 405 below a door
// are SCIM errors whatever the server's own error page is.
func (s *Server) mount(e *echo.Echo, prefix string, enter handler, routes []route) {
	s.add(e, prefix, enter, routes)
	e.RouteNotFound(prefix+"/*", s.serve(enter, func(*call) error {
		return fault{Status: http.StatusNotFound, Detail: "there is no such endpoint"}
	}))
}

// add registers routes. A slash at the end of a path changes nothing: Entra ID
// writes /Users/?filter=.
func (s *Server) add(e *echo.Echo, prefix string, enter handler, routes []route) {
	known := []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"}
	for _, r := range routes {
		methods, refuse := completed(r.methods)
		for _, m := range known {
			h := methods[m]
			if h == nil {
				h = refuse
			}
			e.Add(m, prefix+r.path, s.serve(enter, h))
			e.Add(m, prefix+r.path+"/", s.serve(enter, h))
		}
	}
}

// completed adds HEAD, which is GET without a body, and OPTIONS, which names
// the methods; refuse answers every other method.
func completed(given map[string]handler) (methods map[string]handler, refuse handler) {
	methods = maps.Clone(given)
	if get := given["GET"]; get != nil {
		methods["HEAD"] = get
	}
	methods["OPTIONS"] = nil
	allow := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	methods["OPTIONS"] = func(c *call) error {
		c.w.Header().Set("Allow", allow)
		return c.empty(http.StatusNoContent)
	}
	return methods, func(c *call) error {
		c.w.Header().Set("Allow", allow)
		return fault{Status: http.StatusMethodNotAllowed, Detail: "the endpoint takes " + allow}
	}
}

// notImplemented answers what cannot be here: Bulk where nothing is written,
// and the alias Me where nobody is signed in or for writing (RFC 7644 §3.11).
func (c *call) notImplemented() error {
	path := strings.TrimSuffix(c.r.URL.Path, "/")
	return fault{Status: http.StatusNotImplemented, Detail: path[strings.LastIndexByte(path, '/')+1:] + " is not supported here; use /Users and /Groups"}
}
