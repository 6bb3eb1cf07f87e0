package jit

import "muster/directory"

// openIDNames are the standard claims (OpenID Connect Core §5.1). "name" is the display name here, whereas a SAML
// attribute of that name is the UPN at Entra ID.
func openIDNames() names {
	return names{
		userName: []string{"preferred_username"},
		email:    []string{"email"},
		given:    []string{"given_name"},
		family:   []string{"family_name"},
		display:  []string{"name"},
		groups:   []string{"groups"},
	}
}

// openIDPreset makes a preset of the standard claims, then a provider's own, then those that administrators choose for
// both protocols.
func openIDPreset(p Preset, own names) Preset {
	standard := openIDNames()
	return preset(p, names{
		userName:   join(standard.userName, own.userName),
		email:      join(standard.email, own.email),
		given:      join(standard.given, own.given),
		family:     join(standard.family, own.family),
		display:    join(standard.display, own.display),
		department: own.department,
		groups:     join(standard.groups, own.groups),
	})
}

// openIDTable is what differs where people come by OpenID Connect, one function for each provider, in the order of
// presetTable. sub is never given to somebody else (Core §5.7), so no subject here is mutable.
func openIDTable() []Preset {
	return []Preset{
		entraOpenID(), oktaOpenID(), pingOneOpenID(), jumpCloudOpenID(), oneLoginOpenID(), googleOpenID(), keycloakOpenID(),
		adfsOpenID(), shibbolethOpenID(), genericOpenID(),
	}
}

// byClaim is a subject that the administrator maps on purpose, else sub.
func byClaim() []string { return join(uniqueID(), []string{Sub}) }

// The steps that every provider needs at the end, with the keys of the apply file.
const (
	openIDSecret = "Put issuer, client_id and client_secret_env into this connection's oidc block."
	openIDLogout = "Back-channel logout URL, where the console has one: {logout}, with the session (sid) required."
)

// Entra ID's sub is another one for each application; oid is the object id that SCIM sends, and belongs to the tenant
// (tid) that the issuer names: an issuer of several tenants is refused. email, given_name, family_name and upn are
// optional claims; preferred_username changes. groups are object ids, over 200 of them a pointer in _claim_names or
// hasgroups. Source: Microsoft identity platform, "ID token claims reference", "Optional claims reference".
func entraOpenID() Preset {
	return openIDPreset(Preset{
		Name: "entra", Title: "Microsoft Entra ID", CreateElement: true,
		Subject: directory.Subjects{SCIM: directory.ExternalID, Same: true, SSO: join([]string{"oid"}, uniqueID())},
		Steps: []string{
			"App registrations > New registration: accounts in this directory only. Redirect URI of type Web: {callback}.",
			"The issuer is https://login.microsoftonline.com/TENANT-ID/v2.0, with the directory's own id; common and organizations are refused.",
			"Certificates & secrets: a new client secret. Or client_auth: private_key_jwt, and upload the certificate that `muster key list --pem --connection CONNECTION` prints, after `muster key roll --overlap 0`.",
			"Token configuration > Add optional claim > ID: email, given_name, family_name, upn.",
			"Token configuration > Add groups claim: groups assigned to the application. Over 200 groups Entra ID sends a pointer instead; then groups are only added, so let SCIM bring them.",
			openIDSecret,
			"Provisioning > Automatic: tenant URL {scim}, and a SCIM token of this connection. Attribute mapping: change externalId to objectId.",
		},
	}, names{userName: []string{"upn"}})
}

// Okta's sub is the user's id, which is externalId over SCIM. groups come with a groups claim filter, at most 100.
// Source: Okta Developer, "ID token payload", "Customize tokens returned from Okta with a groups claim".
func oktaOpenID() Preset {
	return openIDPreset(Preset{
		Name: "okta", Title: "Okta",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: []string{Sub}, Same: true},
		Steps: []string{
			"Applications > Create App Integration > OIDC > Web Application, grant type Authorization Code. Sign-in redirect URI {callback}.",
			"General > Client Credentials: client secret. Or public key / private key, with the key URL {jwks}, and client_auth: private_key_jwt.",
			"Sign On > OpenID Connect ID Token: issuer Okta URL; groups claim filter: groups, with a match for the groups to send; add groups to scopes.",
			openIDSecret,
			openIDLogout,
			"Provisioning: enable SCIM. Base URL {scim}, unique identifier field userName, HTTP header with a SCIM token of this connection. externalId is user.id by default: leave it.",
		},
	}, names{department: []string{"department"}})
}

// PingOne's sub is mapped to User ID unless told otherwise; other claims follow the attribute mappings. Source: PingOne
// documentation, "Editing custom ID token mappings".
func pingOneOpenID() Preset {
	return openIDPreset(Preset{
		Name: "pingone", Title: "PingOne",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"Applications > + > OIDC Web App. Configuration: response type Code, grant type Authorization Code, PKCE enforcement S256_REQUIRED, redirect URI {callback}.",
			"Attribute mappings: sub = User ID (leave it), email = Email Address, given_name = Given Name, family_name = Family Name; groups = Group Names if wanted.",
			"Resources: allow the scopes profile and email. Switch the application on.",
			openIDSecret,
			openIDLogout,
			"Integrations > Provisioning > SCIM outbound: URL {scim}, OAuth 2 bearer token with a SCIM token of this connection. Attribute mapping: add externalId = User ID, and set subject to {scim: externalId, sso: [sub], same: true}.",
		},
	}, names{given: []string{"FirstName"}, family: []string{"LastName"}, groups: []string{"Groups"}})
}

// JumpCloud has one issuer for all its customers: the client is the customer's. profile and email bring the standard
// claims; the groups claim is the administrator's, by default memberOf. Source: JumpCloud, "OIDC Attributes (Claims)".
func jumpCloudOpenID() Preset {
	return openIDPreset(Preset{
		Name: "jumpcloud", Title: "JumpCloud",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"SSO Applications > Add > Custom application > OIDC. Redirect URI {callback}, client authentication type Client Secret Basic, login URL {login}.",
			"Attribute mapping: standard scopes Email and Profile; user attributes displayname = displayname and department = department if wanted.",
			"Group attribute: tick it and name it memberOf.",
			"The issuer is https://oauth.id.jumpcloud.com/ for every customer.",
			openIDSecret,
			"Identity management: SCIM 2.0, base URL {scim}, token: a SCIM token of this connection.",
		},
	}, names{display: []string{"displayname"}, department: []string{"department"}, groups: []string{"memberOf"}})
}

// OneLogin's sub is its user's number. groups come with the scope groups. Source: OneLogin Developers, "Scopes".
func oneLoginOpenID() Preset {
	return openIDPreset(Preset{
		Name: "onelogin", Title: "OneLogin", Split: ";",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"Applications > Add app > OpenId Connect (OIDC). Configuration: redirect URI {callback}, login URL {login}.",
			"SSO: application type Web, token endpoint authentication method Basic. The issuer is https://SUBDOMAIN.onelogin.com/oidc/2.",
			"Parameters > Groups: User Roles, several values joined by semicolons; add scopes: [profile, email, groups] to this connection's oidc block.",
			openIDSecret,
			openIDLogout,
		},
	}, names{groups: []string{"memberOf"}})
}

// Google's issuer speaks for everybody with a Google account; hd names the customer's Workspace, which sub and email do
// not, so the directory demands that it be required. There are no groups. Source: Google Identity, "OpenID Connect".
func googleOpenID() Preset {
	return openIDPreset(Preset{
		Name: "google", Title: "Google Workspace",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"Google Cloud console > APIs & Services > OAuth consent screen: user type Internal.",
			"Credentials > Create credentials > OAuth client ID > Web application. Authorised redirect URI {callback}.",
			"The issuer is https://accounts.google.com. Set require: {hd: [your.domain]} in this connection's oidc block: the issuer speaks for everybody with a Google account.",
			openIDSecret,
			"Google sends no groups by OpenID Connect. Use SAML for them.",
		},
	}, names{})
}

// Keycloak's sub is the user's id. Groups need a mapper and may be paths (/a/b). Source: Keycloak Server Administration
// Guide, "OIDC token and SAML assertion mappings".
func keycloakOpenID() Preset {
	return openIDPreset(Preset{
		Name: "keycloak", Title: "Keycloak",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"Clients > Create client > OpenID Connect: client authentication on, standard flow only. Valid redirect URI {callback}.",
			"Advanced: Proof Key for Code Exchange Code Challenge Method S256.",
			"Client scopes > dedicated > Add mapper > Group Membership: token claim name groups, full group path off, add to ID token on.",
			"The issuer is https://HOST/realms/REALM. Credentials: client secret. Or Signed Jwt, with the JWKS URL {jwks} under Keys, and client_auth: private_key_jwt.",
			"Settings > Logout settings: front-channel off, backchannel logout URL {logout}, session required on.",
			openIDSecret,
		},
	}, names{userName: []string{"username"}, groups: []string{"member"}})
}

// ADFS puts claims of rules into ID tokens only with a posted reply, which is not spoken here: upn and unique_name are
// all there is. Source: Microsoft, "Custom ID tokens in AD FS".
func adfsOpenID() Preset {
	return openIDPreset(Preset{
		Name: "adfs", Title: "Active Directory Federation Services",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"ADFS sends no names, addresses or groups to a client like this one: use SAML where people are to be created at sign-in.",
			"Application groups > Add > Server application accessing a web API. Redirect URI {callback}; the web API's identifier is the client id; permitted scopes: openid, profile, email.",
			"The issuer is https://HOST/adfs.",
			openIDSecret,
		},
	}, names{userName: []string{"upn", "unique_name"}})
}

// Shibboleth's OP plugin makes sub pairwise and never reuses it. Source: Shibboleth OIDC OP plugin, "OPAttributeEncoding".
func shibbolethOpenID() Preset {
	return openIDPreset(Preset{
		Name: "shibboleth", Title: "Shibboleth",
		Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: byClaim()},
		Steps: []string{
			"Register a client with the OIDC OP plugin: redirect URI {callback}, scope openid profile email, token endpoint authentication client_secret_basic.",
			"attribute-filter.xml: release mail, givenName, sn, displayName and isMemberOf to the client; transcode isMemberOf to a claim groups.",
			openIDSecret,
		},
	}, names{})
}

// The generic provider is whoever speaks the protocol. Nothing is declared about SCIM.
func genericOpenID() Preset {
	return openIDPreset(Preset{
		Name: Generic, Title: "Any SAML 2.0 or OpenID provider",
		Subject: directory.Subjects{SCIM: "id", SSO: byClaim()},
		Steps: []string{
			"Register a web client: authorization code flow with PKCE (S256), redirect URI {callback}, scopes openid, profile and email.",
			"Authenticate it by client secret, or by private_key_jwt with the key set {jwks}.",
			"Send the claims email, given_name and family_name in the ID token or at the userinfo endpoint; preferred_username, name and groups if wanted. Names are case-sensitive.",
			openIDSecret,
			openIDLogout,
			"For push provisioning: SCIM 2.0 at {scim} with a SCIM token of this connection.",
		},
	}, names{})
}
