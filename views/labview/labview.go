// Package labview is what a visitor sees of the session lab: the page of an
// experiment, the scoreboard, and the charts of what a session costs.
//
// Its components stand inside the frame of the site, which the caller draws
// round them, with [Scripts] among its scripts. As everywhere in the views they
// are given words that are ready, and decide nothing: whether a run stands, what
// it came to and who may see it is in the props. The one thing they know of a
// session is the family that a kind belongs to, for its print and its colours.
//
// An experiment has four steps: predict, run, what happened, explain. Each is a
// file of its own here; all of them are forms that work without a script. The
// script shows a run while it happens, and saves a prediction at the first click.
package labview

import (
	"strconv"

	"lectern/views/ui"
)

// Scripts are the modules that the pages of the lab load.
var Scripts = []string{"lab-run.js"}

// InBrowserScript is the module of an experiment that runs in the visitor's own
// browser.
const InBrowserScript = "lab-in-browser.js"

// Link is a place to go to, and what it is called.
type Link struct{ Href, Label string }

// Fact is a name with its value.
type Fact struct{ Name, Value string }

// Verdict is what the site said to the deciding request.
type Verdict string

const (
	Accepted      Verdict = "accepted"
	Refused       Verdict = "refused"
	Unavailable   Verdict = "unavailable"
	NotApplicable Verdict = "not-applicable"
)

// word is the verdict for a lane whose experiment found no better one.
func (v Verdict) word() string {
	switch v {
	case Accepted:
		return "Accepted"
	case Refused:
		return "Refused"
	case Unavailable:
		return "Unavailable"
	}
	return "Not applicable"
}

// icon is the shape of a verdict that is neither good news nor bad.
func (v Verdict) icon() string {
	switch v {
	case Accepted:
		return "right"
	case Refused:
		return "lock"
	case Unavailable:
		return "warn"
	}
	return "dot"
}

// share is the class that draws a share from 0 to 100.
func share(n int) string { return "v" + strconv.Itoa(min(max(n, 0), 100)) }

// family is the family of a column: that of its kind, unless the kind is a
// family's name itself.
func family(backend string) string {
	if backend == "server" {
		return "server"
	}
	return ui.Family(backend)
}

// printOf is a kind of session for [ui.PrintS], which knows no "server".
func printOf(backend string) string {
	if backend == "server" {
		return "database"
	}
	return backend
}
