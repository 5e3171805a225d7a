package lab_test

import (
	"context"
	"strings"
	"testing"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// TestFacts_holdOrDoNot says of each kind of fact once what is so and once what is
// not, about the last step of a script. What is not so is told, and nothing else is.
func TestFacts_holdOrDoNot(t *testing.T) {
	const signedIn = "browser ada\n program thief\n ada: signs in as ada\n"
	const stolen = signedIn + "thief: copies the cookies of ada\n"
	for _, row := range []struct {
		says, column, script string
		holds, not           []string
	}{
		{
			"a sign-in", "jwt", signedIn,
			[]string{"303", "status = 303", "status >= 303", "status <= 303", "status > 302", "status < 304", "status >= 1", "status <= 400", "writes = 0", "rows = 0", "cookies = 1", "cookie_bytes > 300", "calls = 1", "cookie lectern-jwt set", "cookie lectern-sid untouched", "kept_bytes = 0"},
			[]string{"200", "status = 302", "status >= 304", "status <= 302", "status > 303", "status < 303", "writes = 1", "rows = 1", "cookies = 0", "cookies = 2", "cookie_bytes < 300", "calls = 0", "cookie lectern-jwt cleared", "cookie lectern-jwt dropped", "cookie lectern-jwt untouched", "cookie lectern-sid set", "cookie lectern-jwt good", "valid_for = 0", "micros = 0", "kept_bytes > 0"},
		},
		{
			"a sign-in that is written down", "database", signedIn,
			[]string{"writes = 1", "rows = 1", "kept_bytes > 64", "cookies = 1", "cookie_bytes < 100", "cookie_bytes > 0", "cookie lectern-sid set"},
			[]string{"writes = 0", "rows = 0", "rows = 2", "kept_bytes = 0", "cookie_bytes > 100", "cookie lectern-sid untouched"},
		},
		{
			"a page", "jwt", signedIn + "ada: GET /account",
			[]string{"200", "role student", `page says "Ada Byron"`, `page lacks "Bea Okoye"`, "reads = 0", "cookie lectern-jwt good", "cookie lectern-jwt untouched"},
			[]string{"role admin", `page says "Bea Okoye"`, `page lacks "Ada Byron"`, "reads = 1", "reason expired", "cookie lectern-jwt expired", "cookie lectern-jwt forged", "cookie lectern-jwt unknown", "cookie lectern-jwt foreign", "cookie lectern-jwt set", "cookie lectern-sid good"},
		},
		{
			"a look-up", "database", signedIn + "ada: fetch /api/v1/me",
			[]string{"reads = 1", "writes = 0", "cookie lectern-sid good", "role student"},
			[]string{"reads = 0", "reads > 1", "cookie lectern-sid unknown", "cookie lectern-sid expired", "cookie lectern-sid forged", "role instructor"},
		},
		{
			"an admin", "database", "browser alan\n alan: signs in as alan\n alan: GET /account",
			[]string{"role admin"}, []string{"role student"},
		},
		{
			"a sign-out", "jwt", signedIn + "ada: POST /signout",
			[]string{"303", "cookies = 0", "cookie lectern-jwt cleared"},
			[]string{"cookies = 1", "cookie lectern-jwt set", "cookie lectern-jwt dropped", "cookie lectern-jwt untouched"},
		},
		{
			"a cookie that no browser keeps", "unmeasured: sessions jwt, broken unmeasured-cookie, laden", "browser ada\n school: puts 300 courses into each session\n ada: signs in as ada",
			[]string{"303", "cookies = 0", "cookie lectern-jwt dropped"},
			[]string{"cookie lectern-jwt set", "cookie lectern-jwt cleared", "cookie lectern-jwt untouched"},
		},
		{
			"a token that is over", "jwt", stolen + "clock +2h\n thief: GET /account",
			[]string{"401", "reason expired", "cookie lectern-jwt expired"},
			[]string{"reason idle", "reason signature", "role student", "cookie lectern-jwt good", "cookie lectern-jwt forged", "cookie lectern-jwt foreign", "cookie lectern-jwt unknown"},
		},
		{
			"a token that was altered", "jwt", stolen + "thief: edits the cookie, role=admin\n thief: GET /account",
			[]string{"401", "reason signature", "cookie lectern-jwt forged"},
			[]string{"reason expired", "role admin", "cookie lectern-jwt good", "cookie lectern-jwt expired", "cookie lectern-jwt foreign"},
		},
		{
			"a token under a key that is dropped", "jwt", stolen + "keys: a new one signs\n keys: the old ones are dropped\n thief: GET /account",
			[]string{"401", "reason key", "cookie lectern-jwt foreign"},
			[]string{"reason signature", "cookie lectern-jwt good", "cookie lectern-jwt forged", "cookie lectern-jwt expired"},
		},
		{
			"a token under a key that only verifies", "jwt", stolen + "keys: a new one signs\n thief: GET /account",
			[]string{"200", "cookie lectern-jwt good"}, []string{"reason key", "cookie lectern-jwt foreign"},
		},
		{
			"a number that was ended", "database", stolen + "ada: POST /signout\n thief: GET /account",
			[]string{"401", "reason unknown-id", "cookie lectern-sid unknown"},
			[]string{"reason idle", "cookie lectern-sid good", "cookie lectern-sid expired", "cookie lectern-sid forged"},
		},
		{
			"a number that was idle", "database", stolen + "clock +31m\n thief: GET /account",
			[]string{"401", "reason idle", "cookie lectern-sid expired"},
			[]string{"reason unknown-id", "cookie lectern-sid good", "cookie lectern-sid unknown"},
		},
		{
			"a number of no shape", "database", "browser ada\n program thief\n ada: signs in as ada\n thief: takes all that the server keeps\n thief: shows what lay on the server as a ticket\n thief: GET /account",
			[]string{"401", "reason malformed", "cookie lectern-sid forged"},
			[]string{"reason unknown-id", "cookie lectern-sid good", "cookie lectern-sid unknown"},
		},
		{
			"two cookies, one over", "hybrid", stolen + "clock +2m\n thief: GET /account",
			[]string{"200", "cookies = 2", "reads = 1", "writes = 1", "cookie lectern-access expired", "cookie lectern-refresh good", "cookie lectern-access set", "cookie lectern-refresh set"},
			[]string{"cookie lectern-access good", "cookie lectern-access forged", "cookie lectern-refresh unknown", "cookie lectern-access untouched", "cookies = 1"},
		},
		{
			"two cookies, and nobody looks at the second", "hybrid", stolen + "thief: GET /account",
			[]string{"200", "reads = 0", "cookie lectern-access good"},
			[]string{"cookie lectern-refresh good", "cookie lectern-refresh unknown", "cookie lectern-access expired"},
		},
		{
			"two cookies, both of no use", "hybrid", stolen + "ada: POST /signout\n thief: changes a character of the cookie\n thief: GET /account",
			[]string{"401", "cookie lectern-access forged", "cookie lectern-refresh unknown"},
			[]string{"cookie lectern-access good", "cookie lectern-access expired", "cookie lectern-refresh good"},
		},
		{
			"a cookie that can be read", "jwt", stolen + "thief: reads the cookie without a key",
			[]string{"readable = 1", "personal = 0", "calls = 0"}, []string{"readable = 0", "personal = 1", "calls = 1"},
		},
		{
			"a cookie that says nothing", "database", stolen + "thief: reads the cookie without a key",
			[]string{"readable = 0", "personal = 0"}, []string{"readable = 1", "personal > 0"},
		},
		{
			"a page that is asked for many times", "database", signedIn + "ada: fetch /api/v1/me 5 times",
			[]string{"200", "reads_in_all = 5", "reads = 1", "writes_in_all = 0", "micros > 0", "calls = 5"},
			[]string{"reads_in_all = 1", "reads_in_all > 5", "writes_in_all > 0", "micros = 0", "calls = 1"},
		},
		{
			"a page that is asked for now and then", "database", signedIn + "ada: fetch /api/v1/me 5 times, every 2m",
			[]string{"reads_in_all = 5", "writes_in_all = 4"}, []string{"writes_in_all = 0", "writes_in_all < 4"},
		},
		{
			"a token that goes on", "jwt", stolen + "ada: POST /signout\n thief: GET /account until refused, every 1m",
			[]string{"401", "valid_for = 3600", "valid_for >= 3600"}, []string{"valid_for = 0", "valid_for < 3600", "valid_for > 3600"},
		},
		{
			"a record that does not go on", "database", stolen + "ada: POST /signout\n thief: GET /account until refused, every 1m",
			[]string{"401", "valid_for = 0"}, []string{"valid_for > 0"},
		},
	} {
		t.Run(row.says, func(t *testing.T) {
			script := strings.TrimSpace(row.script)
			for _, fact := range append(row.holds[:len(row.holds):len(row.holds)], row.not...) {
				script += "\nexpect " + fact
			}
			run := carryOut(t, row.column, script)
			wrongs := run.Columns[0].Wrongs
			if run.Broken() != (len(row.not) > 0) {
				t.Errorf("it is broken: %t", run.Broken())
			}
			for _, fact := range row.not {
				if len(wrongs) == 0 || !strings.Contains(wrongs[0], "expected "+fact+", but ") {
					t.Errorf("nothing is said of %q, which is not so", fact)
					continue
				}
				wrongs = wrongs[1:]
			}
			if len(wrongs) > 0 {
				t.Errorf("said to be wrong: %q", wrongs)
			}
		})
	}
}

// TestFacts_knowAName: no kind of session has a name in its cookie, so here somebody
// is called what stands in it.
func TestFacts_knowAName(t *testing.T) {
	build := handlers.SmallWorlds(nil)
	named := func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		site, err := build(ctx, plan)
		return misnamed{site}, err
	}
	run := carryOutWith(t, named, "jwt\n database", "browser ada\n program thief\n ada: signs in as ada\n thief: copies the cookies of ada\n thief: reads the cookie without a key\n expect jwt: personal = 1; database: personal = 0")
	for _, c := range run.Columns {
		if len(c.Wrongs) > 0 {
			t.Errorf("%s: %q", c.Name, c.Wrongs)
		}
	}
}

// misnamed calls everybody by their number.
type misnamed struct{ lab.Site }

func (s misnamed) Person(name string) (lab.Person, bool) {
	person, ok := s.Site.Person(name)
	person.Name = string(person.ID)
	return person, ok
}

// TestKeptBytes_areCounted: a record takes room on the server, and a token none.
func TestKeptBytes_areCounted(t *testing.T) {
	run := carryOut(t, "jwt\n database\n hybrid", "browser ada\n ada: signs in as ada")
	if got := column(t, run, "jwt").Measured["kept_bytes"]; got != 0 {
		t.Errorf("of a token %v bytes are kept", got)
	}
	record, family := column(t, run, "database").Measured["kept_bytes"], column(t, run, "hybrid").Measured["kept_bytes"]
	if record < 64 || family <= record {
		t.Errorf("of a record %v bytes are kept, of a family %v", record, family)
	}
}
