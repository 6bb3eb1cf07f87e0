package scim

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/elimity-com/scim/schema"

	"muster/directory"
)

// resource is a discovery document: small, rarely read, made on the fly.
type resource = map[string]any

// sendDocument answers with a discovery document. Filters are refused there
// (RFC 7644 §4).
func (c *call) sendDocument(doc resource) error {
	p, err := c.parameters()
	if err != nil {
		return err
	}
	if p.filter != "" {
		return faultf(http.StatusForbidden, "", "filter: this endpoint cannot be filtered")
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	h := fnv.New64a()
	h.Write(body)
	version := strconv.FormatUint(h.Sum64(), 36)
	c.w.Header().Set("ETag", etag(version))
	if done, err := c.fresh(version); done || err != nil {
		return c.orEmpty(http.StatusNotModified, err)
	}
	c.write(http.StatusOK, body)
	return nil
}

func (c *call) sendList(docs []resource) error {
	return c.sendDocument(resource{"schemas": []string{listURN}, "totalResults": len(docs), "startIndex": 1,
		"itemsPerPage": len(docs), "Resources": docs})
}

// sendOne answers with the document that the path names, by id in any case.
func (c *call) sendOne(docs []resource) error {
	for _, doc := range docs {
		if id, _ := doc["id"].(string); strings.EqualFold(id, c.id) {
			return c.sendDocument(doc)
		}
	}
	return errNotFound
}

func (c *call) schemas() error { return c.sendList(c.schemaDocuments()) }

func (c *call) schema() error { return c.sendOne(c.schemaDocuments()) }

func (c *call) resourceTypes() error { return c.sendList(c.typeDocuments()) }

func (c *call) resourceType() error { return c.sendOne(c.typeDocuments()) }

// serviceProviderConfig says what can be done (RFC 7643 §5).
func (c *call) serviceProviderConfig() error {
	o := c.s.options
	supported := func(yes bool) resource { return resource{"supported": yes} }
	return c.sendDocument(resource{
		"schemas":        []string{configURN},
		"patch":          supported(c.connection != nil),
		"bulk":           c.bulkConfig(),
		"filter":         resource{"supported": true, "maxResults": o.MaxResults},
		"changePassword": supported(false),
		"sort":           supported(true),
		"pagination": resource{"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": o.PageSize,
			"maxPageSize": o.MaxResults, "cursorTimeout": int(o.CursorLife.Seconds())},
		"etag": supported(true),
		"authenticationSchemes": []resource{{"type": "oauthbearertoken", "name": "OAuth Bearer Token",
			"description": "The token of this endpoint in the Authorization header", "specUri": "https://www.rfc-editor.org/info/rfc6750", "primary": true}},
		"meta": resource{"resourceType": "ServiceProviderConfig", "location": c.base + "/ServiceProviderConfig"},
	})
}

// bulkConfig: who may not write has no bulk.
func (c *call) bulkConfig() resource {
	if c.connection == nil {
		return resource{"supported": false, "maxOperations": 0, "maxPayloadSize": 0}
	}
	return resource{"supported": true, "maxOperations": c.s.options.MaxBulkOperations, "maxPayloadSize": c.s.options.MaxBulkBody}
}

func (c *call) typeDocuments() []resource {
	extensions := []resource{}
	for _, s := range c.index.order {
		extensions = append(extensions, resource{"schema": s.urn, "required": slices.ContainsFunc(s.list, c.index.requires)})
	}
	one := func(name, urn, description string) resource {
		return resource{"schemas": []string{typeURN}, "id": name, "name": name, "description": description, "endpoint": "/" + name + "s",
			"schema": urn, "meta": resource{"resourceType": "ResourceType", "location": c.base + "/ResourceTypes/" + name}}
	}
	user := one("User", userURN, "User Account")
	user["schemaExtensions"] = extensions
	return []resource{user, one("Group", groupURN, "Group")}
}

func (c *call) schemaDocuments() []resource {
	var docs []resource
	for i, s := range c.index.schemas {
		doc := s.ToMap()
		if raw, ok := doc["attributes"].([]resource); ok {
			c.index.policies(raw, i == 0, "")
		}
		docs = append(docs, c.located(s, doc))
	}
	group := c.s.groups.schemas[0]
	doc := group.ToMap()
	if raw, ok := doc["attributes"].([]resource); ok {
		requireName(raw)
	}
	return append(docs, c.located(group, doc))
}

// requireName says that a group needs its name, which RFC 7643 §4.2 demands in
// words and leaves out of the schema in §8.7.1.
func requireName(raw []resource) {
	for _, a := range raw {
		if a["name"] == directory.DisplayName {
			a["required"] = true
		}
	}
}

// requires says whether every new user needs the attribute.
func (x *index) requires(a *attribute) bool { return isRequired(x.policy.Attribute(a.Name)) }

func isRequired(p directory.AttributePolicy) bool {
	return p.Required == directory.RequiredCreate || p.Required == directory.RequiredAlways
}

// complete writes out the keywords that the library leaves to their defaults
// (RFC 7643 §2.2): clients exist that look for each of them.
func complete(raw []resource) {
	for _, doc := range raw {
		for key, value := range map[string]any{"caseExact": false, "uniqueness": "none"} {
			if doc[key] == nil {
				doc[key] = value
			}
		}
		if doc["description"] == "" {
			doc["description"] = "Declared by the organisation"
		}
		if subs, ok := doc["subAttributes"].([]resource); ok {
			complete(subs)
		}
	}
}

func (c *call) located(s schema.Schema, doc resource) resource {
	if raw, ok := doc["attributes"].([]resource); ok {
		complete(raw)
	}
	doc["meta"] = resource{"resourceType": "Schema", "location": c.base + "/Schemas/" + s.ID}
	return doc
}

// policies writes what the organisation decided into the attributes of a
// schema: what it requires, and closed lists of values.
func (x *index) policies(raw []resource, core bool, prefix string) {
	for _, doc := range raw {
		name, _ := doc["name"].(string)
		subs, _ := doc["subAttributes"].([]resource)
		if core && prefix == "" && name == "name" {
			x.policies(subs, core, "name.")
			continue
		}
		p := x.policy.Attribute(prefix + name)
		if isRequired(p) {
			doc["required"] = true
		}
		if p.Unique {
			valueOf(doc)["uniqueness"] = "server"
		}
		if len(p.Values) == 0 {
			continue
		}
		valueOf(doc)["canonicalValues"] = p.Values
	}
}

// valueOf is where the values of an attribute are described: itself, or its
// sub-attribute value.
func valueOf(doc resource) resource {
	subs, _ := doc["subAttributes"].([]resource)
	for _, sub := range subs {
		if sub["name"] == "value" {
			return sub
		}
	}
	return doc
}
