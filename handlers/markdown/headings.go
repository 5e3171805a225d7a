package markdown

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
)

// readHeadings gives every heading its level and its id, before anything is
// written, so that a link can lead to a heading further down.
func (w *writer) readHeadings(root ast.Node) {
	var found []*ast.Heading
	top := 6
	// The callback returns no error, so neither does the walk.
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering && w.plain(h) != "" {
			found = append(found, h)
			top = min(top, h.Level)
		}
		return ast.WalkContinue, nil
	})
	level := 1 // the page's own
	for _, n := range found {
		level = min(n.Level-top+2, level+1, 6)
		h := Heading{Level: level, Text: w.plain(n)}
		h.ID = w.newID("h-" + slug(h.Text))
		w.headings[n] = h
		if n.Parent() == root {
			w.contents = append(w.contents, h)
		}
	}
}

// heading writes a heading, unless it is one without words, which nobody
// could be told of or led to.
func (w *writer) heading(n *ast.Heading) {
	h, ok := w.headings[n]
	if !ok {
		if n.HasChildren() {
			w.within("<p>", n, "</p>\n")
		}
		return
	}
	w.count(n)
	w.level = h.Level
	tag := "h" + strconv.Itoa(h.Level)
	w.raw("<", tag, ` id="`, h.ID, `">`)
	w.children(n)
	w.raw("</", tag, ">\n")
}

// newID makes an id that is new in this document.
func (w *writer) newID(id string) string {
	unique := id
	for w.ids[unique] > 0 {
		// The count is where to go on, so that a thousand equal headings do
		// not each begin at two.
		w.ids[id]++
		unique = id + "-" + strconv.Itoa(w.ids[id])
	}
	w.ids[unique] = 1
	return unique
}

// slug makes the part of an id out of a heading: letters and digits of any
// alphabet in lower case, hyphens between.
func slug(s string) string {
	const longest = 60
	var b strings.Builder
	gap := false
	n := 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && n > 0 {
				b.WriteByte('-')
				n++
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
			n++
		case r == '\'' || r == '’' || unicode.IsMark(r):
		default:
			gap = true
		}
		if n >= longest {
			break
		}
	}
	if n == 0 {
		return "section"
	}
	return b.String()
}
