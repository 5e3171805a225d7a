package asvs

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse_refuses(t *testing.T) {
	for _, tt := range []struct{ says, text, want string }{
		{"what is no row", "V6 Authentication\n6.5.1 two test A code opens once.", "line 2: neither"},
		{"a level that there is not", "V6 Authentication\n6.5.1 4 test A code opens once.", "line 2: neither"},
		{"a standing that there is not", "V6 Authentication\n6.5.1 2 perhaps A code opens once.", "line 2: neither"},
		{"a row that asks nothing", "V6 Authentication\n6.5.1 2 test", "line 2: neither"},
		{"a row of another chapter", "V6 Authentication\n7.5.1 2 test A code opens once.", "line 2: a row of another chapter"},
		{"a row twice", "V6 Authentication\n6.5.1 2 test A.\n6.5.1 2 test B.", "line 3: a row out of its order"},
		{"ten before two", "V6 Authentication\n6.5.10 2 test A.\n6.5.2 2 test B.", "line 3: a row out of its order"},
		{"a reason without a row", "V6 Authentication\n    why Because.", "line 2: a reason that belongs to no row"},
		{"two reasons", "V6 Authentication\n6.5.1 2 test A.\n    why Because.\n    why Besides.", "line 4: a reason that belongs to no row"},
		{"a row that is not met, and no reason", "V6 Authentication\n6.5.1 2 deviates A.", "row 6.5.1 does not say why"},
		{"a row that does not apply, and no reason", "V6 Authentication\n6.5.1 2 none A.", "row 6.5.1 does not say why"},
	} {
		if _, err := parse(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.says, err, tt.want)
		}
	}
}

func TestParse_passesOverWhatStandsBeforeTheFirstChapter(t *testing.T) {
	all, err := parse("Words for the editor.\n\n    why not\n\nV6 Authentication\n\n6.5.1 2 test A code opens once.\n    why Except on Sundays.\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Row{Number: "6.5.1", Level: 2, Standing: Tested, Asks: "A code opens once.", Why: "Except on Sundays."}
	if len(all) != 1 || all[0].Key != "V6" || all[0].Title != "Authentication" || len(all[0].Rows) != 1 || all[0].Rows[0] != want {
		t.Errorf("got %+v", all)
	}
}

// TestChapters_areWhole counts what the standard counts, where all of a chapter is to
// be there.
func TestChapters_areWhole(t *testing.T) {
	all, err := Chapters()
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string][3]int{}
	for _, chapter := range all {
		for _, row := range chapter.Rows {
			n := levels[chapter.Key]
			n[row.Level-1]++
			levels[chapter.Key] = n
		}
	}
	for key, want := range map[string][3]int{
		"V2": {4, 7, 2}, "V3": {8, 11, 12}, "V6": {13, 22, 12}, "V7": {6, 12, 1}, "V8": {4, 3, 6}, "V9": {4, 3, 0}, "V10": {5, 24, 7},
	} {
		if levels[key] != want {
			t.Errorf("%s has %v rows of the three levels, want %v", key, levels[key], want)
		}
	}
}

func TestReadResults_refuses(t *testing.T) {
	for says, text := range map[string]string{
		"nothing":                      "",
		"a field that nobody knows":    `{"verdict": "proved"}`,
		"an end that there is not":     `{"rows": {"6.5.1": [{"package": "p", "test": "T", "outcome": "good"}]}}`,
		"a test that never ended":      `{"rows": {"6.5.1": [{"package": "p", "test": "T"}]}}`,
		"a verdict instead of a test":  `{"rows": {"6.5.1": "proved"}}`,
		"a time that is none of today": `{"runs": {"p": {"at": "yesterday"}}}`,
	} {
		if _, err := ReadResults([]byte(text)); err == nil {
			t.Errorf("%s is read", says)
		}
	}
}

func TestResults_sayWhenAndWhere(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 26, hour, 0, 0, 0, time.UTC) }
	r := Results{Runs: map[string]Run{"p": {at(12), "go1.26.8", "linux"}, "q": {at(9), "go1.26.8", "linux"}, "r": {at(15), "go1.25.0", "darwin"}}}
	if first, last := r.Span(); !first.Equal(at(9)) || !last.Equal(at(15)) {
		t.Errorf("from %s to %s", first, last)
	}
	if got := r.Places(); !slices.Equal(got, []string{"go1.25.0 on darwin", "go1.26.8 on linux"}) {
		t.Errorf("on %q", got)
	}
}

func TestVerdict(t *testing.T) {
	row, except := Row{Number: "1.1.1", Standing: Tested}, Row{Number: "1.1.1", Standing: Tested, Why: "Except on Sundays."}
	for _, tt := range []struct {
		says     string
		row      Row
		outcomes []Outcome
		want     Verdict
	}{
		{"no test", row, nil, Unproved},
		{"no test, and an exception", except, nil, Unproved},
		{"one that was skipped", row, []Outcome{Skip}, Unproved},
		{"one that failed among others", row, []Outcome{Pass, Fail, Pass}, Failed},
		{"one that failed, and an exception", except, []Outcome{Fail}, Failed},
		{"one that was skipped beside one that passed", row, []Outcome{Skip, Pass}, Proved},
		{"all passed", row, []Outcome{Pass, Pass}, Proved},
		{"all passed, and an exception", except, []Outcome{Pass}, Partly},
		{"a row that is not met, whatever passes", Row{Number: "1.1.1", Standing: Deviates}, []Outcome{Pass}, NotMet},
		{"a row for readers", Row{Number: "1.1.1", Standing: Read}, nil, NotTested},
		{"a row that does not apply", Row{Number: "1.1.1", Standing: None}, nil, NotHere},
	} {
		r := Results{Rows: map[string][]Test{}}
		for _, outcome := range tt.outcomes {
			r.Rows["1.1.1"] = append(r.Rows["1.1.1"], Test{Name: "T", Outcome: outcome})
		}
		if got := r.Verdict(tt.row); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.says, got, tt.want)
		}
	}
}
