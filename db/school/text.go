package school

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what people type, in characters (Unicode code points).
const (
	MaxName        = 80
	MaxEmail       = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
	MaxTitle       = 120
	MaxSummary     = 280
	MaxOutcome     = 200
	MaxOutcomes    = 12
	MaxDescription = 20_000
	MaxBody        = 400_000
	MaxQuery       = 200
)

// Line makes one clean line out of typed text: valid UTF-8, no control characters,
// nothing that turns the direction of what stands around it, single spaces, none at the
// ends. Letters, accents and right-to-left marks stay as they were.
func Line(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if turns(r) {
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
}

// turns reports whether a character embeds, overrides or isolates a direction (UAX #9,
// section 2): with one, a name can be shown as another.
func turns(r rune) bool { return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' }

// visible reports whether there is anything to be seen in a line.
func visible(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Default_Ignorable_Code_Point) && r != '\u2800'
	})
}

// Text makes clean text of several lines: valid UTF-8, line feeds alone at
// line ends, no control characters but line feed and tab.
func Text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

// ParseTitle parses the title of a course, chapter or lesson.
func ParseTitle(s string) (string, error) {
	return parseLine("title", "A title", s, MaxTitle)
}

// ParseSummary parses the sentence or two that a course has in the catalogue.
func ParseSummary(s string) (string, error) {
	return parseLine("summary", "A summary", s, MaxSummary)
}

// ParseName parses the name that a person goes by.
func ParseName(s string) (string, error) {
	return parseLine("name", "A name", s, MaxName)
}

// ParseDescription parses a course's own page of Markdown. It may be empty.
func ParseDescription(s string) (string, error) {
	return parseText("description", "A description", s, MaxDescription)
}

// ParseBody parses the Markdown of a lesson. It may be empty.
func ParseBody(s string) (string, error) {
	return parseText("body", "A lesson", s, MaxBody)
}

// ParseOutcomes parses what a course teaches, one sentence to a line; blank
// lines are passed over.
func ParseOutcomes(s string) ([]string, error) {
	var outcomes []string
	for line := range strings.SplitSeq(Text(s), "\n") {
		line = Line(line)
		if line == "" {
			continue
		}
		if n := utf8.RuneCountInString(line); n > MaxOutcome {
			return nil, &Invalid{"learn", fmt.Sprintf("Each line has at most %d characters; one of these has %d.", MaxOutcome, n)}
		}
		outcomes = append(outcomes, line)
	}
	if len(outcomes) > MaxOutcomes {
		return nil, &Invalid{"learn", fmt.Sprintf("At most %d lines, please; these are %d.", MaxOutcomes, len(outcomes))}
	}
	return outcomes, nil
}

func parseLine(field, what, s string, limit int) (string, error) {
	s = Line(s)
	if !visible(s) {
		return "", &Invalid{field, what + " is needed."}
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return "", &Invalid{field, fmt.Sprintf("%s has at most %d characters; this has %d.", what, limit, n)}
	}
	return s, nil
}

func parseText(field, what, s string, limit int) (string, error) {
	s = Text(s)
	if n := utf8.RuneCountInString(s); n > limit {
		return "", &Invalid{field, fmt.Sprintf("%s has at most %d characters; this has %d.", what, limit, n)}
	}
	return s, nil
}
