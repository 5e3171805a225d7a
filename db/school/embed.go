package school

import (
	"regexp"
	"slices"
	"strings"
)

// Embed is a place in the text of a lesson where an experiment of the session lab
// stands.
type Embed struct {
	Experiment string
	Start      int // where its line begins in the text, in bytes
}

// embedLine is a line that holds nothing but a link to an experiment. What could
// make the link something else in Markdown is left out of its label.
var embedLine = regexp.MustCompile(`^\[[^\[\]<\\^][^\[\]<\\]*\]\(/lab/([a-z0-9]+(?:-[a-z0-9]+)*)\)[ \t]*$`)

// Embeds finds the experiments that a text embeds, each at the first place where it
// does. It does so in a line of its own, at the left margin, with an empty line before
// and after it:
//
//	[Does signing out end the stolen copy?](/lab/sign-out-then-replay)
//
// Whether a lesson shows what it embeds depends on its kind; see [Lab]. Lines of code
// and of comments embed nothing. Whoever renders a text embeds what Embeds finds and
// nothing else, so where it is hard to say without reading all of Markdown whether a
// line is code, it is taken for code.
func Embeds(text string) []Embed {
	var (
		found  []Embed
		inside block
		maybe  *Embed // the line before this one, if an empty one comes next
		start  int
	)
	blank := true // what stands above the line
	for line := range strings.Lines(text) {
		at := start
		start += len(line)
		line = strings.TrimRight(line, "\r\n")
		if maybe != nil && isBlank(line) {
			found = append(found, *maybe)
		}
		maybe = nil
		switch was := inside; {
		case !inside.read(line):
			return found
		case was.kind != none || inside.kind != none:
			blank = false
			continue
		}
		if m := embedLine.FindStringSubmatch(line); m != nil && blank && !isBlank(line[1:strings.IndexByte(line, ']')]) {
			maybe = &Embed{m[1], at}
		}
		blank = isBlank(line)
	}
	if maybe != nil {
		found = append(found, *maybe)
	}
	return firsts(found)
}

// Experiments lists the experiments that a text embeds, in their order.
func Experiments(text string) []string {
	var slugs []string
	for _, e := range Embeds(text) {
		slugs = append(slugs, e.Experiment)
	}
	return slugs
}

func firsts(all []Embed) []Embed {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(e Embed) bool {
		again := seen[e.Experiment]
		seen[e.Experiment] = true
		return again
	})
}

func isBlank(line string) bool { return strings.Trim(line, " \t") == "" }

// block is the code or the comment that a line may stand in: what can have an empty
// line within it and still begin its lines at the left margin.
type block struct {
	kind   blockKind
	fence  string   // the signs that opened code
	indent int      // how far in it began
	ends   []string // of a comment
	tag    bool     // nothing of the kind, but a line above it may be a tag
}

type blockKind int

const (
	none blockKind = iota
	code
	comment
)

var (
	fenceLine   = regexp.MustCompile("^ {0,3}(```+|~~~+)(.*)$")
	markedFence = regexp.MustCompile("^ {0,3}(?:[-+*]|[0-9]{1,9}[.)])[ \t]+(?:```|~~~)")
	tagLine     = regexp.MustCompile("^ {0,3}<")
	commentLine = regexp.MustCompile(`(?i)^ {0,3}<(?:(!--)|(\?)|(!\[CDATA\[)|(![a-z])|(?:script|pre|style|textarea)(?:[ \t>]|$))`)
)

// commentEnds are where what commentLine begins is over, in the order of its groups.
var commentEnds = [][]string{{"-->"}, {"?>"}, {"]]>"}, {">"}, {"</script>", "</pre>", "</style>", "</textarea>"}}

// read goes on by a line. It reports false where it cannot tell what comes next: code
// that is set in may belong to the point of a list or not, and ends where that does;
// below a tag there may be no code, up to an empty line.
func (b *block) read(line string) (sure bool) {
	in := indent(line)
	switch b.kind {
	case code:
		if isBlank(line) {
			return true
		}
		if b.indent > 0 && in < b.indent {
			return false
		}
		m := fenceLine.FindStringSubmatch(strings.TrimLeft(line, " \t"))
		if m == nil || !strings.HasPrefix(m[1], b.fence) || !isBlank(m[2]) {
			return true
		}
		if in > 3 {
			return b.indent == 0
		}
		*b = block{}
	case comment:
		if endsComment(line, b.ends) {
			*b = block{}
		}
	case none:
		if markedFence.MatchString(line) {
			return false
		}
		if m := fenceLine.FindStringSubmatch(line); m != nil && (m[1][0] == '~' || !strings.Contains(m[2], "`")) {
			sure = !b.tag
			*b = block{kind: code, fence: m[1], indent: in}
			return sure
		}
		if m := commentLine.FindStringSubmatch(line); m != nil {
			if b.tag {
				return false
			}
			which := slices.IndexFunc(m[1:], func(group string) bool { return group != "" })
			if which < 0 {
				which = len(commentEnds) - 1
			}
			if !endsComment(line, commentEnds[which]) {
				*b = block{kind: comment, ends: commentEnds[which]}
				return in == 0
			}
		}
		b.tag = !isBlank(line) && (b.tag || tagLine.MatchString(line))
	}
	return true
}

func endsComment(line string, ends []string) bool {
	line = strings.ToLower(line)
	return slices.ContainsFunc(ends, func(end string) bool { return strings.Contains(line, end) })
}

// indent is how many columns a line is set in.
func indent(line string) int {
	columns := 0
	for _, c := range line {
		switch c {
		case ' ':
			columns++
		case '\t':
			columns += 4 - columns%4
		default:
			return columns
		}
	}
	return columns
}
