package markdown_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"lectern/handlers/markdown"
)

// harmless are the elements that a lesson may consist of. The list is written
// out again here, because a test that shares it with the code agrees with it.
var harmless = strings.Fields(`p br hr em strong b i small del code sup blockquote ul ol li figure figcaption img a
	h2 h3 h4 h5 h6 aside section div span pre table thead tbody tr th td`)

var harmlessAttributes = strings.Fields(`id class href rel src alt loading role aria-label tabindex scope start
	data-kind data-icon data-backend data-size data-experiment`)

var ourID = regexp.MustCompile(`^(h-[\p{L}\p{Nd}-]+|fn-\d+|fnref-\d+(-\d+)?)$`)

// check reads HTML as a browser would and says what is wrong with it.
func check(s string) error {
	var open []string
	ids := map[string]bool{}
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				return fmt.Errorf("never closed: %v", open)
			}
			return nil
		case html.CommentToken, html.DoctypeToken:
			return fmt.Errorf("not content: %s", z.Raw())
		case html.StartTagToken:
			token := z.Token()
			if err := checkTag(token, open, ids); err != nil {
				return err
			}
			if token.Data != "br" && token.Data != "hr" && token.Data != "img" {
				open = append(open, token.Data)
			}
		case html.SelfClosingTagToken:
			return fmt.Errorf("self-closing: %s", z.Raw())
		case html.EndTagToken:
			token := z.Token()
			if len(open) == 0 || open[len(open)-1] != token.Data {
				return fmt.Errorf("</%s> closes nothing in %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func checkTag(token html.Token, open []string, ids map[string]bool) error {
	if !slices.Contains(harmless, token.Data) {
		return fmt.Errorf("element %s", token)
	}
	if token.Data == "a" && slices.Contains(open, "a") {
		return fmt.Errorf("link in a link: %s", token)
	}
	for _, a := range token.Attr {
		if !slices.Contains(harmlessAttributes, a.Key) {
			return fmt.Errorf("attribute %s in %s", a.Key, token)
		}
		switch a.Key {
		case "id":
			if !ourID.MatchString(a.Val) || ids[a.Val] {
				return fmt.Errorf("id %q", a.Val)
			}
			ids[a.Val] = true
		case "src":
			if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") || strings.Contains(a.Val, "\\") {
				return fmt.Errorf("picture from %q", a.Val)
			}
		case "href":
			// Browsers drop these before they look for the scheme.
			bare := strings.Map(func(r rune) rune {
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val)
			u, err := url.Parse(bare)
			if err != nil || bare != a.Val {
				return fmt.Errorf("link to %q", a.Val)
			}
			if !slices.Contains([]string{"", "http", "https", "mailto"}, strings.ToLower(u.Scheme)) || u.Scheme == "" && u.Host != "" {
				return fmt.Errorf("link to %q", a.Val)
			}
		}
	}
	return nil
}

func TestRender_attacks(t *testing.T) {
	t.Attr("asvs", "1.3.5")
	for _, tt := range []struct{ name, src string }{
		{"a script", "<script>alert(1)</script>"},
		{"a script in a line", "a <script>alert(1)</script> b"},
		{"a script never closed", "text <script src=//evil.example/x.js"},
		{"an event", `<img src=x onerror=alert(1)>`},
		{"an event in a line", `a <b onmouseover="alert(1)">b</b>`},
		{"a style", `<p style="position:fixed">x</p><style>*{display:none}</style>`},
		{"an iframe", `<iframe srcdoc="<script>alert(1)</script>"></iframe>`},
		{"a form", `<form action=/account/password><input name=new><button>x</button></form>`},
		{"an svg", `<svg onload=alert(1)><animate onbegin=alert(1)></svg>`},
		{"math and svg confusion", `<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`},
		{"a meta refresh", `<meta http-equiv=refresh content="0;url=//evil.example">`},
		{"a base", `<base href=//evil.example/>`},
		{"srcset", `<img srcset="//evil.example/x 1x" src=/x>`},
		{"a comment", `<!-- --><script>alert(1)</script> -->`},
		{"javascript", `[x](javascript:alert(1))`},
		{"javascript in capitals", `[x](JaVaScRiPt:alert(1))`},
		{"javascript with an entity", `[x](javascript&colon;alert(1))`},
		{"javascript in numbers", `[x](&#106;avascript:alert(1)) [x](&#x6A;avascript:alert(1))`},
		{"javascript after a space", `[x](<  javascript:alert(1)>)`},
		{"javascript with a tab", "[x](<java\tscript:alert(1)>) [x](java&Tab;script:alert(1)) [x](java&NewLine;script:alert(1))"},
		{"javascript after a control character", "[x](\x01javascript:alert(1)) [x](&#1;javascript:alert(1))"},
		{"javascript with backslashes", `[x](java\script:alert(1)) [x](javascript\:alert(1))`},
		{"javascript in an autolink", `<javascript:alert(1)>`},
		{"javascript in a reference", "[x]\n\n[x]: javascript:alert(1)"},
		{"javascript in a picture", `![x](javascript:alert(1))`},
		{"vbscript", `[x](vbscript:msgbox)`},
		{"data", `[x](data:text/html,<script>alert(1)</script>) <data:text/html,x>`},
		{"data in a picture", `![x](data:image/svg+xml,<svg/onload=alert(1)>)`},
		{"file and blob", `[x](file:///etc/passwd) [x](blob:https://a/b)`},
		{"another host by two slashes", `[x](//evil.example) ![x](//evil.example/x.gif)`},
		{"another host by backslashes", `[x](/\evil.example) [x](\\evil.example) ![x](/\evil.example/x.gif)`},
		{"another host by a tab", "[x](</\t/evil.example>) ![x](</\t/evil.example>)"},
		{"out of an attribute by a picture's text", `![" onerror="alert(1)](/x.png)`},
		{"out of an attribute by a title", `![x](/x.png "\" onerror=\"alert(1)")` + "\n\n" + `[x](/y '" onclick="alert(1)')`},
		{"out of an attribute by an address", `[x](/a"onclick="alert(1)) ![x](</x" onerror="alert(1)>)`},
		{"an info string", "```go\" onclick=\"alert(1)\nx\n```"},
		{"an info string with tags", "```<script>\nx\n```"},
		{"code with tags", "```html\n<script>alert(1)</script>\n```\n\n    <script>\n\n`<script>`"},
		{"a callout's title", `> [!note] <img src=x onerror=alert(1)> [x](javascript:alert(1))`},
		{"a callout's kind", `> [!note" onclick="alert(1)] x`},
		{"a footnote's label", "x[^\"><script>]\n\n[^\"><script>]: y"},
		{"a footnote's text", "x[^1]\n\n[^1]: <script>alert(1)</script> [y](javascript:alert(1))"},
		{"a wristband", "```wristband caption=\"<script>alert(1)</script>\"\n<b onclick=x>: <script>\n\"> : \"><script>\na: b\n```"},
		{"a ticket", "```ticket caption=\"&lt;script&gt;\"\nnumber: \"><script>\ntitle: <b>\ntext: <i>\n```"},
		{"a heading that takes a name", "# main\n\n# getElementById\n\n# \" onclick=\"x\n\n# <a name=cookie>"},
		{"attributes in the manner of other tools", "# x {#main onclick=alert(1)}\n\n[x](/y){onclick=alert(1)}"},
		{"a table's heads", "|<script>|\"><b onclick=x>|\n|-|-|\n|<script>|[x](javascript:x)|"},
		{"a link in a link", `[a [b](/b) c](/d) [![x](https://e.example/x.gif)](/y) [<https://e.example>](/z) [a[^1]](/q)` + "\n\n[^1]: n"},
		{"an icon", `<i data-icon="up"></i>`},
		{"bytes that are no text", "\xff\xfe<\x00script>\x80"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Everywhere that a line can stand.
			for _, src := range []string{
				tt.src,
				"> " + strings.ReplaceAll(tt.src, "\n", "\n> "),
				"- " + strings.ReplaceAll(tt.src, "\n", "\n  "),
				"> [!tip] " + strings.ReplaceAll(tt.src, "\n", "\n> "),
				"## " + tt.src,
				"x[^z]\n\n[^z]: " + strings.ReplaceAll(tt.src, "\n", "\n    "),
				"|a|\n|-|\n|" + tt.src + "|",
				"**" + tt.src + "** ~~" + tt.src,
			} {
				if got := renderer.Render(src).HTML; check(got) != nil {
					t.Errorf("%q:\n%v\n%s", src, check(got), got)
				}
			}
		})
	}
}

// The last gate has to hold even when the writer before it does not.
func TestGate_letsThroughWhatALessonNeedsAndNothingElse(t *testing.T) {
	for _, src := range []string{
		`<script>alert(1)</script>`, `<style>*{}</style>`, `<iframe src="/x"></iframe>`, `<object data="/x"></object>`, `<form action="/x"></form>`,
		`<svg onload="x"></svg>`, `<math></math>`, `<input name="x">`, `<h1 id="h-x">x</h1>`, `<template></template>`, `<link rel="x" href="/x">`,
		`<p onclick="x" style="x" id="main" name="x" class="alarm">x</p>`, `<h2 id="main">x</h2>`, `<h2 id="h-">x</h2>`, `<p id="fn-x">x</p>`,
		`<a href="javascript:x">x</a>`, `<a href="JAVASCRIPT:x">x</a>`, `<a href="java&#9;script:x">x</a>`, `<a href="data:text/html,x">x</a>`,
		`<a href="/x" target="_blank" onclick="x" name="x" id="h-x" download>x</a>`,
		`<img src="https://example.org/x">`, `<img src="//example.org/x">`, `<img src="/\example.org/x">`, `<img src="x">`,
		`<img src="data:image/svg+xml,x">`, `<img src="/x" srcset="/y 2x" onerror="x">`,
		`<div class="dialog" data-backend="x" role="alert" tabindex="1" contenteditable>x</div>`, `<aside role="alert" class="alarm">x</aside>`,
		`<pre role="button" onfocus="x" autofocus>x</pre>`, `<td colspan="9" class="x">x</td>`, `<!-- x -->`,
	} {
		if got := markdown.Gate(src); check(got) != nil || strings.Contains(got, "alert") || strings.Contains(got, "alarm") || strings.Contains(got, "dialog") {
			t.Errorf("%s:\n%v\n%s", src, check(got), got)
		}
	}
}

func TestRender_elementsLeftOpenStayWhereTheyAre(t *testing.T) {
	for _, tag := range []string{"<b>", "<div>", "</div>", "</article>", "<table>", "<a href=/x>", "<textarea>", "<title>", "<plaintext>", "<template>", "<!--", "<![CDATA[", "<?x", "<select>"} {
		for _, form := range []string{"%s", "a %s b", "> %s\n\nb", "- %s\n- b", "# %s", "|%s|\n|-|\n|%[1]s|", "[%s](/x)", "**%s**", "`%s", "x[^1]\n\n[^1]: %s", "> [!note] %s\n> %[1]s", "![%s](/x.svg \"%[1]s\")", "```%s\n%[1]s", "~~%s~~"} {
			src := fmt.Sprintf(form, tag)
			got := renderer.Render(src + "\n\nThe end.").HTML
			if err := check(got); err != nil {
				t.Errorf("%q: %v\n%s", src, err, got)
			}
		}
	}
}

func FuzzRender(f *testing.F) {
	sources, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, source := range sources {
		src, err := os.ReadFile(source)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	for _, s := range []string{
		"> [!note] [x](javascript:y)\n> - a[^1]\n\n[^1]: > b\n", "```wristband caption=\"\"\na: b\nc: d\ne: f\n```",
		"|a|\n|-:|\n|![x](/y)|", "[![a](//b)](/c)", "<a@b.c> <http://a> <javascript:a>", "[x]: data:y\n[x]", "&#x3c;script&#x3e;", "```go\nfunc \"`",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		doc := renderer.Render(src)
		if err := check(doc.HTML); err != nil {
			t.Errorf("%v\n%s", err, doc.HTML)
		}
		if doc.Minutes < 1 {
			t.Errorf("%d minutes", doc.Minutes)
		}
		for _, h := range doc.Contents {
			if h.Level < 2 || h.Level > 6 || !strings.Contains(doc.HTML, ` id="`+h.ID+`"`) {
				t.Errorf("heading %v leads nowhere", h)
			}
		}
	})
}
