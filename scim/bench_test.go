package scim

import (
	"testing"

	"muster/directory"
)

const benchUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"0a21f0f2","userName":"Test_User","active":true,"displayName":"Test User","emails":[{"primary":true,"type":"work","value":"Test_User@testuser.com"}],"meta":{"resourceType":"User"},"name":{"formatted":"givenName familyName","familyName":"familyName","givenName":"givenName"},"roles":[],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Tools"}}`

const benchPatch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"updated@microsoft.com"},{"op":"Replace","path":"name.familyName","value":"updatedFamilyName"}]}`

func BenchmarkDecodeUser(b *testing.B) {
	x := newUserIndex(testPolicy(b))
	var doc document
	b.ReportAllocs()
	for b.Loop() {
		doc, _ = readJSON(benchUser, doc)
		p := newProgram(x, len(doc), nil)
		if err := p.readUser(node{doc, 0}); err != nil {
			b.Fatal(err)
		}
		if _, err := p.run(nil, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatchUser(b *testing.B) {
	x := newUserIndex(testPolicy(b))
	doc, _ := readJSON(benchUser, nil)
	p := newProgram(x, len(doc), nil)
	if err := p.readUser(node{doc, 0}); err != nil {
		b.Fatal(err)
	}
	own, _ := p.run(nil, true)
	b.ReportAllocs()
	for b.Loop() {
		doc, _ = readJSON(benchPatch, doc)
		p := newProgram(x, len(doc), nil)
		if err := p.readPatch(node{doc, 0}); err != nil {
			b.Fatal(err)
		}
		if _, err := p.run(own, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeUser(b *testing.B) {
	x := newUserIndex(testPolicy(b))
	doc, _ := readJSON(benchUser, nil)
	p := newProgram(x, len(doc), nil)
	if err := p.readUser(node{doc, 0}); err != nil {
		b.Fatal(err)
	}
	own, _ := p.run(nil, true)
	profile := &directory.Profile{Attributes: own, Version: "abc"}
	v := view{x: x, base: "https://muster.example/c/idp/scim/v2"}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = v.user(out[:0], profile)
	}
}

func BenchmarkCompileIndex(b *testing.B) {
	p := testPolicy(b)
	for b.Loop() {
		newUserIndex(p)
	}
}
