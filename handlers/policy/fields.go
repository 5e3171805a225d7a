package policy

import "lectern/db/school"

// Field is a part of a thing that is for fewer people than the thing.
type Field string

// The fields that have a rule. Of everything else, whoever sees the thing sees all.
const (
	AccountEmail Field = "account.email" // a person's address; Owner is the person
	CourseDrafts Field = "course.drafts" // lessons that are not published, in the outline of a course
	AuditLine    Field = "audit.line"    // what somebody did; Owner is who did it
)

// Fields lists them all.
var Fields = []Field{AccountEmail, CourseDrafts, AuditLine}

var disclosures = map[Field]rule{
	AccountEmail: {sentence: "An e-mail address is shown to the person whose it is, and to admins.", decide: ownerOrAdmin},
	CourseDrafts: {sentence: "The outline of a course shows its drafts to those who may edit it.", decide: draftsOf},
	AuditLine:    {sentence: "What somebody did is read in the log by admins, and told to the person who did it.", decide: ownerOrAdmin},
}

// Disclose answers whether actor is shown a field of object: Allow, or Hide, since
// nothing says that something was left out. An unknown field is shown to nobody.
func Disclose(actor Actor, field Field, object Object) Decision {
	if !actor.SignedIn() {
		actor = Actor{}
	}
	d := Decision{Verdict: Hide, Field: field, Rule: "No rule shows this."}
	if r, ok := disclosures[field]; ok {
		d.Rule = r.sentence
		d.Verdict = r.decide(actor, object)
	}
	return d
}

func ownerOrAdmin(a Actor, o Object) Verdict {
	return shown(a.Role == school.Admin || a.SignedIn() && a.User == o.Owner)
}

func draftsOf(a Actor, o Object) Verdict { return shown(edits(a, o)) }

func shown(allowed bool) Verdict {
	if allowed {
		return Allow
	}
	return Hide
}
