package lab

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// model is an experiment that can be read, to be spoilt in one place.
func model(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("experiments/sign-out-then-replay.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRead_refusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, row := range []struct{ says, from, to, want string }{
		{"a missing title", "# Sign out", "Sign out", "title"},
		{"a section out of its place", "## Why", "## Wherefore", "Wherefore"},
		{"a column of no kind", "- database\n", "- abacus\n", "abacus"},
		{"a setting that there is not", "- database\n", "- database: colour teal\n", "colour"},
		{"a step that nobody knows", "ada: POST /signout", "ada: sings", "nobody knows"},
		{"a step by somebody who is not there", "ada: POST /signout", "eve: POST /signout", "nobody knows"},
		{"a fact that cannot be checked", "expect 303, cookies = 0", "expect 303, joy = 1", "joy"},
		{"an expectation of a column that there is not", "on hybrid: thief", "on abacus: thief", "abacus"},
		{"a script that is not indented", "    clock +15m", "clock +15m", "indented"},
		{"two right answers", "- wrong: The site forgot", "- right: The site forgot", "right answer"},
		{"a column of which nothing is said", "- jwt: Accepted for", "- hybrid: Accepted for", "jwt"},
		{"no choice", "- refused: Refused. Signed out is signed out.\n", "", "missing"},
	} {
		text := model(t)
		spoilt := strings.Replace(text, row.from, row.to, 1)
		if spoilt == text {
			t.Fatalf("%s: the model has no %q", row.says, row.from)
		}
		_, err := readExperiment("sign-out-then-replay", spoilt)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want something about %q", row.says, err, row.want)
		}
	}
}

func TestLoad_saysWhichFileIsWrong(t *testing.T) {
	files := fstest.MapFS{
		"experiments/order.md": {Data: []byte("## Revoke: how\n- first\n")},
		"experiments/first.md": {Data: []byte("nothing")},
	}
	if _, err := load(files); err == nil || !strings.Contains(err.Error(), "first.md") {
		t.Errorf("got %v, want something about first.md", err)
	}
}

func TestSpan_isInWords(t *testing.T) {
	for seconds, want := range map[int]string{0: "0 seconds", 1: "1 second", 59: "59 seconds", 60: "1 minute", 2700: "45 minutes", 3601: "1 hour 1 second", 90061: "1 day 1 hour"} {
		if got := Span(time.Duration(seconds) * time.Second); got != want {
			t.Errorf("%d seconds are %q, want %q", seconds, got, want)
		}
	}
}

func FuzzReadExperiment(f *testing.F) {
	text, err := os.ReadFile("experiments/sign-out-then-replay.md")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Fuzz(func(_ *testing.T, text string) {
		// Whatever the text, it is read or refused.
		_, _ = readExperiment("x", text)
	})
}
