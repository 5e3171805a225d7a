package policy_test

import (
	"testing"

	. "lectern/handlers/policy"
)

// TestDisclose_isThisTable is all that is said about fields. Who is not shown comes
// first.
func TestDisclose_isThisTable(t *testing.T) {
	t.Attr("asvs", "8.2.3")
	for _, row := range []struct {
		says   string
		field  Field
		object Object
		want   map[Actor]Verdict
	}{
		{"an unknown field is shown to nobody", "account.password", Object{Owner: "olga"}, everyone(Hide)},
		{"nobody's address is shown to those without one, or to a role without a person", AccountEmail, none, only(Hide, admin)},
		{"an address is shown to whose it is, whatever they have become, and to admins", AccountEmail, Object{Owner: "olga"}, only(Hide, owner, demoted, admin)},
		{"drafts are shown to those who edit the course", CourseDrafts, course, only(Hide, owner, admin)},
		{"and to nobody for having joined", CourseDrafts, joined, only(Hide, owner, admin)},
		{"what somebody did is told to them, and read by admins", AuditLine, Object{Owner: "olga"}, only(Hide, owner, demoted, admin)},
		{"what nobody did is read by admins", AuditLine, none, only(Hide, admin)},
	} {
		for actor, want := range row.want {
			if got := Disclose(actor, row.field, row.object); got.Verdict != want || got.Field != row.field || got.Action != "" {
				t.Errorf("%s: %s (%q as %q) got %s, want %s", row.says, row.field, actor.User, actor.Role, got.Verdict, want)
			}
		}
	}
}

func TestDisclose_tellsTheRule(t *testing.T) {
	for _, field := range Fields {
		if d := Disclose(visitor, field, none); d.Rule == "" || d.Rule == Disclose(visitor, "no such", none).Rule {
			t.Errorf("%s decides by %q", field, d.Rule)
		}
	}
}

func TestEarly_isNoMoreThanDecide(t *testing.T) {
	for _, action := range append(Actions, "no such") {
		for _, actor := range []Actor{visitor, student, owner, admin, nobody} {
			d, early := Early(actor, action)
			if early != (!actor.SignedIn() && NeedsSignIn(action)) || early && (d.Verdict != Forbid || d != Decide(visitor, action, none)) {
				t.Errorf("%s by %q as %q: early %v, %s", action, actor.User, actor.Role, early, d.Verdict)
			}
		}
	}
}
