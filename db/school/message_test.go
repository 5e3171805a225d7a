package school_test

import (
	"testing"

	"lectern/db/school"
)

func TestParsePhone(t *testing.T) {
	for _, bad := range []string{
		"", " ", "07700 900123", "447700900123", "00447700900123", "+0447700900123", "+44", "+1234567", "+1234567890123456",
		"+44 7700 900 12x", "+44\n7700900123", "++447700900123", "+44+7700900123", "+44７700900123", "ada@school.example", "+44 7700 900123, +44 7700 900124",
	} {
		if got, err := school.ParsePhone(bad); err == nil {
			t.Errorf("%q is accepted as %s", bad, got)
		}
	}
	for typed, want := range map[string]school.Phone{
		"+447700900123": "+447700900123", " +44 7700 900123 ": "+447700900123", "+1 (555) 000-6789": "+15550006789", "+49.30/1234567": "+49301234567",
		"+12345678": "+12345678", "+123456789012345": "+123456789012345",
	} {
		if got, err := school.ParsePhone(typed); err != nil || got != want {
			t.Errorf("%q: got %s, %v; want %s", typed, got, err, want)
		}
	}
}
