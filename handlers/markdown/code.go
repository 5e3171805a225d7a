package markdown

import (
	"html"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
	"github.com/yuin/goldmark/ast"
)

// The lexers are regular expressions that backtrack. Colour is a courtesy:
// past these bounds the code is shown without it.
const (
	highlightBytes = 64 << 10 // in one document
	highlightTime  = time.Second
)

// languages are those that are coloured, under the names that people write.
var languages = map[string]string{
	"go": "go", "golang": "go",
	"http": "http",
	"sql":  "sql",
	"json": "json",
	"sh":   "bash", "bash": "bash", "shell": "bash", "console": "bash",
	"js": "javascript", "javascript": "javascript",
	"ts": "typescript", "typescript": "typescript",
	"py": "python", "python": "python",
	"html": "html", "css": "css", "xml": "xml",
	"yaml": "yaml", "toml": "toml", "ini": "ini",
	"c": "c", "java": "java", "rust": "rust", "ruby": "ruby", "php": "php",
	"diff": "diff", "makefile": "make", "docker": "docker",
}

var languageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+#.-]{0,19}$`)

// fence writes a fenced block: a drawing where it asks for one, code
// otherwise.
func (w *writer) fence(n *ast.FencedCodeBlock) {
	info := ""
	if n.Info != nil {
		info = string(n.Info.Segment.Value(w.source))
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(info), " ")
	body := w.lines(n)
	if drawing, ok := drawings[name]; ok && drawing(w, body, captionOf(rest)) {
		return
	}
	if !languageName.MatchString(name) {
		name = ""
	}
	w.code(strings.ToLower(name), body)
}

// code writes a block of code. It scrolls, so it takes the focus and has a
// name, and it has a name, so it has a role.
func (w *writer) code(language, body string) {
	w.words += countWords(body)
	w.raw(`<div class="code"><pre tabindex="0" role="group" aria-label="Code`)
	if language != "" {
		w.raw(": ")
		w.escaped(language)
	}
	w.raw(`"><code>`)
	w.highlight(languages[language], strings.TrimSuffix(body, "\n"))
	w.raw("</code></pre></div>\n")
}

// highlight writes code with its words marked, as far as the bounds allow.
func (w *writer) highlight(language, code string) {
	if language == "" || w.coloured+len(code) > highlightBytes || time.Now().After(w.until) {
		w.escaped(code)
		return
	}
	w.coloured += len(code)
	tokens, err := lexers.Get(language).Tokenise(nil, code+"\n") // some rules want the end of the line
	if err != nil {
		w.escaped(code)
		return
	}
	// What is written is always code itself, cut where the lexer cuts it, so
	// that a lexer which drops or invents characters cannot change a lesson.
	var b strings.Builder
	rest, class, span := code, "", 0
	flush := func() {
		s := html.EscapeString(rest[:span])
		if class != "" && strings.TrimSpace(s) != "" {
			s = `<span class="` + class + `">` + s + "</span>"
		}
		b.WriteString(s)
		rest, span = rest[span:], 0
	}
	for t := tokens(); t != chroma.EOF; t = tokens() {
		value := t.Value[:min(len(t.Value), len(rest)-span)]
		if !strings.HasPrefix(rest[span:], value) {
			break
		}
		if c := classOf(t.Type, language); c != class {
			flush()
			class = c
		}
		span += len(value)
		if time.Now().After(w.until) {
			break
		}
	}
	flush()
	w.raw(b.String())
	w.escaped(rest)
}

// Highlight writes code with its words marked, as HTML, a string for each line.
func Highlight(language, code string) []string {
	w := &writer{until: time.Now().Add(highlightTime)}
	w.highlight(languages[language], code)
	return closeLines(strings.Split(w.out.String(), "\n"))
}

// closeLines ends a span at the end of each line that it goes over, and begins it
// anew on the next, so that each line stands alone.
func closeLines(lines []string) []string {
	open := ""
	for i, line := range lines {
		whole := open + line
		if last := strings.LastIndex(whole, "<span"); last > strings.LastIndex(whole, "</span>") {
			open = whole[last : last+strings.IndexByte(whole[last:], '>')+1]
			whole += "</span>"
		} else {
			open = ""
		}
		lines[i] = whole
	}
	return lines
}

// classOf is the class of the style sheet for a kind of token: keyword,
// string, comment, function or other name, number or constant.
func classOf(t chroma.TokenType, language string) string {
	switch {
	case t == chroma.KeywordConstant, t.InSubCategory(chroma.LiteralNumber), t == chroma.NameConstant:
		return "n"
	case t.InSubCategory(chroma.LiteralString):
		return "s"
	case t.InCategory(chroma.Comment):
		return "c"
	case t.InCategory(chroma.Keyword), t == chroma.GenericDeleted:
		return "k"
	case t == chroma.NameFunction, t == chroma.NameFunctionMagic, t == chroma.NameClass, t == chroma.NameTag,
		t == chroma.NameBuiltin, t == chroma.NameAttribute, t == chroma.NameVariable, t == chroma.GenericInserted,
		t == chroma.Name && language == "http":
		return "f"
	}
	return ""
}
