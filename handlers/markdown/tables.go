package markdown

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
)

// table writes a table in a box of its own that scrolls, which has to be
// reachable by keyboard and therefore to have a name.
func (w *writer) table(t *east.Table) {
	w.tables++
	w.raw(`<div class="scroll" tabindex="0" role="region" aria-label="Table `, strconv.Itoa(w.tables))
	if names := w.columnNames(t); names != "" {
		w.raw(": ")
		w.escaped(names)
	}
	w.raw(`">` + "\n" + `<table class="table">` + "\n")
	body := false
	for row := t.FirstChild(); row != nil; row = row.NextSibling() {
		if row.Kind() == east.KindTableHeader {
			w.raw("<thead>\n")
			w.row(row, true)
			w.raw("</thead>\n")
			continue
		}
		if !body {
			w.raw("<tbody>\n")
			body = true
		}
		w.row(row, false)
	}
	if body {
		w.raw("</tbody>\n")
	}
	w.raw("</table>\n</div>\n")
}

// row writes a row. The empty corner over a column of names heads nothing, so it is no
// header even in a row of them.
func (w *writer) row(row ast.Node, heads bool) {
	w.raw("<tr>\n")
	for c := row.FirstChild(); c != nil; c = c.NextSibling() {
		w.count(c)
		open, closing := "td", "td"
		if heads && c.HasChildren() {
			open, closing = `th scope="col"`, "th"
		}
		w.raw("<", open)
		if cell, ok := c.(*east.TableCell); ok && cell.Alignment == east.AlignRight {
			w.raw(` class="num"`)
		}
		w.raw(">")
		w.children(c)
		w.raw("</", closing, ">\n")
	}
	w.raw("</tr>\n")
}

func (w *writer) columnNames(t *east.Table) string {
	const longest = 100
	var names []string
	length := 0
	for c := t.FirstChild().FirstChild(); c != nil; c = c.NextSibling() {
		name := w.plain(c)
		if length += len(name); length > longest {
			break
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
