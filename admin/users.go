package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/directory"
	"muster/directory/filter"
)

// usersPage lists users. What was asked stands in the address, so that a list can be sent to a colleague.
type usersPage struct {
	Search string
	Fault  string
	Total  int
	Users  []*directory.Profile
	Next   string // address of the next page, "" on the last
	Size   int
}

const (
	pageSize    = 50
	maxPageSize = 200
)

func (s *Server) users(v *visit) error {
	p := usersPage{Search: strings.TrimSpace(v.QueryParam("q")), Size: sizeOf(v.QueryParam("size"))}
	list, err := s.findUsers(v.Request().Context(), v.org(), p.Search, v.QueryParam("after"), p.Size)
	if err != nil {
		if problem := problemOf(err); problem.Status == http.StatusBadRequest {
			p.Fault = problem.Detail
			return v.render(http.StatusUnprocessableEntity, "users", p)
		}
		return err
	}
	p.Users, p.Total = list.Items, list.Total
	if list.Next != "" {
		p.Next = "?" + url.Values{"q": {p.Search}, "size": {strconv.Itoa(p.Size)}, "after": {list.Next}}.Encode()
	}
	return v.render(http.StatusOK, "users", p)
}

// sizeOf is how many rows a page has.
func sizeOf(typed string) int {
	n, err := strconv.Atoi(typed)
	if err != nil || n < 1 {
		return pageSize
	}
	return min(n, maxPageSize)
}

// findUsers is the search behind the page and the API.
func (s *Server) findUsers(ctx context.Context, org, search, after string, size int) (directory.Page[*directory.Profile], error) {
	return s.directory.Users(ctx, directory.Viewer{Org: org}, directory.Query{
		Filter: filterOf(search), Limit: size, Paging: directory.ByCursor, Cursor: after, SkipGroups: true,
	})
}

// filterOf makes plain words a SCIM filter: the beginning of a user name or an e-mail address. Text that is a filter
// stays as it is.
func filterOf(search string) string {
	if search == "" || looksLikeFilter(search) {
		return search
	}
	word := strconv.Quote(search)
	if id, ok := directory.ParseID(search); ok {
		return `id eq "` + id.String() + `"`
	}
	return "userName sw " + word + " or emails.value sw " + word
}

// looksLikeFilter: it can be read as one, or was meant to be one and cannot.
func looksLikeFilter(search string) bool {
	if _, err := filter.Parse(search); err == nil {
		return true
	}
	for word := range strings.FieldsSeq(strings.ToLower(search)) {
		switch word {
		case "eq", "ne", "co", "sw", "ew", "pr", "gt", "ge", "lt", "le":
			return true
		}
	}
	return false
}
