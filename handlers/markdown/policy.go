package markdown

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// newPolicy lists everything that may leave this package. It is written from
// what a lesson needs and not from what the writer happens to do, so that a
// mistake in the writer meets a second opinion. There is no style attribute,
// no name, no event, and no id without its prefix.
func newPolicy() *bluemonday.Policy {
	only := func(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }
	p := bluemonday.NewPolicy()

	p.AllowElements("p", "br", "hr", "em", "strong", "b", "small", "del", "code", "sup", "blockquote",
		"ul", "ol", "li", "figure", "figcaption", "thead", "tbody", "tr")
	p.AllowAttrs("start").Matching(only(`[0-9]{1,9}`)).OnElements("ol")

	p.AllowAttrs("id").Matching(only(`h-[\p{L}\p{Nd}-]+`)).OnElements("h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("id").Matching(only(`fn-[0-9]+`)).OnElements("p")
	p.AllowAttrs("id").Matching(only(`fnref-[0-9]+(-[0-9]+)?`)).OnElements("a", "sup")

	p.AllowAttrs("data-experiment").Matching(only(`[a-z0-9-]+`)).OnElements("p")

	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(only(externalRel)).OnElements("a")
	p.AllowAttrs("src").Matching(only(`/(?:[^/\\].*)?`)).OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("loading").Matching(only(`lazy`)).OnElements("img")

	p.AllowAttrs("class").Matching(only(`note`)).OnElements("aside")
	p.AllowAttrs("data-kind").Matching(only(`note|tip|try|warning`)).OnElements("aside")
	p.AllowAttrs("role").Matching(only(`note`)).OnElements("aside")
	p.AllowAttrs("class").Matching(only(`note-title`)).OnElements("p")
	p.AllowAttrs("data-icon").Matching(only(`note|tip|try|warning|up`)).OnElements("i")

	p.AllowAttrs("class").Matching(only(`code|scroll|band|ticket`)).OnElements("div")
	p.AllowAttrs("data-backend").Matching(only(`jwt|server`)).OnElements("div")
	p.AllowAttrs("data-size").Matching(only(`l`)).OnElements("div")
	p.AllowAttrs("role").Matching(only(`img|region`)).OnElements("div")
	p.AllowAttrs("role").Matching(only(`group`)).OnElements("pre")
	p.AllowAttrs("tabindex").Matching(only(`0`)).OnElements("div", "pre")
	p.AllowAttrs("aria-label").OnElements("a", "div", "pre", "section")
	p.AllowAttrs("class").Matching(only(`footnotes`)).OnElements("section")

	p.AllowAttrs("class").Matching(only(`k|s|c|f|n|vh`)).OnElements("span")
	p.AllowAttrs("class").Matching(only(`table`)).OnElements("table")
	p.AllowAttrs("class").Matching(only(`num`)).OnElements("th", "td")
	p.AllowAttrs("scope").Matching(only(`col`)).OnElements("th")
	p.AllowNoAttrs().OnElements("span", "div", "th", "td")
	return p
}
