// Package assets holds what browsers fetch beside the pages: one stylesheet,
// four typefaces, the icons, small scripts and the figures of the lessons.
// Everything is embedded in the program.
//
// Every file but the figures is served under a name that holds a hash of its
// content, such as /assets/app.3f9a1c2b.css, and may therefore be kept by a
// browser for ever: a changed file is another file. [URL] turns the plain name
// into the hashed one.
//
// The figures keep their names, because the text of a lesson links to them,
// and are kept for an hour.
package assets

import (
	"embed"
	"net/http"
)

//go:embed css/*.css fonts/*.woff2 js figures icons.svg favicon.svg
var embedded embed.FS

// stylesheets are the files that make up app.css, in this order. Which rule
// wins is decided by the layers that layers.css declares; the order here
// matters only inside one layer.
var stylesheets = []string{
	"layers", "fonts", "reset", "tokens", "base", "layout",
	"marks", "frame", "buttons", "fields", "notes", "measures", "ways", "boxes",
	"band", "ticket", "xray", "code", "wire", "outline", "prose",
	"home", "catalogue", "course", "lesson", "lab", "experiment", "charts", "embed", "inbrowser", "hall", "teach", "door", "hops", "office", "permissions", "asvs", "inbox", "tile",
	"util", "values", "forced", "print",
}

// site is built once, before main begins, and never changes: a broken asset
// stops the program before it serves anything.
var site = func() *set {
	s, err := build(embedded, stylesheets)
	if err != nil {
		panic(err)
	}
	return s
}()

// URL is the address under which the asset called name is served: "app.css",
// "icons.svg", "favicon.svg", the name of a script ("theme.js") or of a font
// ("besley-latin-wght-normal.woff2").
//
// It panics for an unknown name. Call it from a package variable, so that a
// misspelt asset stops the program, and every test, at the start.
func URL(name string) string {
	url, ok := site.urls[name]
	if !ok {
		panic("assets: there is no " + name)
	}
	return url
}

// Symbol is the address of one drawing of the sprite, such as "i-check" or
// "band-s", for the href of an SVG use element.
func Symbol(id string) (string, error) { return site.symbol(id) }

// Handler serves the assets. It looks at the whole path, so it is mounted at
// /assets/ without stripping the prefix.
func Handler() http.Handler { return site }
