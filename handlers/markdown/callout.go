package markdown

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

var calloutMark = regexp.MustCompile(`^[ \t]*\[!((?i:note|tip|try|warning))\][ \t]*`)

// calloutTitle is the first line of a quotation that is a callout. It is
// parsed like any line, so that a title may have emphasis and code.
type calloutTitle struct {
	ast.BaseBlock
	kind string // note, tip, try or warning
}

var kindCalloutTitle = ast.NewNodeKind("CalloutTitle")

func (*calloutTitle) Kind() ast.NodeKind            { return kindCalloutTitle }
func (t *calloutTitle) Dump(source []byte, lvl int) { ast.DumpHelper(t, source, lvl, nil, nil) }

// calloutTransformer takes the mark and the title off the first paragraph of
// a quotation. It works on lines before they are parsed, because to the
// inline parser [!note] may be a link.
type calloutTransformer struct{}

func (calloutTransformer) Transform(p *ast.Paragraph, reader text.Reader, _ parser.Context) {
	quote := p.Parent()
	if quote.Kind() != ast.KindBlockquote || p.PreviousSibling() != nil {
		return
	}
	first := p.Lines().At(0)
	line := first.Value(reader.Source())
	mark := calloutMark.FindSubmatchIndex(line)
	if mark == nil {
		return
	}
	title := &calloutTitle{kind: strings.ToLower(string(line[mark[2]:mark[3]]))}
	rest := first.WithStart(first.Start + mark[1] - first.Padding)
	if rest = rest.TrimRightSpace(reader.Source()); !rest.IsEmpty() {
		title.Lines().Append(rest)
	}
	quote.InsertBefore(quote, p, title)
	if p.Lines().Len() == 1 {
		quote.RemoveChild(quote, p)
		return
	}
	p.Lines().SetSliced(1, p.Lines().Len())
}

// calloutNames say what a callout is.
var calloutNames = map[string]string{"note": "Note", "tip": "Tip", "try": "Try it", "warning": "Warning"}

// callout writes the quotation whose first child is title.
func (w *writer) callout(quote ast.Node, title *calloutTitle) {
	name := calloutNames[title.kind]
	w.raw(`<aside class="note" data-kind="`, title.kind, `" role="note">`, iconMark(title.kind), "\n", `<p class="note-title"><strong>`)
	if title.HasChildren() {
		w.count(title)
		if title.kind == "try" {
			w.raw(name, ": ") // for everybody, because something is to be done
		} else {
			// The icon says the kind to those who see it.
			w.raw(`<span class="vh">`, name, `: </span>`)
		}
		w.children(title)
	} else {
		w.raw(name)
	}
	w.raw("</strong></p>\n")
	for n := title.NextSibling(); n != nil; n = n.NextSibling() {
		w.node(n)
	}
	w.raw("</aside>\n")
}
