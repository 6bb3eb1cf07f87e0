package oidc

// Inspect reads the claims of an ID token or of userinfo without believing them: they are an administrator's, and
// nobody may be signed in by what it returns.
func Inspect(claims Claims) *Facts {
	return &Facts{
		Issuer: claims.Text("iss"), Subject: claims.Text("sub"), Claims: claims,
		GroupsOverage: claims.overage(), EmailVerified: claims.emailVerified(),
	}
}
