package school_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"lectern/db/school"
)

func TestClassCode_isParsedAsPeopleTypeIt(t *testing.T) {
	for typed, want := range map[string]school.ClassCode{"K7M3P": "K7M3P", " k7m3p ": "K7M3P", "K7-M3P": "K7M3P", "k 7 m 3 p": "K7M3P"} {
		if got, err := school.ParseClassCode(typed); err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", " ", "K7M3", "K7M3PP", "K7M3O", "K7M30", "K7M3É", "K7M3P/..", "K7M3P\x00", strings.Repeat(" ", 1000) + "K7M3P"} {
		var invalid *school.Invalid
		if got, err := school.ParseClassCode(typed); !errors.As(err, &invalid) || invalid.Field != "code" {
			t.Errorf("%q is %q, %v", typed, got, err)
		}
	}
}

func TestClassCode_isDrawnFairly(t *testing.T) {
	const draws = 20_000
	count := map[rune]int{}
	for range draws / 5 {
		code, err := school.NewClassCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if parsed, err := school.ParseClassCode(string(code)); err != nil || parsed != code {
			t.Fatalf("%q is drawn and not parsed: %v", code, err)
		}
		for _, r := range code {
			count[r]++
		}
	}
	if len(count) != 20 {
		t.Errorf("%d signs are drawn, want 20", len(count))
	}
	for sign, n := range count { // 1,000 each; six times the deviation of 31
		if n < 814 || n > 1186 {
			t.Errorf("%c is drawn %d times of %d", sign, n, draws)
		}
	}
}
