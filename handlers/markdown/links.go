package markdown

import (
	"net/url"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

const externalRel = "noopener noreferrer nofollow"

// address is a destination as a browser will get it: entities and backslashes
// resolved, everything unusual percent-encoded. It is checked in this form
// and no other, so that no spelling can pass as something else.
func address(destination []byte) string {
	return string(util.URLEscape(destination, true))
}

// parseAddress returns what may stand in a link: a place on this site, or
// one at http, https or mailto.
func parseAddress(a string) (u *url.URL, external, ok bool) {
	u, err := url.Parse(a)
	if err != nil || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return nil, false, false
	}
	switch u.Scheme {
	case "":
		// "//host" would borrow the page's scheme and leave the site.
		return u, false, u.Host == "" && !strings.HasPrefix(a, "//")
	case "http", "https":
		return u, true, u.Host != ""
	case "mailto":
		return u, false, true
	}
	return nil, false, false
}

// isOurs reports whether an address is a path on this site, from its root.
func isOurs(a string) bool {
	u, external, ok := parseAddress(a)
	return ok && !external && u.Scheme == "" && strings.HasPrefix(a, "/")
}

// link writes a link around what content writes, or the content alone when
// the address is not to be followed or there is a link around it already.
func (w *writer) link(destination string, content func()) {
	a := address([]byte(destination))
	_, external, ok := parseAddress(a)
	if !ok || w.inLink {
		content()
		return
	}
	if id, isFragment := strings.CutPrefix(a, "#"); isFragment && w.ids["h-"+id] > 0 {
		a = "#h-" + id
	}
	w.raw(`<a href="`)
	w.escaped(a)
	if external {
		w.raw(`" rel="`, externalRel)
	}
	w.raw(`">`)
	w.inLink = true
	content()
	w.inLink = false
	w.raw("</a>")
}

func (w *writer) autoLink(n *ast.AutoLink) {
	destination := string(n.URL(w.source))
	if n.AutoLinkType == ast.AutoLinkEmail {
		destination = "mailto:" + destination
	}
	w.link(destination, func() { w.escaped(string(n.Label(w.source))) })
}

// image writes a picture from this site, and a link to one from elsewhere:
// loading it would tell another site who reads what.
func (w *writer) image(n *ast.Image) {
	alt := w.plain(n)
	if a := address(n.Destination); isOurs(a) {
		w.img(a, alt)
		return
	}
	if alt == "" {
		alt = string(n.Destination)
	}
	w.link(string(n.Destination), func() { w.escaped(alt) })
}

func (w *writer) img(a, alt string) {
	w.raw(`<img src="`)
	w.escaped(a)
	w.raw(`" alt="`)
	w.escaped(alt)
	w.raw(`" loading="lazy">`)
}

// figure writes a picture that stands alone, with its title as the caption.
func (w *writer) figure(n *ast.Image) {
	w.raw("<figure>\n")
	w.img(address(n.Destination), w.plain(n))
	w.raw("\n")
	w.caption(string(util.UnescapePunctuations(n.Title)))
	w.raw("</figure>\n")
}

func (w *writer) caption(s string) {
	if s == "" {
		return
	}
	w.words += countWords(s)
	w.raw("<figcaption>")
	writeText(&w.out, []byte(s))
	w.raw("</figcaption>\n")
}
