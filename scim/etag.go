package scim

import (
	"net/http"
	"strings"
	"time"

	"muster/directory"
)

// stamps is what the metadata of a resource is made of.
type stamps struct {
	created, modified time.Time
	version           string
}

// etag is weak: it says that the same is seen, not that it is written alike.
func etag(version string) string { return `W/"` + version + `"` }

// versions reads the entity tags of a header, nil when it is missing. Weak and
// strong ones compare alike, as in the examples of RFC 7644 §3.14. The tag "*"
// in quotes is a version like another, and none of ours.
func versions(h http.Header, name string) []string {
	var list []string
	for _, line := range h.Values(name) {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimSpace(tag)
			if tag != "*" {
				tag = strings.ReplaceAll(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), "*", "")
			}
			list = append(list, tag)
		}
	}
	return list
}

// reads holds for GET and for HEAD, which is GET without the body.
func (c *call) reads() bool { return c.r.Method == http.MethodGet || c.r.Method == http.MethodHead }

// holds says whether one of the tags is this version.
func holds(tags []string, version string) bool {
	for _, v := range tags {
		if v == "*" || v == version && version != "" {
			return true
		}
	}
	return false
}

// fresh holds the conditions of a read against what is there: a fault where
// If-Match does not hold, true where the client has it already (RFC 9110 §13).
func (c *call) fresh(version string) (bool, error) {
	if !c.reads() {
		return false, nil
	}
	if tags := versions(c.r.Header, "If-Match"); tags != nil && !holds(tags, version) {
		return false, directory.ErrVersion
	}
	return c.unchanged(version), nil
}

// unchanged says whether the client has this version already (If-None-Match).
func (c *call) unchanged(version string) bool {
	return holds(versions(c.r.Header, "If-None-Match"), version)
}
