package markdown

import (
	"strconv"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
)

// Footnotes are numbered by the parser, so that no label that somebody typed
// comes near an id.
func footnoteID(index int) string { return "fn-" + strconv.Itoa(index) }

// referenceID is the id of the n-th place that refers to a footnote.
func referenceID(index, n int) string {
	id := "fnref-" + strconv.Itoa(index)
	if n > 0 {
		id += "-" + strconv.Itoa(n+1)
	}
	return id
}

func (w *writer) footnoteLink(n *east.FootnoteLink) {
	number, id := strconv.Itoa(n.Index), referenceID(n.Index, n.RefIndex)
	if w.inLink {
		w.raw(`<sup id="`, id, `">`, number, "</sup>")
		return
	}
	w.raw(`<sup><a href="#`, footnoteID(n.Index), `" id="`, id, `" aria-label="Footnote `, number, `">`, number, "</a></sup>")
}

func (w *writer) backlink(n *east.FootnoteBacklink) {
	label := "Back to the text"
	if n.RefCount > 1 {
		label = "Back to place " + strconv.Itoa(n.RefIndex+1) + " in the text"
	}
	w.raw(` <a href="#`, referenceID(n.Index, n.RefIndex), `" aria-label="`, label, `">`, iconMark("up"), "</a>")
}

// footnote writes one footnote. Usually it is one paragraph, which then
// carries the number and the way back.
func (w *writer) footnote(n *east.Footnote) {
	open := `<p id="` + footnoteID(n.Index) + `"><b>` + strconv.Itoa(n.Index) + ".</b> "
	child := n.FirstChild()
	if p, ok := child.(*ast.Paragraph); ok {
		w.count(p)
		w.within(open, p, "</p>\n")
		child = child.NextSibling()
	} else {
		w.raw(open, "</p>\n")
	}
	for ; child != nil; child = child.NextSibling() {
		if _, ok := child.(*east.FootnoteBacklink); ok {
			// After a list or a block of code there is no paragraph to end.
			w.raw("<p>")
			for ; child != nil; child = child.NextSibling() {
				w.node(child)
			}
			w.raw("</p>\n")
			return
		}
		w.node(child)
	}
}
