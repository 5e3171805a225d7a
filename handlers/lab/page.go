package lab

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// excerptLength is how much of an answer a transcript shows, in bytes.
const excerptLength = 160

// page is an answer. It is read when somebody looks at it, since most that are
// asked for again and again nobody does.
type page struct {
	contentType, body string

	isRead bool
	said   string            // without what stands round every page
	values map[string]string // of the fields of its forms
}

// text is what the page says.
func (p *page) text() string {
	p.read()
	return p.said
}

// field is the value of a field of its forms.
func (p *page) field(name string) (string, bool) {
	p.read()
	value, ok := p.values[name]
	return value, ok
}

func (p *page) read() {
	if p.isRead {
		return
	}
	p.isRead = true
	if !strings.HasPrefix(p.contentType, "text/html") {
		p.said = strings.TrimSpace(p.body)
		return
	}
	p.readHTML()
}

func (p *page) readHTML() {
	body := p.body
	p.values = map[string]string{}
	var text strings.Builder
	skipped, inMain, area := 0, !strings.Contains(body, "<main"), ""
	for tokens := html.NewTokenizer(strings.NewReader(body)); ; {
		switch kind := tokens.Next(); kind {
		case html.ErrorToken:
			p.said = strings.Join(strings.Fields(text.String()), " ")
			return
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
					if _, taken := p.values[name]; !taken {
						p.values[name] = attribute(t, "value")
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
					p.values[area] = strings.TrimPrefix(html.UnescapeString(said), "\n")
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
func (p *page) excerpt() string {
	text := p.text()
	if len(text) <= excerptLength {
		return text
	}
	cut := strings.LastIndexByte(text[:excerptLength], ' ')
	if cut < 0 {
		cut = excerptLength
	}
	return strings.ToValidUTF8(text[:cut], "") + " …"
}
