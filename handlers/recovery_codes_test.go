package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// TestRecoveryCodes_areKeptAsHashes: whoever has the database, the messages and the log
// has of each code no more than the four characters by which its row is found; and each
// hash has a salt of its own.
func TestRecoveryCodes_areKeptAsHashes(t *testing.T) {
	t.Attr("asvs", "6.5.2")
	s := newSite(t, session.Database)
	salts := map[string]bool{}
	for _, who := range []string{ada, bea} {
		her := s.as(who)
		_, paper := her.setUp()
		b := s.browser()
		b.post("/signin/second", "flow", b.flow(b.post("/signin", "email", who, "password", password)), "way", "recovery-code", "code", paper[9]).want(t, http.StatusSeeOther)
		kept := s.everythingKept()
		rows := 0
		for _, row := range append(kept, s.log.String()) {
			for _, code := range paper {
				bare := strings.ReplaceAll(code, "-", "")
				for _, text := range []string{code, bare, bare[4:], code[5:]} {
					if strings.Contains(row, text) {
						t.Errorf("%s stands in %s", text, row)
					}
				}
			}
			if strings.HasPrefix(row, "recovery_codes ") && strings.Contains(row, "="+string(fixedID(strings.TrimSuffix(who, "@school.example")))) {
				rows++
				_, hash, ok := strings.Cut(row, "$argon2id$v=19$m=19456,t=2,p=1$")
				salt, _, _ := strings.Cut(hash, "$")
				if !ok || len(salt) < 22 || salts[salt] {
					t.Errorf("a code is kept as %s", row)
				}
				salts[salt] = true
			}
		}
		if rows != 9 {
			t.Errorf("%s has %d rows, of ten codes of which one was used", who, rows)
		}
	}
}
