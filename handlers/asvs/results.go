package asvs

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Results are what came of the tests when they were last run for it.
type Results struct {
	Runs map[string]Run    `json:"runs"` // by the package whose tests ran
	Rows map[string][]Test `json:"rows"` // by the number of the row
}

// Run is when and where the tests of a package ran.
type Run struct {
	At      time.Time `json:"at"`
	Go      string    `json:"go"`      // "go1.26.8"
	Machine string    `json:"machine"` // "linux/amd64, 2 processors"
}

// Span returns when the first and the last of the packages ran.
func (r Results) Span() (first, last time.Time) {
	for _, run := range r.Runs {
		if first.IsZero() || run.At.Before(first) {
			first = run.At
		}
		if run.At.After(last) {
			last = run.At
		}
	}
	return first, last
}

// Places returns on what the packages ran, each once: "go1.26.8 on linux/amd64, 2
// processors".
func (r Results) Places() []string {
	var all []string
	for _, run := range r.Runs {
		all = append(all, run.Go+" on "+run.Machine)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Test is a test that says that it proves a row.
type Test struct {
	Package string  `json:"package"` // "lectern/handlers"
	Name    string  `json:"test"`
	Outcome Outcome `json:"outcome"`
	// Kinds are the kinds of session that it was passed with, where it is made of
	// one part for each kind.
	Kinds []string `json:"kinds,omitempty"`
}

// Outcome is how a test ended.
type Outcome string

const (
	Pass Outcome = "pass"
	Fail Outcome = "fail"
	Skip Outcome = "skip" // it lacked something, such as a browser
)

//go:embed results.json
var resultsJSON []byte

var results = sync.OnceValues(func() (Results, error) { return ReadResults(resultsJSON) })

// Latest returns the results that this program was built with.
func Latest() (Results, error) { return results() }

// ReadResults reads what [Results.JSON] wrote.
func ReadResults(text []byte) (Results, error) {
	var r Results
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Results{}, fmt.Errorf("results.json: %w", err)
	}
	for number, tests := range r.Rows {
		for _, test := range tests {
			if !slices.Contains([]Outcome{Pass, Fail, Skip}, test.Outcome) {
				return Results{}, fmt.Errorf("results.json: row %s: %s ended with %q", number, test.Name, test.Outcome)
			}
		}
	}
	return r, nil
}

// JSON writes the results, the same ones always in the same way.
func (r Results) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "\t")
	return append(text, '\n'), err
}

// Verdict is what can be said of a row.
type Verdict string

const (
	Proved    Verdict = "proved"   // every test of it passed
	Partly    Verdict = "partly"   // so it did, and there is an exception to tell
	Failed    Verdict = "failed"   // a test of it failed
	Unproved  Verdict = "unproved" // no test says that it proves it, or none could run
	NotTested Verdict = "reading"  // a document or the source shows it
	NotMet    Verdict = "deviates" // it is not met, for a reason
	NotHere   Verdict = "not-here" // it does not apply
)

// Verdicts are all of them, in the order in which they are shown.
var Verdicts = []Verdict{Proved, Partly, Failed, Unproved, NotMet, NotTested, NotHere}

// Verdict is what the results say of a row. A test that was skipped proves nothing,
// and takes nothing away from one that was not.
func (r Results) Verdict(row Row) Verdict {
	switch row.Standing {
	case Read:
		return NotTested
	case Deviates:
		return NotMet
	case None:
		return NotHere
	}
	passed := false
	for _, test := range r.Rows[row.Number] {
		if test.Outcome == Fail {
			return Failed
		}
		passed = passed || test.Outcome == Pass
	}
	switch {
	case !passed:
		return Unproved
	case row.Why != "":
		return Partly
	}
	return Proved
}
