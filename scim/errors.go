package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"muster/directory"
	"muster/directory/filter"
)

// fault is an answer that is an error: the SCIM Error body of RFC 7644 §3.12.
type fault = scimerrors.ScimError

func faultf(status int, t scimerrors.ScimType, format string, args ...any) error {
	return fault{Status: status, ScimType: t, Detail: fmt.Sprintf(format, args...)}
}

func invalidSyntax(format string, args ...any) error {
	return faultf(http.StatusBadRequest, scimerrors.ScimTypeInvalidSyntax, format, args...)
}

func invalidValue(format string, args ...any) error {
	return faultf(http.StatusBadRequest, scimerrors.ScimTypeInvalidValue, format, args...)
}

func invalidPath(format string, args ...any) error {
	return faultf(http.StatusBadRequest, scimerrors.ScimTypeInvalidPath, format, args...)
}

func noTarget(format string, args ...any) error {
	return faultf(http.StatusBadRequest, scimerrors.ScimTypeNoTarget, format, args...)
}

// The keywords that RFC 9865 §2.1 adds to those of RFC 7644.
const (
	invalidCursor scimerrors.ScimType = "invalidCursor"
	expiredCursor scimerrors.ScimType = "expiredCursor"
	invalidCount  scimerrors.ScimType = "invalidCount"
)

var errNotFound = fault{Status: http.StatusNotFound, Detail: "there is no such resource"}

// refusals is the one table from a refusal's code to status and scimType.
func refusals(code directory.Code, method string) (int, scimerrors.ScimType) {
	switch code {
	case directory.Uniqueness:
		return http.StatusConflict, scimerrors.ScimTypeUniqueness
	case directory.LinkRequired, directory.Ambiguous:
		if method == http.MethodPost {
			return http.StatusConflict, scimerrors.ScimTypeUniqueness
		}
		return http.StatusForbidden, ""
	case directory.NotProvisioned, directory.DomainNotAllowed, directory.ChannelOff, directory.Reserved, directory.Protected,
		directory.Suspended, directory.Deprovisioned, directory.RuleDenied, directory.StaleAssertion, directory.Owned:
		return http.StatusForbidden, ""
	case directory.GuardTripped, directory.ConnectionPaused:
		return http.StatusServiceUnavailable, ""
	case directory.AttributeMissing:
		if method == http.MethodPatch { // it would be unassigned: RFC 7644 §3.5.2.2
			return http.StatusBadRequest, scimerrors.ScimTypeMutability
		}
		return http.StatusBadRequest, scimerrors.ScimTypeInvalidValue
	case directory.InvalidValue, directory.InvalidIdentifier:
		return http.StatusBadRequest, scimerrors.ScimTypeInvalidValue
	case directory.NoTarget:
		return http.StatusBadRequest, scimerrors.ScimTypeNoTarget
	case directory.MutabilityViolated:
		return http.StatusBadRequest, scimerrors.ScimTypeMutability
	}
	return http.StatusInternalServerError, ""
}

// toFault translates any error. What it does not know becomes a 500 without detail.
func toFault(err error, method string) fault {
	var known fault
	switch refusal, syntax, text, sorting := (*directory.Refusal)(nil), (*syntaxError)(nil), (*filter.Error)(nil), (*directory.SortError)(nil); {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refusal):
		return refused(refusal, method)
	case errors.As(err, &syntax):
		return fault{Status: http.StatusBadRequest, ScimType: scimerrors.ScimTypeInvalidSyntax, Detail: "the body is no JSON that can be read: " + syntax.Error()}
	case errors.As(err, &text):
		return fault{Status: http.StatusBadRequest, ScimType: scimerrors.ScimTypeInvalidFilter, Detail: "filter: " + text.Error()}
	case errors.As(err, &sorting):
		return fault{Status: http.StatusBadRequest, ScimType: scimerrors.ScimTypeInvalidValue, Detail: sorting.Error()}
	case errors.Is(err, directory.ErrCursor):
		return fault{Status: http.StatusBadRequest, ScimType: invalidCursor,
			Detail: "cursor: leave it empty for the first page, then send the nextCursor of the page before with the same filter and order"}
	case errors.Is(err, directory.ErrCursorExpired):
		return fault{Status: http.StatusBadRequest, ScimType: expiredCursor, Detail: "cursor: it has expired; begin again with an empty cursor"}
	case errors.Is(err, directory.ErrNotFound):
		return errNotFound
	case errors.Is(err, directory.ErrUnauthorized):
		return unauthorized
	case errors.Is(err, directory.ErrVersion):
		return fault{Status: http.StatusPreconditionFailed, Detail: "If-Match or If-None-Match does not hold for the version that is there; read the resource again"}
	case directory.IsTooMany(err):
		return fault{Status: http.StatusBadRequest, ScimType: scimerrors.ScimTypeTooMany,
			Detail: "filter: more resources would have to be looked at than one request may; filter on id, userName, externalId, emails or displayName, or page by cursor without sortBy"}
	case errors.Is(err, directory.ErrTooLarge):
		return fault{Status: http.StatusRequestEntityTooLarge, Detail: "the request writes more than one transaction of the store holds; nothing was written, send it in parts"}
	case errors.Is(err, directory.ErrUnavailable):
		return fault{Status: http.StatusServiceUnavailable, Detail: "the store cannot be reached at the moment; nothing was written, send the request again later"}
	case errors.Is(err, directory.ErrUnknown):
		return fault{Status: http.StatusServiceUnavailable, Detail: "the store cannot say whether this was written; send the request again, which is safe"}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault{Status: http.StatusServiceUnavailable, Detail: "the request took too long; nothing was written"}
	}
	return fault{Status: http.StatusInternalServerError, Detail: "internal error"}
}

func refused(r *directory.Refusal, method string) fault {
	status, scimType := refusals(r.Code, method)
	if status == http.StatusInternalServerError {
		return fault{Status: status, Detail: "internal error"}
	}
	detail := r.Error()
	if r.Case != directory.NoID {
		detail += " (case " + r.Case.String() + ")"
	}
	return fault{Status: status, ScimType: scimType, Detail: detail}
}

// fail answers with an error. Unknown ones are logged and not shown.
func (c *call) fail(err error) {
	f := toFault(err, c.r.Method)
	switch {
	case f.Status == http.StatusInternalServerError:
		c.log().Error("scim request failed", "error", err)
	case f.Status == http.StatusServiceUnavailable:
		c.log().Warn("scim request put off", "status", f.Status, "error", err)
	}
	h := c.w.Header()
	switch f.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="muster"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(1, int(c.s.options.RetryAfter.Seconds()))))
	case http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(1+int(c.wait.Seconds())))
	}
	f.Detail = shortened(f.Detail) + " [request " + c.request + "]"
	body, err := f.MarshalJSON()
	if err != nil {
		body = []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500"}`)
	}
	h.Del("ETag")
	c.write(f.Status, body)
}

// shortened keeps a message from repeating what a client sent at length.
func shortened(text string) string {
	const most = 1000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
