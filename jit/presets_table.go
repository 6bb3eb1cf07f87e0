package jit

import "muster/directory"

// Namespaces of claim names. Entra ID and ADFS use them unless the administrator leaves the namespace empty, so every
// list has the short name, too.
const (
	xmlsoap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"   // ADFS, Entra ID, WS-Federation
	msID    = "http://schemas.microsoft.com/identity/claims/"            // Entra ID
	msRole  = "http://schemas.microsoft.com/ws/2008/06/identity/claims/" // ADFS, Entra ID
	adfsOld = "http://schemas.xmlsoap.org/claims/"                       // ADFS: Group
	samlID  = "urn:oasis:names:tc:SAML:attribute:"                       // SAML V2.0 Subject Identifier Attributes Profile
	oidUID  = "urn:oid:0.9.2342.19200300.100.1.1"                        // uid, RFC 4519
	oidMail = "urn:oid:0.9.2342.19200300.100.1.3"                        // mail, RFC 4524
	oidPKCS = "urn:oid:1.2.840.113549.1.9.1"                             // emailAddress, RFC 2985; Keycloak's
	oidGN   = "urn:oid:2.5.4.42"                                         // givenName, RFC 4519
	oidSN   = "urn:oid:2.5.4.4"                                          // sn, RFC 4519
	oidOU   = "urn:oid:2.5.4.11"                                         // ou, RFC 4519
	oidDN   = "urn:oid:2.16.840.1.113730.3.1.241"                        // displayName, RFC 2798
	oidMOf  = "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"                         // isMemberOf, eduMember
	oidEPPN = "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"                         // eduPersonPrincipalName
)

// names are the claims that feed one person, by target, the preferred one first.
type names struct{ userName, email, given, family, display, department, groups []string }

// common are the names found in the field, whoever the provider is: administrators of every provider may choose them.
// "name" is missing on purpose: it is the display name in OpenID Connect and the UPN at Entra ID without namespace.
func common() names {
	return names{
		userName: []string{"userName", "uid", "preferred_username", oidUID, xmlsoap + "name", xmlsoap + "upn"},
		email:    []string{"email", "Email", "mail", xmlsoap + "emailaddress", oidMail, oidPKCS},
		given:    []string{"firstName", "Firstname", "givenName", "given_name", xmlsoap + "givenname", oidGN},
		family:   []string{"lastName", "Lastname", "surname", "sn", "family_name", xmlsoap + "surname", oidSN},
		display:  []string{"displayName", msID + "displayname", oidDN},
		groups:   []string{"groups", "Groups", "memberOf", msRole + "groups", adfsOld + "Group", oidMOf},
	}
}

// uniqueID are the two spellings in the field of a subject that the administrator maps on purpose.
func uniqueID() []string { return []string{"uniqueUserId", "userUniqueId"} }

// preset makes a preset of a provider's own names, each followed by the common ones.
func preset(p Preset, own names) Preset {
	c := common()
	p.Map = []directory.Mapping{
		{To: directory.UserName, From: join(own.userName, c.userName)},
		{To: directory.Emails, From: join(own.email, c.email)},
		{To: directory.GivenName, From: join(own.given, c.given)},
		{To: directory.FamilyName, From: join(own.family, c.family)},
		{To: directory.DisplayName, From: join(own.display, c.display)},
	}
	if len(own.department) > 0 {
		p.Map = append(p.Map, directory.Mapping{To: "department", From: own.department})
	}
	p.Groups = join(own.groups, c.groups)
	return p
}

// join appends what is not yet there.
func join(lists ...[]string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, list...)
	}
	return distinct(all)
}

// presetTable is everything that is known, one function for each provider, the generic one last.
func presetTable() []Preset {
	return []Preset{
		entra(), okta(), pingOne(), jumpCloud(), oneLogin(), google(), keycloak(), adfs(), shibboleth(), generic(),
	}
}

// Entra ID's NameID is the UPN, which changes with a marriage and is given to the next person: never the subject. The
// object id is sent by default. SCIM must send the same (its stock mapping sends mailNickname: see the steps).
// Its PATCH replaces elements that do not exist yet (emails[type eq "work"].value on a user without any).
func entra() Preset {
	return preset(Preset{
		Name: "entra", Title: "Microsoft Entra ID", CreateElement: true,
		Subject: directory.Subjects{
			SCIM: directory.ExternalID, Same: true,
			SSO: join([]string{msID + "objectidentifier", "objectidentifier", "oid"}, uniqueID()),
		},
		Steps: []string{
			"Enterprise applications > New application > Create your own application > non-gallery.",
			"Single sign-on > SAML: upload the file from {metadata}, or enter the identifier {entityID} and the reply URL {acs}.",
			"Attributes & Claims: the default claims are enough. A claim uniqueUserId must have the source user.objectid, firstName user.givenname, lastName user.surname, email user.mail. With or without namespace.",
			"Groups: add a group claim for the groups assigned to the application. Over 150 groups Entra ID sends a link instead; then groups are only added, so let SCIM bring them.",
			"Copy the federation metadata URL or file into this connection.",
			"Provisioning > Automatic: tenant URL {scim}, and a SCIM token of this connection. Attribute mapping: change externalId to objectId.",
			"If this connection may not create by SCIM, untick Create under target object actions: constant errors quarantine the job.",
		},
	}, names{
		userName: []string{xmlsoap + "name", xmlsoap + "upn", "upn"},
		email:    []string{xmlsoap + "emailaddress", "emailaddress"},
		given:    []string{xmlsoap + "givenname", "givenname"},
		family:   []string{xmlsoap + "surname"},
		display:  []string{msID + "displayname", "displayname"},
		groups:   []string{msRole + "groups"},
	})
}

// Okta's user.id is its externalId over SCIM and its sub over OIDC. SAML sends the user name as NameID unless told
// otherwise, so uniqueUserId is asked first; a NameID that differs from externalId is refused rather than guessed.
func okta() Preset {
	return preset(Preset{
		Name: "okta", Title: "Okta",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: join(uniqueID(), []string{NameID, Sub}), Same: true},
		Steps: []string{
			"Applications > Create App Integration > SAML 2.0. Single sign-on URL {acs}, audience URI {entityID}.",
			"Attribute statements: uniqueUserId = user.id, firstName = user.firstName, lastName = user.lastName, email = user.email; displayName and department if wanted.",
			"Group attribute statements: groups, with a filter that matches the groups to send.",
			"Copy the identity provider metadata URL or file into this connection.",
			"Provisioning: enable SCIM. Base URL {scim}, unique identifier field userName, HTTP header with a SCIM token of this connection. externalId is user.id by default: leave it.",
		},
	}, names{display: []string{"displayName"}, department: []string{"department"}})
}

// PingOne sends saml_subject as NameID, whatever that is mapped to, and over SCIM an externalId only where it is
// mapped: the two are not known to be equal, so the first sign-in matches softly within the connection.
func pingOne() Preset {
	return preset(Preset{
		Name: "pingone", Title: "PingOne",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: join(uniqueID(), []string{NameID, Sub})},
		Steps: []string{
			"Applications > + > SAML application: import the file from {metadata}, or enter the ACS URL {acs} and the entity ID {entityID}.",
			"Attribute mappings: saml_subject = User ID, uniqueUserId = User ID, firstName = Given Name, lastName = Family Name, email = Email Address; Groups = Group Names if wanted.",
			"Copy the IdP metadata URL or file into this connection, and switch the application on.",
			"Integrations > Provisioning > SCIM outbound: URL {scim}, OAuth 2 bearer token with a SCIM token of this connection. Attribute mapping: add externalId = User ID. If sign-in sends the same, set subject to {scim: externalId, sso: [uniqueUserId], same: true}.",
		},
	}, names{given: []string{"FirstName"}, family: []string{"LastName"}, groups: []string{"Groups"}})
}

// JumpCloud's NameID is the e-mail address, which changes; its externalId is not, so they are not the same value.
func jumpCloud() Preset {
	return preset(Preset{
		Name: "jumpcloud", Title: "JumpCloud",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: join(uniqueID(), []string{NameID, Sub}), Mutable: true},
		Steps: []string{
			"SSO Applications > Add > Custom application > SAML. SP entity ID {entityID}, ACS URL {acs}, login URL {login}.",
			"User attributes: email = email, firstname = firstname, lastname = lastname; displayname and department if wanted. A constant may be added as a constant attribute.",
			"Group attribute: tick it and name it memberOf.",
			"Export the JumpCloud metadata into this connection.",
			"Identity management: SCIM 2.0, base URL {scim}, token: a SCIM token of this connection.",
		},
	}, names{
		given: []string{"firstname"}, family: []string{"lastname"}, display: []string{"displayname"},
		department: []string{"department"}, groups: []string{"memberOf"},
	})
}

// OneLogin's NameID is the e-mail address unless chosen otherwise. Groups often come as one text with semicolons.
func oneLogin() Preset {
	return preset(Preset{
		Name: "onelogin", Title: "OneLogin", Split: ";",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: join(uniqueID(), []string{"PersonImmutableID", NameID, Sub}), Mutable: true},
		Steps: []string{
			"Applications > Add app > SCIM Provisioner with SAML (SCIM v2 Enterprise), or SAML Custom Connector.",
			"Configuration: audience {entityID}, recipient and ACS URL {acs}, ACS URL validator: the same as a regular expression.",
			"Parameters, each included in the assertion: uniqueUserId = OneLogin ID, User.email = Email, User.FirstName = First Name, User.LastName = Last Name; memberOf = User Roles, several values joined by semicolons.",
			"SSO: copy the issuer URL's metadata into this connection.",
			"Configuration: SCIM base URL {scim}, SCIM bearer token: a SCIM token of this connection.",
		},
	}, names{
		email: []string{"User.email"}, given: []string{"User.FirstName", "first_name"}, family: []string{"User.LastName", "last_name"},
		groups: []string{"memberOf"},
	})
}

// Google's NameID is the primary e-mail address; over OIDC sub never changes.
func google() Preset {
	return preset(Preset{
		Name: "google", Title: "Google Workspace",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: join(uniqueID(), []string{NameID, Sub}), Mutable: true},
		Steps: []string{
			"Admin console > Apps > Web and mobile apps > Add app > Add custom SAML app.",
			"Download the IdP metadata into this connection. ACS URL {acs}, entity ID {entityID}.",
			"Attribute mapping: Primary email = email, First name = firstName, Last name = lastName.",
			"Group membership: choose the groups to send (at most 75), app attribute groups.",
			"Switch the app on for the organisational units that may sign in.",
		},
	}, names{})
}

// Keycloak's NameID is the user name unless a mapper says otherwise; over OIDC sub is the user's id and does not
// change. Group values may be paths (/a/b).
func keycloak() Preset {
	return preset(Preset{
		Name: "keycloak", Title: "Keycloak",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: join(uniqueID(), []string{NameID, Sub}), Mutable: true},
		Steps: []string{
			"Clients > Import client: the file from {metadata}. Or a SAML client with the ID {entityID} and the master SAML processing URL {acs}.",
			"Settings: sign documents or assertions on, client signature required off, force POST binding on.",
			"Client scopes > dedicated: X500 email, X500 givenName, X500 surname; a user property mapper uniqueUserId = id; a group list mapper, attribute name member.",
			"Copy the realm's SAML 2.0 identity provider metadata into this connection.",
		},
	}, names{
		userName: []string{"username"}, email: []string{oidPKCS}, given: []string{oidGN}, family: []string{oidSN},
		groups: []string{"member"},
	})
}

// ADFS sends what its rules say. The SID never changes; the UPN does.
func adfs() Preset {
	return preset(Preset{
		Name: "adfs", Title: "Active Directory Federation Services",
		Subject: directory.Subjects{
			SCIM: directory.ExternalID, Mutable: true,
			SSO: join(uniqueID(), []string{msRole + "primarysid", xmlsoap + "upn", NameID, Sub}),
		},
		Steps: []string{
			"Relying party trusts > Add: import from {metadata}.",
			"Claim issuance policy: send LDAP attributes E-Mail-Addresses, Given-Name, Surname, Display-Name and User-Principal-Name as E-Mail Address, Given Name, Surname, Common Name and UPN; pass through Primary SID; Token-Groups as Group.",
			"Transform E-Mail Address or UPN to Name ID: ADFS sends none by itself.",
			"Copy FederationMetadata/2007-06/FederationMetadata.xml into this connection.",
		},
	}, names{
		userName: []string{xmlsoap + "upn"}, email: []string{xmlsoap + "emailaddress"}, given: []string{xmlsoap + "givenname"},
		family: []string{xmlsoap + "surname"}, display: []string{adfsOld + "CommonName"}, groups: []string{adfsOld + "Group"},
	})
}

// Shibboleth's subject identifiers are made for this. The NameID is transient by default and is then passed over.
func shibboleth() Preset {
	return preset(Preset{
		Name: "shibboleth", Title: "Shibboleth",
		Subject: directory.Subjects{
			SCIM: directory.ExternalID,
			SSO:  join([]string{samlID + "subject-id", samlID + "pairwise-id"}, uniqueID(), []string{NameID}),
		},
		Steps: []string{
			"metadata-providers.xml: add the file from {metadata}.",
			"attribute-filter.xml: release samlSubjectID (or samlPairwiseID), mail, givenName, sn, displayName and isMemberOf to {entityID}.",
			"Copy the identity provider's metadata into this connection.",
		},
	}, names{
		userName: []string{oidEPPN}, email: []string{oidMail}, given: []string{oidGN}, family: []string{oidSN},
		display: []string{oidDN}, department: []string{oidOU}, groups: []string{oidMOf},
	})
}

// The generic provider is whoever speaks the protocol. Its NameID may be anything, so nothing is declared about SCIM.
func generic() Preset {
	return preset(Preset{
		Name: Generic, Title: "Any SAML 2.0 or OpenID provider",
		Subject: directory.Subjects{SCIM: "id", SSO: join(uniqueID(), []string{NameID, Sub})},
		Steps: []string{
			"Import the service provider metadata from {metadata}, or enter the entity ID {entityID} and the ACS URL {acs} (HTTP-POST).",
			"Send a NameID that never changes (persistent), or an attribute uniqueUserId.",
			"Send the attributes email, firstName and lastName; userName, displayName and groups if wanted. Names are case-sensitive.",
			"Sign the assertion with SHA-256.",
			"Copy the provider's metadata into this connection.",
			"For push provisioning: SCIM 2.0 at {scim} with a SCIM token of this connection.",
		},
	}, names{})
}
