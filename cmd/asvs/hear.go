package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"lectern/handlers/asvs"
	"lectern/handlers/session"
)

// event is a line of go test -json, as far as it matters here.
type event struct {
	Action string
	Test   string
	Key    string
	Value  string
}

// told is what a test was heard to say and to do.
type told struct {
	rows    []string
	outcome asvs.Outcome    // empty while it has not ended
	passed  map[string]bool // by the kind of session, whether all of its parts were passed
}

// heard is what was heard of the tests of a package, by name.
type heard map[string]*told

var sessionKinds = []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid}

// kindOf is the kind of session that a part of a test is about. Its name is that of
// the kind, perhaps with more behind it: "jwt", "jwt_over_https".
func kindOf(part string) string {
	part, _, _ = strings.Cut(part, "/")
	for _, kind := range sessionKinds {
		if rest, ok := strings.CutPrefix(part, kind); ok && (rest == "" || strings.ContainsAny(rest[:1], "_,")) {
			return kind
		}
	}
	return ""
}

// hear listens to one run of go test -json.
func hear(r io.Reader) (heard, error) {
	h := heard{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if wrong := json.Unmarshal(line, &e); wrong != nil {
				return nil, fmt.Errorf("go test said %q", line)
			}
			h.note(e)
		}
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (h heard) note(e event) {
	if e.Test == "" {
		return
	}
	name, part, inner := strings.Cut(e.Test, "/")
	test := h[name]
	if test == nil {
		test = &told{passed: map[string]bool{}}
		h[name] = test
	}
	switch outcome := asvs.Outcome(e.Action); outcome {
	case "attr":
		if !inner && e.Key == key {
			test.rows = strings.Fields(e.Value)
		}
	case asvs.Pass, asvs.Fail, asvs.Skip:
		if !inner {
			test.outcome = outcome
		} else if kind := kindOf(part); kind != "" {
			good, before := test.passed[kind]
			test.passed[kind] = outcome == asvs.Pass && (good || !before)
		}
	}
}

// of is what came of a claim. A test that never ended, or ended without naming its
// rows, has failed, except that one may be skipped before it names them.
func (h heard) of(c claim) asvs.Test {
	result := asvs.Test{Package: c.Package, Name: c.Test, Outcome: asvs.Fail}
	test := h[c.Test]
	if test == nil {
		return result
	}
	switch test.outcome {
	case asvs.Skip:
		result.Outcome = asvs.Skip
	case asvs.Pass:
		if slices.Equal(test.rows, c.Rows) {
			result.Outcome = asvs.Pass
		}
	}
	for _, kind := range sessionKinds {
		if test.passed[kind] {
			result.Kinds = append(result.Kinds, kind)
		}
	}
	return result
}
