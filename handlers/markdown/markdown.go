// Package markdown turns what an instructor writes into what a reader sees.
//
// The text of a lesson is a stranger's text: whoever may edit one course is
// not trusted with the browser of every student in it. So it goes through
// three hands. A parser (goldmark) reads Markdown into a tree. A writer of our
// own walks the tree and writes the few elements that a lesson is made of;
// raw HTML in the text is not among them, nor is a link to anything but the
// web, a mail address or a page of this site, nor a picture from elsewhere.
// And at the end a sanitiser (bluemonday), which knows nothing of the first
// two, lets through only what the writer is meant to write (ASVS 1.3.5).
//
// What may be written, beyond CommonMark with tables, strikethrough and
// footnotes:
//
//	> [!note] A title           a callout: note, tip or warning; or try, for
//	> Its text.                 steps that readers take with their own account
//
//	![what it shows](/a.svg "The caption.")     alone in a paragraph: a figure
//
//	```wristband caption="…"    a token, drawn: header, payload, signature
//	```ticket caption="…"       a session number, drawn: number, title, text
//
//	[What it is about](/lab/slug)               alone between empty lines: an experiment
//
// An experiment stays a paragraph with a link, and [Document.Embeds] says where it is;
// whoever knows the reader may put something better in its place. Which paragraphs
// these are, package school decides, since others have to know it who do not render.
//
// A heading gets an id that begins with "h-", a footnote one that begins with
// "fn", so that no text can take a name that the page around it uses (DOM
// clobbering). The page has the only h1: the text's largest headings become
// h2, and none is more than one step deeper than the one before, whatever was
// typed, since people who listen to a page move along its headings.
//
// Parsers of Markdown have inputs on which they work for minutes. Text that is
// too long or nested too deeply for a person to have meant it is shown as it
// was typed instead (limits.go); so is a single paragraph that holds thousands
// of brackets. [Renderer.Render] always gives an answer, and soon.
package markdown

import (
	"html"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"lectern/db/school"
)

// wordsPerMinute is a slow reader's pace, since lessons are to be understood.
const wordsPerMinute = 200

// Document is a text made ready for a page.
type Document struct {
	HTML     string // sanitised: may be written into a page as it is
	Contents []Heading
	Embeds   []Embed
	Words    int
	Minutes  int // to read it, at least one
}

// Embed is a paragraph that may give way to an experiment of the session lab.
type Embed struct {
	Experiment string
	Level      int // of a heading that would stand there, below the one before it
	From, To   int // where the paragraph is in the document's HTML
}

// Heading is one line of a document's table of contents.
type Heading struct {
	Level int    // 2 to 6
	ID    string // the fragment that leads to it, without the #
	Text  string // plain, to be escaped by whoever writes it
}

// Renderer renders Markdown. It holds no state of a rendering, so that any
// number of goroutines may share one.
type Renderer struct {
	parser parser.Parser
	policy *bluemonday.Policy
	icons  *strings.Replacer
}

// Option changes what New makes.
type Option func(*Renderer)

// WithIcons gives callouts and the links back from footnotes their icons.
// The function is asked for "note", "tip", "try", "warning" and "up"; what it
// returns is trusted and not sanitised. Without it there is an arrow and nothing else.
func WithIcons(icon func(name string) string) Option {
	return func(r *Renderer) { r.icons = iconReplacer(icon) }
}

// New makes a Renderer. It takes some milliseconds: make one and keep it.
func New(options ...Option) *Renderer {
	r := &Renderer{
		parser: goldmark.New(
			goldmark.WithExtensions(
				extension.Table,
				extension.Strikethrough,
				extension.Footnote,
				extension.NewTypographer(extension.WithTypographicSubstitutions(typography)),
			),
			goldmark.WithParserOptions(
				parser.WithBlockParsers(util.Prioritized(newHeadingGuard(), 599)),
				parser.WithParagraphTransformers(
					util.Prioritized(paragraphGuard{}, 10),
					util.Prioritized(calloutTransformer{}, 20),
				),
			),
		).Parser(),
		policy: newPolicy(),
		icons: iconReplacer(func(name string) string {
			if name == "up" {
				return "↑"
			}
			return ""
		}),
	}
	for _, o := range options {
		o(r)
	}
	return r
}

// typography are characters instead of the parser's usual entities, so that
// headings read the same in the table of contents.
var typography = map[extension.TypographicPunctuation]string{
	extension.LeftSingleQuote:  "‘",
	extension.RightSingleQuote: "’",
	extension.LeftDoubleQuote:  "“",
	extension.RightDoubleQuote: "”",
	extension.EnDash:           "–",
	extension.EmDash:           "—",
	extension.Ellipsis:         "…",
	extension.LeftAngleQuote:   "«",
	extension.RightAngleQuote:  "»",
	extension.Apostrophe:       "’",
}

// Render renders src. It never fails: what cannot be rendered is shown as it
// was typed.
func (r *Renderer) Render(src string) (doc Document) {
	src = strings.ToValidUTF8(src, "\uFFFD")
	// A lesson that trips over a bug in a library must not take the page
	// down with it, and its author still has to see the text to mend it.
	defer func() {
		if recover() != nil {
			doc = plain(src)
		}
	}()
	if tooMuch(src) {
		return plain(src)
	}
	source := []byte(src)
	w := newWriter(source)
	for _, e := range school.Embeds(src) {
		w.mayEmbed[e.Start] = e.Experiment
	}
	root := r.parser.Parse(text.NewReader(source), parser.WithContext(newContext()))
	w.readHeadings(root)
	w.children(root)
	clean := r.policy.SanitizeBytes(w.out.Bytes())
	doc = Document{
		HTML:     r.icons.Replace(string(clean)),
		Contents: w.contents,
		Words:    w.words,
		Minutes:  minutes(w.words),
	}
	doc.Embeds = placed(doc.HTML, w.embeds)
	return doc
}

// plain is a document that shows its source.
func plain(src string) Document {
	words := countWords(src)
	return Document{
		HTML:    `<div class="code"><pre tabindex="0" role="group" aria-label="Text as it was typed"><code>` + html.EscapeString(src) + "</code></pre></div>\n",
		Words:   words,
		Minutes: minutes(words),
	}
}

func minutes(words int) int {
	return max((words+wordsPerMinute-1)/wordsPerMinute, 1)
}

func iconMark(name string) string { return `<i data-icon="` + name + `"></i>` }

// iconReplacer puts icons where the writer left marks. A text cannot leave
// one: its own angle brackets are escaped by then.
func iconReplacer(icon func(name string) string) *strings.Replacer {
	var pairs []string
	for _, name := range []string{"note", "tip", "try", "warning", "up"} {
		pairs = append(pairs, iconMark(name), icon(name))
	}
	return strings.NewReplacer(pairs...)
}
