package directory

import "testing"

// Two tables under one letter would read each other's records: as constant keys of one literal they do not compile.
func TestEveryTableHasALetterOfItsOwn(t *testing.T) {
	tables := map[byte]bool{
		tableFormat:        true,
		tableOrg:           true,
		tableConnection:    true,
		tableOrgConn:       true,
		tableOwnKey:        true,
		tableLetter:        true,
		tableDomain:        true,
		tableUser:          true,
		tableGroup:         true,
		tableMember:        true,
		tableBelongs:       true,
		tableLink:          true,
		tableIndex:         true,
		tableEvent:         true,
		tableHistory:       true,
		tableSequence:      true,
		tableWaiting:       true,
		tableLease:         true,
		tableCount:         true,
		tableGuard:         true,
		tableGuardKept:     true,
		tableSession:       true,
		tableUserSess:      true,
		tableNamedSess:     true,
		tableToken:         true,
		tableTokenName:     true,
		tableOnce:          true,
		tableExpiry:        true,
		tableCase:          true,
		tableCaseOpen:      true,
		tableCaseKey:       true,
		tableCaseAbout:     true,
		tableCaseEnd:       true,
		tableMerge:         true,
		tableJob:           true,
		tableTask:          true,
		tableTaskRow:       true,
		tableErased:        true,
		tableBeside:        true,
		tableAdmin:         true,
		tableAdminEmail:    true,
		tableAdminSession:  true,
		tableAdminSessions: true,
		tableDelegation:    true,
	}
	for letter := range tables {
		if letter|0x20 < 'a' || letter|0x20 > 'z' {
			t.Errorf("%q is no letter", letter)
		}
	}
}
