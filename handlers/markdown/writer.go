package markdown

import (
	"bufio"
	"bytes"
	"html"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	ghtml "github.com/yuin/goldmark/renderer/html"
)

// writer walks one document's tree and writes its HTML.
type writer struct {
	source   []byte
	out      bytes.Buffer
	contents []Heading
	headings map[ast.Node]Heading
	ids      map[string]int // how often each was asked for
	words    int
	tables   int
	inLink   bool
	mayEmbed map[int]string // experiments, by where their line begins
	embeds   []Embed
	level    int // of the last heading

	coloured int       // bytes of code highlighted so far
	until    time.Time // when highlighting stops
}

func newWriter(source []byte) *writer {
	w := &writer{
		source:   source,
		headings: map[ast.Node]Heading{},
		ids:      map[string]int{},
		mayEmbed: map[int]string{},
		level:    1,
		until:    time.Now().Add(highlightTime),
	}
	w.out.Grow(2 * len(source))
	return w
}

func (w *writer) raw(parts ...string) {
	for _, p := range parts {
		w.out.WriteString(p)
	}
}

func (w *writer) escaped(s string) { w.out.WriteString(html.EscapeString(s)) }

func (w *writer) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.node(c)
	}
}

// within writes n's children between two tags.
func (w *writer) within(open string, n ast.Node, closing string) {
	w.raw(open)
	w.children(n)
	w.raw(closing)
}

// node writes one node. What is not named here is not written: raw HTML above
// all, whose tags vanish while the text between them stays.
func (w *writer) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		w.heading(n)
	case *ast.Paragraph:
		w.paragraph(n)
	case *ast.TextBlock:
		w.count(n)
		w.children(n)
		if n.NextSibling() != nil {
			w.raw("\n")
		}
	case *ast.Blockquote:
		if title, ok := n.FirstChild().(*calloutTitle); ok {
			w.callout(n, title)
			return
		}
		w.within("<blockquote>\n", n, "</blockquote>\n")
	case *ast.List:
		w.list(n)
	case *ast.ListItem:
		w.within("<li>", n, "</li>\n")
	case *ast.FencedCodeBlock:
		w.fence(n)
	case *ast.CodeBlock:
		w.code("", w.lines(n))
	case *ast.ThematicBreak:
		w.raw("<hr>\n")
	case *east.Table:
		w.table(n)
	case *east.FootnoteList:
		w.within(`<section class="footnotes" aria-label="Footnotes">`+"\n", n, "</section>\n")
	case *east.Footnote:
		w.footnote(n)
	case *verbatim:
		w.raw("<p>")
		w.escaped(strings.TrimSpace(w.lines(n)))
		w.raw("</p>\n")
	default:
		w.inline(n)
	}
}

func (w *writer) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		w.text(n.Segment.Value(w.source), n.IsRaw())
		switch {
		case n.HardLineBreak():
			w.raw("<br>\n")
		case n.SoftLineBreak():
			w.raw("\n")
		}
	case *ast.String:
		w.text(n.Value, n.IsRaw() || n.IsCode())
	case *ast.CodeSpan:
		w.raw("<code>")
		w.escaped(w.plain(n))
		w.raw("</code>")
	case *ast.Emphasis:
		tag := "em>"
		if n.Level == 2 {
			tag = "strong>"
		}
		w.within("<"+tag, n, "</"+tag)
	case *east.Strikethrough:
		w.within("<del>", n, "</del>")
	case *ast.Link:
		w.link(string(n.Destination), func() { w.children(n) })
	case *ast.AutoLink:
		w.autoLink(n)
	case *ast.Image:
		w.image(n)
	case *east.FootnoteLink:
		w.footnoteLink(n)
	case *east.FootnoteBacklink:
		w.backlink(n)
	}
}

// text writes a piece of text, in which backslashes and entities mean
// something unless it is raw.
func (w *writer) text(value []byte, raw bool) {
	if raw {
		w.escaped(string(value))
		return
	}
	writeText(&w.out, value)
}

func writeText(out *bytes.Buffer, value []byte) {
	if !bytes.ContainsAny(value, "\\&<>\"\x00") {
		out.Write(value)
		return
	}
	b := bufio.NewWriterSize(out, 2*len(value))
	ghtml.DefaultWriter.Write(b, value)
	// A bytes.Buffer takes everything.
	_ = b.Flush()
}

// plain is the text of a node without its mark-up: for labels, for the table
// of contents, for counting.
func (w *writer) plain(n ast.Node) string {
	var b bytes.Buffer
	w.writePlain(&b, n)
	return strings.TrimSpace(b.String())
}

func (w *writer) writePlain(b *bytes.Buffer, n ast.Node) {
	switch n := n.(type) {
	case *ast.CodeSpan:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			if t, ok := c.(*ast.Text); ok {
				b.Write(bytes.ReplaceAll(t.Segment.Value(w.source), []byte("\n"), []byte(" ")))
			}
		}
		return
	case *ast.Text:
		if n.IsRaw() {
			b.Write(n.Segment.Value(w.source))
		} else {
			var escaped bytes.Buffer
			writeText(&escaped, n.Segment.Value(w.source))
			b.WriteString(html.UnescapeString(escaped.String()))
		}
		if n.SoftLineBreak() || n.HardLineBreak() {
			b.WriteByte(' ')
		}
		return
	case *ast.String:
		b.Write(n.Value)
		return
	case *ast.AutoLink:
		b.Write(n.Label(w.source))
		return
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.writePlain(b, c)
	}
}

// lines is the text of a block that is not parsed any further.
func (w *writer) lines(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		b.Write(segment.Value(w.source))
	}
	return b.String()
}

func (w *writer) paragraph(p *ast.Paragraph) {
	w.count(p)
	if image, ok := p.FirstChild().(*ast.Image); ok && p.ChildCount() == 1 && isOurs(address(image.Destination)) {
		w.figure(image)
		return
	}
	if slug := w.embedded(p); slug != "" {
		w.embed(p, slug)
		return
	}
	w.within("<p>", p, "</p>\n")
}

func (w *writer) list(l *ast.List) {
	if !l.IsOrdered() {
		w.within("<ul>\n", l, "</ul>\n")
		return
	}
	open := "<ol>\n"
	if l.Start != 1 {
		open = `<ol start="` + strconv.Itoa(l.Start) + `">` + "\n"
	}
	w.within(open, l, "</ol>\n")
}

func (w *writer) count(n ast.Node) { w.words += countWords(w.plain(n)) }

// countWords counts what a reader would call words: signs alone are none.
func countWords(s string) (n int) {
	for f := range strings.FieldsSeq(s) {
		if strings.ContainsFunc(f, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			n++
		}
	}
	return n
}
