// Package ui holds the parts that the pages are made of: one component for
// each class of the stylesheet's list of parts, with its props in a struct
// above it.
//
// A part knows nothing of the page it stands on. What depends on the page is a
// prop: above all the level of a heading, which must follow the headings
// before it. No part needs a script, and none has a style attribute, which the
// site's content policy forbids: a share of something is drawn by one of the
// classes v0 to v100.
//
// Text given to a part is text and is escaped; an address is checked by templ
// and becomes harmless if it is not one. A name that stands in a sentence is
// wrapped in bdi, so that a name in Arabic does not turn the sentence round.
package ui

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/a-h/templ"
)

// State is what a badge, note or light says beside its words. The zero State
// says nothing.
type State string

const (
	Pass  State = "pass"  // accepted, published, done
	Fail  State = "fail"  // refused, wrong
	None  State = "none"  // not asked
	Draft State = "draft" // not to be seen by everybody yet
	Solid State = "solid" // filled with ink: an admin
)

// heading is a heading of the given level, between 2 and 6, round its
// children. It has an id unless that is empty.
func heading(level int, id string) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		tag := "h" + strconv.Itoa(min(max(level, 2), 6))
		open := "<" + tag
		if id != "" {
			open += ` id="` + templ.EscapeString(id) + `"`
		}
		if _, err := io.WriteString(w, open+">"); err != nil {
			return err
		}
		if err := templ.GetChildren(ctx).Render(templ.ClearChildren(ctx), w); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "</%s>", tag)
		return err
	})
}

// share is the whole percentage that part is of whole, between 0 and 100. It
// is 100 only when nothing is missing.
func share(part, whole int) int {
	if part <= 0 || whole <= 0 {
		return 0
	}
	return min(part*100/whole, 100)
}

// v is the class that draws a share.
func v(share int) string { return "v" + strconv.Itoa(min(max(share, 0), 100)) }
