package postman

import (
	"testing"

	"github.com/wneessen/go-mail"
)

// Mail leaves this machine encrypted or not at all.
func TestOnlyAServerOnThisMachineMayDoWithoutTLS(t *testing.T) {
	for raw, want := range map[string]mail.TLSPolicy{
		"smtp://127.0.0.1:25": mail.TLSOpportunistic, "smtp://[::1]:25": mail.TLSOpportunistic, "smtp://localhost:25": mail.TLSOpportunistic,
		"smtp://mail.example": mail.TLSMandatory, "smtp://10.0.0.1": mail.TLSMandatory, "smtp://localhost.example": mail.TLSMandatory,
	} {
		s, err := ParseServer(raw)
		if err != nil || s.policy() != want {
			t.Errorf("%s: %v, %v", raw, s, err)
		}
	}
}
