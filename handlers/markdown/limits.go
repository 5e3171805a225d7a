package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// What a text may ask of us. Each bound is many times what a long lesson
// needs, and stands before something that takes quadratic time.
const (
	maxSource    = 512 << 10 // bytes
	maxDepth     = 40        // containers opened by one line: > > - 1. …
	maxIndent    = 160       // columns: what bounds lists nested line by line
	maxFootnotes = 1000      // each reference looks through all of them
	maxCells     = 20_000    // in one table, whose short rows are filled up
	maxTangle    = 20_000_000
)

// tooMuch reports whether a text is to be shown as it was typed.
func tooMuch(src string) bool {
	if len(src) > maxSource {
		return true
	}
	footnotes := 0
	for line := range strings.Lines(src) {
		depth, indent, notes := prefix(line)
		footnotes += notes
		if depth > maxDepth || indent > maxIndent || footnotes > maxFootnotes {
			return true
		}
	}
	return false
}

// prefix measures what stands before the text of a line: how many containers
// it could open, how far it is indented, how many footnotes it begins. It
// counts more than the parser may find, never less.
func prefix(line string) (depth, indent, footnotes int) {
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case c == ' ':
			indent++
			i++
		case c == '\t':
			indent += 4
			i++
		case c == '>' || c == '-' || c == '+' || c == '*':
			depth++
			i++
		case c >= '0' && c <= '9':
			j := i
			for j < len(line) && line[j] >= '0' && line[j] <= '9' {
				j++
			}
			if j == len(line) || line[j] != '.' && line[j] != ')' {
				return depth, indent, footnotes
			}
			depth++
			i = j + 1
		case strings.HasPrefix(line[i:], "[^"):
			end := strings.Index(line[i:], "]:")
			if end < 0 {
				return depth, indent, footnotes
			}
			depth++
			footnotes++
			i += end + 2
		default:
			return depth, indent, footnotes
		}
	}
	return depth, indent, footnotes
}

// tangleKey counts, over one document, the squares of the signs in each
// paragraph, which is what the parser's work on brackets and asterisks grows
// with in the worst case.
var tangleKey = parser.NewContextKey()

func newContext() parser.Context {
	pc := parser.NewContext()
	pc.Set(tangleKey, new(int))
	return pc
}

// tangled reports whether these lines would make the document too dear.
func tangled(lines *text.Segments, source []byte, pc parser.Context) bool {
	signs, bars := 0, 0
	for i := range lines.Len() {
		segment := lines.At(i)
		n := 0
		for _, c := range segment.Value(source) {
			switch c {
			case '[', ']', '*', '_', '`', '<', '~', '!':
				signs++
			case '|':
				n++
			}
		}
		bars = max(bars, n)
	}
	spent := pc.Get(tangleKey).(*int)
	if *spent+signs*signs > maxTangle || (bars+1)*lines.Len() > maxCells && bars > 0 {
		return true
	}
	*spent += signs * signs
	return false
}

// paragraphGuard shows a tangled paragraph as it was typed. It runs before the
// inline parser sees the paragraph, and before the table parser does.
type paragraphGuard struct{}

func (paragraphGuard) Transform(p *ast.Paragraph, reader text.Reader, pc parser.Context) {
	if tangled(p.Lines(), reader.Source(), pc) {
		p.Parent().ReplaceChild(p.Parent(), p, newVerbatim(p.Lines()))
	}
}

// headingGuard does the same for headings, which are no paragraphs.
type headingGuard struct{ parser.BlockParser }

func newHeadingGuard() headingGuard { return headingGuard{parser.NewATXHeadingParser()} }

func (g headingGuard) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	n, state := g.BlockParser.Open(parent, reader, pc)
	if n != nil && tangled(n.Lines(), reader.Source(), pc) {
		return newVerbatim(n.Lines()), state
	}
	return n, state
}

func (g headingGuard) Close(n ast.Node, reader text.Reader, pc parser.Context) {
	if n.Kind() == ast.KindHeading {
		g.BlockParser.Close(n, reader, pc)
	}
}

// verbatim is a block whose text is not looked into.
type verbatim struct{ ast.BaseBlock }

var kindVerbatim = ast.NewNodeKind("Verbatim")

func newVerbatim(lines *text.Segments) *verbatim {
	v := &verbatim{}
	v.SetLines(lines)
	return v
}

func (*verbatim) Kind() ast.NodeKind            { return kindVerbatim }
func (*verbatim) IsRaw() bool                   { return true }
func (v *verbatim) Dump(source []byte, lvl int) { ast.DumpHelper(v, source, lvl, nil, nil) }
