package views

import (
	"testing"
	"time"
)

func TestLasting_isInTheUnitThatFits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		720 * time.Hour:  "30 days",
		48 * time.Hour:   "2 days",
		47 * time.Hour:   "47 hours",
		12 * time.Hour:   "12 hours",
		90 * time.Minute: "90 minutes",
		time.Second:      "1 minute",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestKept_saysWhatEachFormDoes(t *testing.T) {
	for action, want := range map[string]string{
		"/courses/knots/join":                  "join the course",
		"/courses/knots/lessons/one/done":      "mark the lesson as done",
		"/teach/courses":                       "make a new course",
		"/teach/courses/knots":                 "save the details of a course",
		"/teach/courses/knots/delete":          "delete it",
		"/teach/courses/publish":               "save the details of a course",
		"/teach/chapters/abc":                  "give a chapter its name",
		"/teach/chapters/abc/lessons":          "add a lesson",
		"/teach/lessons/abc":                   "save a lesson",
		"/teach/lessons/abc?x=/admin/sessions": "save a lesson",
		"/admin/users/abc/role":                "change somebody’s role",
		"/admin/sessions":                      "change what keeps everybody signed in",
		"/anything":                            "send a form",
	} {
		if got := (&KeptForm{Action: action}).deed(); got != want {
			t.Errorf("%s: %q, want %q", action, got, want)
		}
	}
}
