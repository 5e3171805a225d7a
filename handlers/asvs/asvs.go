// Package asvs holds the site against the Application Security Verification
// Standard: which of its rows apply here (rows.txt), and which tests were seen to
// prove them (results.json).
//
// No verdict is written down. A test says which rows it proves,
//
//	t.Attr("asvs", "6.5.1 6.5.5")
//
// and cmd/asvs (`make asvs`) runs the tests that say so, and keeps what came of it.
// The page at /lab/asvs shows rows and results side by side.
package asvs

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Standing is how a row stands here.
type Standing string

const (
	Tested   Standing = "test"     // a test can show it
	Read     Standing = "reading"  // a document or the source shows it, and no test does
	Deviates Standing = "deviates" // it is not met
	None     Standing = "none"     // it does not apply here
)

// Row is one requirement.
type Row struct {
	Number   string // "6.5.1"
	Level    int    // from which on it is asked for, 1 to 3
	Standing Standing
	Asks     string // a sentence
	// Why is what has to be said besides: the reason why it is not met or does not
	// apply, or how far it holds. Empty where there is nothing to say.
	Why string
}

// Chapter is a chapter of the standard.
type Chapter struct {
	Key   string // "V6"
	Title string // "Authentication"
	Rows  []Row
}

//go:embed rows.txt
var rowsText string

// chapters are read once; a test reads them first, so that a visitor never meets a
// file that cannot be read.
var chapters = sync.OnceValues(func() ([]Chapter, error) { return parse(rowsText) })

// Chapters returns all rows, in the order of the standard.
func Chapters() ([]Chapter, error) { return chapters() }

var (
	heading = regexp.MustCompile(`^(V\d+) (.+)$`)
	row     = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+) ([123]) (test|reading|deviates|none) (.+)$`)
	why     = regexp.MustCompile(`^ {4}why (.+)$`)
)

// parse reads rows.txt; what stands before the first chapter is for whoever edits it.
func parse(text string) ([]Chapter, error) {
	var all []Chapter
	last := [3]int{}
	for i, line := range strings.Split(text, "\n") {
		wrong := func(what string) error { return fmt.Errorf("rows.txt, line %d: %s", i+1, what) }
		if found := heading.FindStringSubmatch(line); found != nil {
			all = append(all, Chapter{Key: found[1], Title: found[2]})
			continue
		}
		if len(all) == 0 || line == "" {
			continue
		}
		chapter := &all[len(all)-1]
		if found := why.FindStringSubmatch(line); found != nil {
			if len(chapter.Rows) == 0 || chapter.Rows[len(chapter.Rows)-1].Why != "" {
				return nil, wrong("a reason that belongs to no row")
			}
			chapter.Rows[len(chapter.Rows)-1].Why = found[1]
			continue
		}
		found := row.FindStringSubmatch(line)
		if found == nil {
			return nil, wrong("neither a chapter nor a row nor a reason")
		}
		var at [3]int
		for j := range at {
			at[j], _ = strconv.Atoi(found[j+1]) // digits, as the pattern says
		}
		switch {
		case "V"+found[1] != chapter.Key:
			return nil, wrong("a row of another chapter")
		case slices.Compare(at[:], last[:]) <= 0:
			return nil, wrong("a row out of its order")
		}
		last = at
		level, _ := strconv.Atoi(found[4])
		chapter.Rows = append(chapter.Rows, Row{
			Number: strings.Join(found[1:4], "."), Level: level, Standing: Standing(found[5]), Asks: found[6],
		})
	}
	for _, chapter := range all {
		for _, r := range chapter.Rows {
			if r.Why == "" && (r.Standing == Deviates || r.Standing == None) {
				return nil, fmt.Errorf("rows.txt: row %s does not say why", r.Number)
			}
		}
	}
	return all, nil
}
