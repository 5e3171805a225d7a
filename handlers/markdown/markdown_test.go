package markdown_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/handlers/markdown"
)

var update = flag.Bool("update", false, "write the golden files anew")

// renderer is shared, as on the site.
var renderer = markdown.New()

func TestRender_golden(t *testing.T) {
	sources, err := filepath.Glob("testdata/*.md")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		t.Run(strings.TrimSuffix(filepath.Base(source), ".md"), func(t *testing.T) {
			src, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			got := renderer.Render(string(src)).HTML
			if err := check(got); err != nil {
				t.Error(err)
			}
			golden := strings.TrimSuffix(source, ".md") + ".html"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", source, got, want)
			}
		})
	}
}

func TestRender_contents(t *testing.T) {
	src, err := os.ReadFile("testdata/headings.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []markdown.Heading{
		{Level: 2, ID: "h-begins-too-deep", Text: "Begins too deep"},
		{Level: 3, ID: "h-skips-a-level", Text: "Skips a level"},
		{Level: 4, ID: "h-begins-too-deep-2", Text: "Begins too deep"},
		{Level: 2, ID: "h-largest", Text: "Largest"},
		{Level: 2, ID: "h-largest-2", Text: "Largest"},
		{Level: 3, ID: "h-größe-naïve-quoted", Text: "Größe, naïve & “quoted”"},
		{Level: 3, ID: "h-main", Text: "main"},
		{Level: 3, ID: "h-alone", Text: "alone"},
		{Level: 3, ID: "h-setext", Text: "Setext"},
	}
	got := renderer.Render(string(src)).Contents
	if len(got) != len(want) {
		t.Fatalf("got %d headings, want %d: %v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("heading %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func TestRender_idsAreUniqueHoweverTheyAreChosen(t *testing.T) {
	src := "# a\n# a\n# a 2\n# a-2\n# a 3\n# a\n"
	seen := map[string]bool{}
	for _, h := range renderer.Render(src).Contents {
		if seen[h.ID] {
			t.Errorf("%s is there twice", h.ID)
		}
		seen[h.ID] = true
	}
	if len(seen) != 6 {
		t.Errorf("got %d ids, want 6", len(seen))
	}
}

func TestRender_minutes(t *testing.T) {
	for _, tt := range []struct {
		name           string
		src            string
		words, minutes int
	}{
		{"nothing takes a minute", "", 0, 1},
		{"signs are no words", "– & … ***", 0, 1},
		{"200 words are one minute", strings.Repeat("word ", 200), 200, 1},
		{"201 words are two", strings.Repeat("word ", 201), 201, 2},
		{"mark-up does not cut words", "un*frozen*ly don't `a b`", 4, 1},
		{"everything that is read counts", "# one\n\n> [!note] two\n> three\n\n|four|\n|-|\n|five|\n\n- six[^1]\n\n[^1]: seven\n\n```\neight\n```\n", 8, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := renderer.Render(tt.src)
			if got.Words != tt.words || got.Minutes != tt.minutes {
				t.Errorf("got %d words in %d minutes, want %d in %d", got.Words, got.Minutes, tt.words, tt.minutes)
			}
		})
	}
}

func TestRender_icons(t *testing.T) {
	r := markdown.New(markdown.WithIcons(func(name string) string { return "<svg class=\"i\"><!--" + name + "--></svg>" }))
	got := r.Render("> [!tip] T\n> text[^1]\n\n> [!try] Steps\n\n[^1]: note\n\n`<i data-icon=\"up\"></i>` <i data-icon=\"up\"></i>").HTML
	if n := strings.Count(got, "<svg"); n != 3 {
		t.Errorf("got %d icons, want those of the tip and of the steps and that of the way back:\n%s", n, got)
	}
	for _, name := range []string{"tip", "try", "up"} {
		if !strings.Contains(got, "<!--"+name+"-->") {
			t.Errorf("no icon %q in:\n%s", name, got)
		}
	}
}

func TestRender_manyAtOnce(t *testing.T) {
	src, err := os.ReadFile("testdata/code.md")
	if err != nil {
		t.Fatal(err)
	}
	want := renderer.Render(string(src)).HTML
	var wg sync.WaitGroup
	// Many more than there are processors would run out of time for colours.
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if got := renderer.Render(string(src)).HTML; got != want {
					t.Error("two readers of one lesson see different pages")
				}
			}
		})
	}
	wg.Wait()
}

// Each of these takes the parser alone from seconds to minutes.
func TestRender_hostileTextTakesNoTime(t *testing.T) {
	const n = 100_000
	for name, src := range map[string]string{
		"brackets":                strings.Repeat("[", n),
		"links never closed":      strings.Repeat("[a](", n/4),
		"brackets in brackets":    strings.Repeat("[", n/2) + strings.Repeat("]", n/2),
		"links in a heading":      "# " + strings.Repeat("[a](", n/4),
		"links in an old heading": strings.Repeat("[a](", n/4) + "\n===\n",
		"quotations":              strings.Repeat(">", n),
		"quotations, two lines":   strings.Repeat("> ", n/2) + "a\nb\n",
		"lists in one line":       strings.Repeat("1. ", n/3),
		"lists line by line":      stairs(n),
		"asterisks":               strings.Repeat("*", n),
		"emphasis":                strings.Repeat("*a_", n/3),
		"backticks":               strings.Repeat("`", n),
		"backticks apart":         strings.Repeat("`a", n/2),
		"cells in one row":        strings.Repeat("|", n) + "\n" + strings.Repeat("|-", n),
		"short rows":              "|" + strings.Repeat("a|", 50) + "\n|" + strings.Repeat("-|", 50) + "\n" + strings.Repeat("|\n", n/2),
		"footnotes in footnotes":  strings.Repeat("[^a]:", n/5),
		"footnote references":     "[^1]: x\n\n" + strings.Repeat("[^1]", n/4),
		"headings":                strings.Repeat("# a\n", n/4),
		"tags":                    strings.Repeat("<a ", n/3),
		"fences":                  strings.Repeat("```go\nx\n```\n", n/12),
		"code that backtracks":    "```rust\n" + strings.Repeat("r#\"", n/6),
		"more than fits":          strings.Repeat("word ", n*2),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			got := renderer.Render(src).HTML
			// A hundred times what it takes, and a tenth of what it took.
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %s", d)
			}
			if err := check(got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRender_whatIsTooMuchIsShownAsItWasTyped(t *testing.T) {
	const typed = "as it was typed"
	for _, tt := range []struct {
		name, src, want string
		most            int // bytes
	}{
		{"a text too long", strings.Repeat("word ", 110_000), typed, 1 << 20},
		{"containers too deep", strings.Repeat("> ", 41) + "x", typed, 1000},
		{"containers deep enough", strings.Repeat("> ", 40) + "x", "<blockquote>", 2000},
		{"lists too deep", strings.Repeat(" ", 161) + "- x", typed, 1000},
		{"too many footnotes", strings.Repeat("[^a]: x\n\n", 1001), typed, 1 << 20},
		{"a tangled paragraph", strings.Repeat("[a](", 5000), "<p>[a]([a](", 1 << 20},
		{"a tangled heading", "# " + strings.Repeat("[a](", 5000), "<p>[a]([a](", 1 << 20},
		{"a tangled heading of two lines", strings.Repeat("[a](", 5000) + "\n===", "<p>[a]([a](", 1 << 20},
		{"a table of short rows", strings.Repeat("|a", 50) + "\n" + strings.Repeat("|-", 50) + "\n" + strings.Repeat("|\n", 50_000), "<p>|a|a", 1 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := renderer.Render(tt.src).HTML
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %.200s, want %q in it", got, tt.want)
			}
			if len(got) > tt.most {
				t.Errorf("got %d bytes, want at most %d", len(got), tt.most)
			}
			if err := check(got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRender_tagsInTextThatIsTooLong(t *testing.T) {
	got := renderer.Render(strings.Repeat("<script>alert(1)</script>", 30_000)).HTML
	if err := check(got); err != nil {
		t.Error(err)
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	return b.String()
}

func TestRender_oneTangleLeavesTheRestAlone(t *testing.T) {
	got := renderer.Render("## Before\n\n" + strings.Repeat("[a](", 5000) + "\n\n*after*\n").HTML
	if !strings.Contains(got, "<h2") || !strings.Contains(got, "<em>after</em>") || !strings.Contains(got, "[a]([a](") {
		t.Errorf("got %.200s … %s", got, got[len(got)-100:])
	}
}

func BenchmarkRender(b *testing.B) {
	src := lesson(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		renderer.Render(src)
	}
	b.ReportMetric(float64(renderer.Render(src).Words), "words")
}

// lesson is a text of about 1,000 words with a bit of everything.
func lesson(tb testing.TB) string {
	var b strings.Builder
	for _, name := range []string{"prose", "callouts", "code", "tables", "footnotes", "figures"} {
		src, err := os.ReadFile("testdata/" + name + ".md")
		if err != nil {
			tb.Fatal(err)
		}
		b.Write(src)
		b.WriteString("\n\n")
		for range 3 {
			b.WriteString(strings.Repeat("The server looks the number up, and if there is a row you are *signed in*. ", 3) + "\n\n")
		}
	}
	return b.String()
}
