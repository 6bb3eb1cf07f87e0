package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"muster/directory"
)

const (
	apiRoot = "/admin/api/v1"
	// roleKey is where the OpenAPI document says what role an operation needs.
	roleKey = "x-muster-role"
)

// mountAPI adds the API: its operations, its description, and an answer for what is neither.
func (s *Server) mountAPI(e *echo.Echo) {
	group := e.Group(apiRoot, s.aroundAPI, s.idempotent)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "muster administration", Version: "v1", Description: apiDescription},
			Servers: []*huma.Server{{URL: s.base + apiRoot}},
			Components: &huma.Components{
				Schemas: newRegistry(),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer"},
					"session": {Type: "apiKey", In: "cookie", Name: s.cookieName()},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"session": {}}},
		},
		Formats:                      huma.DefaultFormats,
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{s.asProblem},
	}
	config.FieldsOptionalByDefault = true
	s.api = humaecho.NewWithGroup(e, group, config)
	s.operations()
	looks := []string{http.MethodGet, http.MethodHead}
	e.Match(looks, "/admin/api/openapi.json", s.aroundAPI(s.openAPI))
	e.Any("/admin/api/*", s.aroundAPI(func(echo.Context) error { return directory.ErrNotFound }))
}

const apiDescription = `Everything the administration pages can do. Authenticate with an administration token as bearer. ` +
	`Errors are problem documents (RFC 9457) that name the field and, where they can be listed, the allowed values. ` +
	`Lists are pages: send the "next" of one as "after" of the following. A POST with an Idempotency-Key is done once. ` +
	`Configuration carries an ETag: send it in If-Match, and an edit that came in between is answered 412 and told.`

// operations registers every resource, each in its own file.
func (s *Server) operations() {
	s.meOperations()
	s.orgOperations()
	s.configOperations()
	s.connectionOperations()
	s.userOperations()
	s.userEditOperations()
	s.groupOperations()
	s.caseOperations()
	s.eventOperations()
	s.tokenOperations()
	s.administratorOperations()
	s.delegationOperations()
	s.applyOperations()
}

// openAPI serves the description.
func (s *Server) openAPI(c echo.Context) error {
	content, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/openapi+json", content)
}

// aroundAPI is what wraps every request of the API: headers, origin, and an answer for every error.
func (s *Server) aroundAPI(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		correlate(c)
		protect(c.Response().Header())
		c.SetRequest(c.Request().WithContext(s.withValidator(c.Request().Context())))
		err := s.forgery.Check(c.Request())
		if err != nil {
			err = refuse(http.StatusForbidden, "cross_origin", "This was sent from another site's page.")
		} else {
			err = next(c)
		}
		if err != nil && !c.Response().Committed {
			return s.sendProblem(c, err)
		}
		return nil
	}
}

// sendProblem answers an error as a problem document.
func (s *Server) sendProblem(c echo.Context, err error) error {
	p := *problemOf(err)
	p.CorrelationID = c.Response().Header().Get(echo.HeaderXRequestID)
	s.logProblem(&p)
	content, err := json.Marshal(&p)
	if err != nil {
		return err
	}
	if p.Status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", "Bearer")
	}
	return c.Blob(p.Status, "application/problem+json", content)
}

// operation is one row of the API: what it is, and the role it needs where it is about.
type operation struct {
	method, path string
	need         directory.AdminRole
	id           string
	summary      string
	status       int // of success, 0 for 200
}

// call is who asks, and which organisation it is about.
type call struct {
	acting directory.Acting
	policy *directory.Policy // of the organisation in the path, else nil
}

func (c *call) org() string {
	if c.policy == nil {
		return ""
	}
	return c.policy.Org.ID
}

type callKey struct{}

// add registers an operation. Its handler runs when the caller's role has been checked.
func add[I, O any](s *Server, o operation, handle func(context.Context, *call, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, DefaultStatus: o.status,
		Tags:        []string{tagOf(o.path)},
		Middlewares: huma.Middlewares{s.admitCaller(o.need)},
		Responses:   s.problemResponses(o.need),
		Extensions:  map[string]any{roleKey: string(o.need)},
		// Bodies are small: what is larger is no configuration.
		MaxBodyBytes: 4 << 20,
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, ctx.Value(callKey{}).(*call), in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

// tagOf groups operations by their resource: "/orgs/{org}/users/{id}" is about users.
func tagOf(path string) string {
	parts := slices.DeleteFunc(strings.Split(strings.TrimPrefix(path, "/"), "/"), func(s string) bool { return strings.HasPrefix(s, "{") })
	if len(parts) > 1 && parts[0] == "orgs" {
		return parts[1]
	}
	return parts[0]
}

// problemResponses document the answers that are no success.
func (s *Server) problemResponses(directory.AdminRole) map[string]*huma.Response {
	schema := s.api.OpenAPI().Components.Schemas.Schema(problemType(), true, "Problem")
	return map[string]*huma.Response{"default": {
		Description: "A problem document: 400 not understood, 401 no token or session, 403 not your role, 404 nothing that you may see, " +
			"409 refused by a rule, 412 changed in between, 422 a value is not allowed.",
		Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}}
}

// admitCaller finds out who calls and refuses whom the operation is not for.
func (s *Server) admitCaller(need directory.AdminRole) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humaecho.Unwrap(ctx)
		who, err := s.enterCall(c, need, ctx.Param("org"))
		if err != nil {
			if err := s.sendProblem(c, err); err != nil {
				s.log.Debug("the answer was not taken", "error", err)
			}
			return
		}
		next(huma.WithValue(ctx, callKey{}, who))
	}
}

func (s *Server) enterCall(c echo.Context, need directory.AdminRole, org string) (*call, error) {
	who, err := s.caller(c)
	if err != nil {
		return nil, err
	}
	who.Request = c.Response().Header().Get(echo.HeaderXRequestID)
	if need == somebody {
		return &call{acting: who}, nil
	}
	if err := s.permit(who, need, org); err != nil || org == "" {
		return &call{acting: who}, err
	}
	policy, err := s.directory.Policy(c.Request().Context(), org)
	return &call{who, policy}, err
}

// caller is who authenticated: by bearer token, else by the session of the pages.
func (s *Server) caller(c echo.Context) (directory.Acting, error) {
	ctx := c.Request().Context()
	secret, given := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
	if !given {
		v := &visit{Context: c, server: s}
		err := s.recognise(v)
		return v.acting, err
	}
	t, err := s.directory.Authenticate(ctx, strings.TrimSpace(secret))
	if err != nil {
		return directory.Acting{}, err
	}
	if t.Kind != directory.AdminToken {
		return directory.Acting{}, directory.ErrUnauthorized
	}
	return t.Acting(), s.directory.NoteUse(ctx, t, secret)
}

// asProblem turns huma's own errors into problem documents like ours, without the value that was sent: it may be a
// secret.
func (s *Server) asProblem(ctx huma.Context, _ string, v any) (any, error) {
	request := humaecho.Unwrap(ctx).Response().Header().Get(echo.HeaderXRequestID)
	switch e := v.(type) {
	case *problem:
		answer := *e
		answer.CorrelationID = request
		s.logProblem(&answer)
		return &answer, nil
	case *huma.ErrorModel:
		p := refuse(e.Status, codeOf(e.Status), sentence(e.Detail))
		for _, d := range e.Errors {
			p.Errors = append(p.Errors, fieldError{Field: strings.TrimPrefix(d.Location, "body."), Detail: sentence(d.Message), Allowed: allowedIn(d.Message)})
		}
		p.CorrelationID = request
		return p, nil
	}
	return v, nil
}

// allowedIn reads the allowed values out of huma's sentence about them.
func allowedIn(message string) []string {
	_, list, ok := strings.Cut(message, `expected value to be one of "`)
	if !ok {
		return nil
	}
	return strings.Split(strings.TrimSuffix(list, `"`), ", ")
}

func codeOf(status int) string {
	switch status {
	case http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusNotAcceptable:
		return "not_acceptable"
	}
	return "bad_request"
}
