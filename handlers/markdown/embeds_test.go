package markdown_test

import (
	"slices"
	"strings"
	"testing"

	"lectern/db/school"
	"lectern/handlers/markdown"
)

// embeds are texts and the experiments that they embed. What is asked of the database
// and what is shown must be the same.
var embeds = []struct {
	says string
	text string
	want string // separated by spaces
}{
	{"nothing", "", ""},
	{"prose", "Text.\n\nMore of it.", ""},
	{"a link alone", "[What then?](/lab/sign-out-then-replay)", "sign-out-then-replay"},
	{"a link between paragraphs", "Text.\n\n[What then?](/lab/a-b)\n\nMore.", "a-b"},
	{"spaces after it", "Text.\n\n[What then?](/lab/a)  \t\n\nMore.", "a"},
	{"lines ended as on Windows", "Text.\r\n\r\n[What then?](/lab/a)\r\n\r\nMore.", "a"},
	{"emphasis and code in the label", "[*What* then, `exp`?](/lab/a)", "a"},
	{"two of them, in order", "[Two](/lab/b)\n\n[One](/lab/a)\n", "b a"},
	{"the same twice", "[One](/lab/a)\n\nText.\n\n[Again](/lab/a)\n", "a"},
	{"after a list", "- a point\n- another\n\n[What then?](/lab/a)\n", "a"},
	{"after a point without a text", "-\n\n[What then?](/lab/a)\n", "a"},
	{"after a footnote", "Text.[^1]\n\n[^1]: A note.\n\n[What then?](/lab/a)\n", "a"},
	{"after a quotation", "> Said.\n\n[What then?](/lab/a)\n", "a"},
	{"after code", "```go\ncode\n```\n\n[What then?](/lab/a)\n", "a"},
	{"after code with tildes in backticks", "```\n~~~\n```\n\n[What then?](/lab/a)\n", "a"},
	{"after longer fences", "````\n```\n````\n\n[What then?](/lab/a)\n", "a"},
	{"after code in a list", "- a point\n\n  ```\n  code\n\n  ```\n\n[What then?](/lab/a)\n", "a"},
	{"after code in a numbered list", "1. a point\n\n   ```\n   code\n   ```\n\n[What then?](/lab/a)\n", "a"},
	{"after a comment", "<!-- not yet\n\nbut soon -->\n\n[What then?](/lab/a)\n", "a"},
	{"after a comment on one line", "<!-- not yet -->\n\n[What then?](/lab/a)\n", "a"},
	{"after backticks that open nothing", "``` no `fence\n\n[What then?](/lab/a)\n", "a"},

	{"a sentence round the link", "See [this](/lab/a).", ""},
	{"a full stop behind it", "[this](/lab/a).", ""},
	{"two links in a paragraph", "[a](/lab/a) [b](/lab/b)", ""},
	{"two lines in a paragraph", "[a](/lab/a)\n[b](/lab/b)", ""},
	{"a line above it", "Text.\n[a](/lab/a)\n", ""},
	{"a line below it", "[a](/lab/a)\nText.", ""},
	{"a heading made of it", "[a](/lab/a)\n===\n", ""},
	{"a heading right above it", "# Heading\n[a](/lab/a)\n", ""},
	{"set in by a space", "Text.\n\n [a](/lab/a)\n", ""},
	{"set in as code", "Text.\n\n    [a](/lab/a)\n", ""},
	{"in a list", "- [a](/lab/a)\n", ""},
	{"in a point of a list", "- a point\n\n  [a](/lab/a)\n", ""},
	{"in a quotation", "> [a](/lab/a)\n", ""},
	{"in a footnote", "Text.[^1]\n\n[^1]: A note.\n\n    [a](/lab/a)\n", ""},
	{"in code", "```\n\n[a](/lab/a)\n\n```\n", ""},
	{"in code that is set in", " ```\n\n[a](/lab/a)\n\n ```\n", ""},
	{"in code with other fences within", "~~~\n```\n\n[a](/lab/a)\n\n~~~\n", ""},
	{"in code that never ends", "```\n\n[a](/lab/a)\n", ""},
	{"in code within code", "````\n```\n\n[a](/lab/a)\n\n```\n````\n", ""},
	{"in a comment", "<!--\n\n[a](/lab/a)\n\n-->\n", ""},
	{"in a script", "<script>\n\n[a](/lab/a)\n\n</script>\n", ""},
	{"in what may be code of a list", "- a point\n  ```\nno code\n```\n\n[a](/lab/a)\n", ""},
	{"in what may be code below a tag", "<b>\n~~~\n\ntext\n~~~\n\n[a](/lab/a)\n", ""},
	{"after a tag", "<b>\n\n[a](/lab/a)\n", "a"},
	{"below what only looks empty", "Text.\n\f\n[a](/lab/a)\n", ""},
	{"a title", `[a](/lab/a "Title")`, ""},
	{"a fragment", "[a](/lab/a#what)", ""},
	{"a run of its own", "[a](/lab/a?run=abcdefghij)", ""},
	{"no slug", "[a](/lab/)", ""},
	{"the lab itself", "[a](/lab)", ""},
	{"letters that no slug has", "[a](/lab/A_b)", ""},
	{"something below it", "[a](/lab/a/run)", ""},
	{"another site", "[a](https://example.org/lab/a)", ""},
	{"brackets without a name", "<http://localhost/lab/a>", ""},
	{"no label", "[](/lab/a)", ""},
	{"a blank label", "[ \t](/lab/a)", ""},
	{"a picture", "![a](/lab/a)", ""},
	{"a footnote's sign", "[^1](/lab/a)\n\n[^1]: A note.", ""},
	{"the sign of a callout in a quotation", "> [!note](/lab/a)", ""},
	{"a link in the label", "[a [b](/c)](/lab/a)", ""},
	{"an address in the label", "[a <https://example.org>](/lab/a)", ""},
	{"a definition", "[a]: /lab/a\n\n[a]\n", ""},
}

func shown(doc markdown.Document) []string {
	var slugs []string
	for _, e := range doc.Embeds {
		slugs = append(slugs, e.Experiment)
	}
	return slugs
}

func TestEmbeds_areTheSameToTheDatabaseAndToTheReader(t *testing.T) {
	for _, e := range embeds {
		t.Run(e.says, func(t *testing.T) {
			want := strings.Fields(e.want)
			if got := school.Experiments(e.text); !slices.Equal(got, want) {
				t.Errorf("the database has %q, want %q", got, want)
			}
			doc := renderer.Render(e.text)
			if got := shown(doc); !slices.Equal(got, want) {
				t.Errorf("the reader sees %q, want %q\n%s", got, want, doc.HTML)
			}
			for _, embed := range doc.Embeds {
				part := doc.HTML[embed.From:embed.To]
				if !strings.HasPrefix(part, `<p data-experiment="`+embed.Experiment+`"><a href="/lab/`+embed.Experiment+`">`) || !strings.HasSuffix(part, "</a></p>\n") || strings.Count(part, "<p") != 1 {
					t.Errorf("%s lies at %q", embed.Experiment, part)
				}
			}
		})
	}
}

func TestEmbeds_haveTheLevelBelowTheHeadingBefore(t *testing.T) {
	doc := renderer.Render("[a](/lab/a)\n\n## One\n\n[b](/lab/b)\n\n### Two\n\n[c](/lab/c)\n\n## Three\n\n[d](/lab/d)\n")
	var got []int
	for _, e := range doc.Embeds {
		got = append(got, e.Level)
	}
	if want := []int{2, 3, 4, 3}; !slices.Equal(got, want) {
		t.Errorf("levels %v, want %v", got, want)
	}
}

func TestEmbeds_cannotBeForged(t *testing.T) {
	for _, src := range []string{
		`<p data-experiment="a">x</p>`, "`<p data-experiment=\"a\">`", "![<p data-experiment=\"a\">](/x.svg)", "[&lt;p data-experiment=\"a\"&gt;](/lab/a)",
		"<p data-experiment=\"a\">\n\n[a](/lab/a)\n\n</p>",
	} {
		for _, e := range renderer.Render(src).Embeds {
			doc := renderer.Render(src)
			if !strings.HasPrefix(doc.HTML[e.From:], `<p data-experiment="a"><a href="/lab/a">`) {
				t.Errorf("%q: %q", src, doc.HTML[e.From:e.To])
			}
		}
	}
}

// FuzzEmbeds looks for a text of which the database and the reader have different
// opinions. Only what is shown as it was typed embeds nothing whatever it says.
func FuzzEmbeds(f *testing.F) {
	for _, e := range embeds {
		f.Add(e.text)
		f.Add(e.text + "\n\n[z](/lab/z)\n\n")
	}
	f.Fuzz(func(t *testing.T, src string) {
		doc := renderer.Render(src)
		if strings.Contains(doc.HTML, `aria-label="Text as it was typed"`) {
			return
		}
		if want, got := school.Experiments(src), shown(doc); !slices.Equal(got, want) {
			t.Errorf("the database has %q, the reader sees %q\n%s", want, got, doc.HTML)
		}
	})
}
