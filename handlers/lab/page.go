package lab

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// excerptLength is how much of an answer a transcript shows, in bytes.
const excerptLength = 160

// page is an answer as somebody reads it.
type page struct {
	text   string            // what it says, without what stands round every page
	fields map[string]string // of its forms
}

// readPage reads an answer.
func readPage(contentType, body string) page {
	if !strings.HasPrefix(contentType, "text/html") {
		return page{text: strings.TrimSpace(body)}
	}
	p := page{fields: map[string]string{}}
	var text strings.Builder
	skipped, inMain, area := 0, !strings.Contains(body, "<main"), ""
	for tokens := html.NewTokenizer(strings.NewReader(body)); ; {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			p.text = strings.Join(strings.Fields(text.String()), " ")
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			t := tokens.Token()
			switch t.DataAtom {
			case atom.Main:
				inMain = true
			case atom.Script, atom.Style, atom.Svg:
				if kind == html.StartTagToken {
					skipped++
				}
			case atom.Input:
				if name := attribute(t, "name"); name != "" {
					if _, taken := p.fields[name]; !taken {
						p.fields[name] = attribute(t, "value")
					}
				}
				text.WriteString(" " + visible(t) + " ")
			case atom.Textarea:
				area = attribute(t, "name")
			}
		case html.EndTagToken:
			switch t := tokens.Token(); t.DataAtom {
			case atom.Main:
				inMain = false
			case atom.Script, atom.Style, atom.Svg:
				skipped--
			case atom.Textarea:
				area = ""
			case atom.A, atom.B, atom.I, atom.Em, atom.Strong, atom.Span, atom.Code, atom.Small:
			default:
				text.WriteString(" ")
			}
		case html.TextToken:
			if inMain && skipped == 0 {
				said := string(tokens.Text())
				text.WriteString(html.UnescapeString(said))
				if area != "" {
					p.fields[area] = strings.TrimPrefix(html.UnescapeString(said), "\n")
				}
			}
		}
	}
}

// visible is what an input shows.
func visible(t html.Token) string {
	switch attribute(t, "type") {
	case "hidden", "radio", "checkbox", "password":
		return ""
	}
	return attribute(t, "value")
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// excerpt is the beginning of what the page says.
func (p page) excerpt() string {
	if len(p.text) <= excerptLength {
		return p.text
	}
	cut := strings.LastIndexByte(p.text[:excerptLength], ' ')
	if cut < 0 {
		cut = excerptLength
	}
	return strings.ToValidUTF8(p.text[:cut], "") + " …"
}
