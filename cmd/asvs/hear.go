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
	outcome asvs.Outcome // empty while it has not ended
	kinds   []string
}

// heard is what was heard of the tests of a package, by name.
type heard map[string]*told

// sessionKinds are the names that a part of a test has if it is that of a kind.
var sessionKinds = []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid}

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
		test = &told{}
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
		} else if outcome == asvs.Pass && slices.Contains(sessionKinds, part) && !slices.Contains(test.kinds, part) {
			test.kinds = append(test.kinds, part)
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
		if slices.Contains(test.kinds, kind) {
			result.Kinds = append(result.Kinds, kind)
		}
	}
	return result
}
