package school_test

import (
	"testing"

	"lectern/db/school"
)

func TestParseName(t *testing.T) {
	for typed, want := range map[string]string{
		"  Ada\tByron ":             "Ada Byron",
		"نور حداد":                  "نور حداد",
		"علی\u200Cرضا":              "علی\u200Cرضا", // joined, it is another word
		"Zoe\u0301":                 "Zoe\u0301",
		"A\u202Elive":               "Alive", // which would be shown as "Aevil"
		"\u2066Alan\u2069 Mathison": "Alan Mathison",
		"👩‍🏫":                       "👩‍🏫",
		"\u200B\u200B":              "",
		"\u2060 \uFEFF\u00AD":       "",
		"\u3164\u115F":              "",
		"\u2800":                    "",
		"\u0301":                    "",
		"\u202E":                    "",
		"":                          "",
	} {
		got, err := school.ParseName(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%+q is %+q, %v; want %+q", typed, got, err, want)
		}
	}
}
