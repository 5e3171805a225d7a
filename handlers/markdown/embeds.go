package markdown

import (
	"strings"

	"github.com/yuin/goldmark/ast"
)

// embedded is the experiment that a paragraph embeds; empty for all others.
func (w *writer) embedded(p *ast.Paragraph) string {
	if p.Parent() == nil || p.Parent().Kind() != ast.KindDocument || p.Lines().Len() != 1 || p.ChildCount() != 1 {
		return ""
	}
	slug := w.mayEmbed[p.Lines().At(0).Start]
	link, ok := p.FirstChild().(*ast.Link)
	if slug == "" || !ok || address(link.Destination) != "/lab/"+slug {
		return ""
	}
	return slug
}

func embedMark(slug string) string { return `<p data-experiment="` + slug + `">` }

func (w *writer) embed(p *ast.Paragraph, slug string) {
	w.embeds = append(w.embeds, Embed{Experiment: slug, Level: min(w.level+1, 6)})
	w.within(embedMark(slug), p, "</p>\n")
}

// placed finds the marks again. A text cannot leave one, since its own angle brackets
// are escaped.
func placed(html string, embeds []Embed) []Embed {
	at := 0
	for i := range embeds {
		e := &embeds[i]
		from := strings.Index(html[at:], embedMark(e.Experiment))
		if from < 0 {
			return nil
		}
		e.From = at + from
		end := strings.Index(html[e.From:], "</p>\n")
		if end < 0 {
			return nil
		}
		e.To = e.From + end + len("</p>\n")
		at = e.To
	}
	return embeds
}
