package scim

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
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
	discovery := []route{
		{"/ServiceProviderConfig", map[string]handler{"GET": (*call).serviceProviderConfig}},
		{"/ResourceTypes", map[string]handler{"GET": (*call).resourceTypes}},
		{"/ResourceTypes/:id", map[string]handler{"GET": (*call).resourceType}},
		{"/Schemas", map[string]handler{"GET": (*call).schemas}},
		{"/Schemas/:id", map[string]handler{"GET": (*call).schema}},
		{"/Users/.search", map[string]handler{"POST": (*call).searchUsers}},
		{"/Groups/.search", map[string]handler{"POST": (*call).searchGroups}},
		{"/.search", map[string]handler{"POST": (*call).notImplemented}},
		{"/Bulk", map[string]handler{"POST": (*call).notImplemented}},
		{"/Me", map[string]handler{"GET": (*call).notImplemented, "POST": (*call).notImplemented, "PUT": (*call).notImplemented,
			"PATCH": (*call).notImplemented, "DELETE": (*call).notImplemented}},
	}
	s.mount(e, "/c/:door/scim/v2", (*call).enterConnection, slices.Concat(discovery, []route{
		{"/Users", map[string]handler{"GET": (*call).listUsers, "POST": (*call).createUser}},
		{"/Users/:id", map[string]handler{"GET": (*call).readUser, "PUT": (*call).replaceUser, "PATCH": (*call).patchUser, "DELETE": (*call).deleteUser}},
		{"/Groups", map[string]handler{"GET": (*call).listGroups, "POST": (*call).createGroup}},
		{"/Groups/:id", map[string]handler{"GET": (*call).readGroup, "PUT": (*call).replaceGroup, "PATCH": (*call).patchGroup, "DELETE": (*call).deleteGroup}},
	}))
	s.mount(e, "/o/:door/scim/v2", (*call).enterOrg, slices.Concat(discovery, []route{
		{"/Users", map[string]handler{"GET": (*call).listUsers}},
		{"/Users/:id", map[string]handler{"GET": (*call).readUser}},
		{"/Groups", map[string]handler{"GET": (*call).listGroups}},
		{"/Groups/:id", map[string]handler{"GET": (*call).readGroup}},
	}))
}

// mount registers every method of every path, so that 404 and 405 below a door
// are SCIM errors whatever the server's own error page is. A slash at the end
// of a path changes nothing: Entra ID writes /Users/?filter=.
func (s *Server) mount(e *echo.Echo, prefix string, enter handler, routes []route) {
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
	nothing := func(*call) error { return fault{Status: http.StatusNotFound, Detail: "there is no such endpoint"} }
	e.RouteNotFound(prefix, s.serve(enter, nothing))
	e.RouteNotFound(prefix+"/*", s.serve(enter, nothing))
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

// notImplemented answers the parts of RFC 7644 that are not here: Bulk, the
// alias Me, and searching all resource types at once (§3.11, table 8).
func (c *call) notImplemented() error {
	return fault{Status: http.StatusNotImplemented, Detail: c.r.URL.Path[strings.LastIndexByte(c.r.URL.Path, '/'):] + " is not supported; use /Users and /Groups"}
}
