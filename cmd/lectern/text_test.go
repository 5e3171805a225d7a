package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"lectern/db/school"
)

// watchful has each page keep what it was kept from doing by its content policy, and
// each dialog that it wanted to open.
func watchful(ctx context.Context) error {
	_, err := chromedp.Call(ctx, cdp.AddScriptToEvaluateOnNewDocument, cdp.AddScriptToEvaluateOnNewDocumentParams{Source: `
		globalThis.happened = [];
		addEventListener("securitypolicyviolation", (e) => happened.push("broke " + e.violatedDirective));
		globalThis.alert = (text) => happened.push("alert " + text);`})
	return err
}

// called is a demonstration in which Grace and Alan have such a name, and so has the
// course with this slug and its first lesson, whose address in the editor is returned.
func called(t *testing.T, d demo, slug, text string) (lesson string) {
	t.Helper()
	place, err := openSchool(t.Context(), storage{Data: d.data})
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	for _, email := range []school.Email{"grace@lectern.example", "alan@lectern.example"} {
		credential, err := place.CredentialByEmail(t.Context(), email)
		if err == nil {
			err = place.UpdateName(t.Context(), credential.User.ID, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	course, err := place.CourseBySlug(t.Context(), slug)
	if err != nil {
		t.Fatal(err)
	}
	chapters, err := place.Outline(t.Context(), course.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	grace := person(t, d.url, "grace@lectern.example")
	lesson = "/teach/lessons/" + string(chapters[0].Lessons[0].ID)
	sends(t, grace, d.url+"/teach/courses/"+slug, "title", text, "summary", text, "description", text, "learn", text, "topic", string(course.Topic), "level", string(course.Level), "version", strconv.Itoa(course.Version))
	sends(t, grace, d.url+"/teach/chapters/"+string(chapters[0].ID), "title", text)
	sends(t, grace, d.url+lesson, "title", text, "body", text, "kind", "reading", "version", "1")
	return lesson
}

// sends sends a form, which has to be taken.
func sends(t *testing.T, client *http.Client, address string, fields ...string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	response, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d", address, response.StatusCode)
	}
}

// TestBrowser_textIsShownAsText looks in a real browser at pages on which everything is
// called by a picture that would run something, also where scripts put the name there.
func TestBrowser_textIsShownAsText(t *testing.T) {
	t.Attr("asvs", "3.2.2")
	const text, slug = `<img src=x onerror=alert(1)>`, "sessions"
	d := startDemo(t)
	lesson := called(t, d, slug, text)
	b := d.open(t, watchful)
	shows := func(where string) {
		t.Helper()
		b.want(`document.querySelectorAll("[onerror], img[src='x']").length + " " + document.body.innerText.includes(`+strconv.Quote(text)+`) + " " + happened.join()`, "0 true ")
		b.quiet(where)
	}
	look := func(path string) {
		t.Helper()
		b.visit(path)
		shows(path)
	}
	look("/courses")
	look("/courses/" + slug)
	b.signIn("alan")
	for _, path := range []string{"/account", "/admin/users?q=img", "/admin/audit", "/teach/courses/" + slug} {
		look(path)
	}
	b.loseSession()
	b.signIn("grace")
	for _, path := range []string{"/", "/teach", "/teach/courses/" + slug, "/courses/" + slug, lesson} {
		look(path)
	}

	// The editor writes into its own page: the title, what readers will see, and who
	// has saved meanwhile.
	const other = `<svg onload=alert(2)><b>`
	b.do(chromedp.SetValue(chromedp.CSS(`[name="title"]`), other))
	b.write("\n\n`" + other + "` " + other + " [x](javascript:alert(3))")
	b.says("[data-preview]", other)
	b.do(chromedp.Click(chromedp.CSS("[data-save]")))
	b.says("[data-state]", "Saved at")
	b.says("h1", other)
	sends(t, person(t, d.url, "alan@lectern.example"), d.url+lesson, "title", text, "body", text, "kind", "reading", "version", "3")
	b.write(" More.")
	b.do(chromedp.Click(chromedp.CSS("[data-save]")))
	b.says("[data-stale-text]", text+" saved this lesson meanwhile.")
	b.want(`document.querySelectorAll("main [onload], main svg:not(.i), [href^='javascript']").length + ""`, "0")
	shows("the editor")
}

// TestBrowser_noTextNamesAnElement writes a lesson in which everything is named after
// what scripts name. In a browser, an element with a name or an id is found under it as if
// it were a variable; no element that somebody wrote is found under any word of a script.
func TestBrowser_noTextNamesAnElement(t *testing.T) {
	t.Attr("asvs", "3.2.3")
	words := wordsOfScripts(t)
	var harmless, hostile strings.Builder
	for i, word := range words {
		fmt.Fprintf(&harmless, "## Heading %d\n\nA [link][%d] and a note[^%d].\n\n[%d]: /courses\n[^%d]: Words.\n\n", i, i, i, i, i)
		fmt.Fprintf(&hostile, "## %s\n\nA [link][%s] and a note[^%s].\n\n[%s]: /courses \"%s\"\n[^%s]: Words.\n\n", word, word, word, word, word, word)
		fmt.Fprintf(&hostile, "## Named {#%s name=%s}\n\n<a id=%s name=%s></a>\n\n<form name=%s><input name=%s></form>\n\n<img name=%s>\n\n", word, word, word, word, word, word, word)
	}
	d := startDemo(t)
	lesson := called(t, d, "sessions", "Called so")
	grace := person(t, d.url, "grace@lectern.example")
	b := d.open(t)
	b.signIn("grace")
	b.visit(lesson)
	read := b.read(`[...document.querySelectorAll("a[href*='/lessons/']")].map((a) => a.getAttribute("href")).find((href) => href.startsWith("/courses/sessions/"))`)
	// found are the words under which a page has an element, for itself and for each of
	// its forms, and how many elements of the text have a name or a word for an id.
	found := `(() => {
		const words = ` + fmt.Sprintf("%q", words) + `.map(String);
		const is = (v) => v instanceof Node || v instanceof HTMLCollection || v instanceof NodeList;
		const under = (o) => words.filter((word) => is(o[word])).join();
		const named = document.querySelectorAll(".prose [name], .prose form, .prose input").length;
		return [under(window), under(document), ...[...document.forms].map(under), named].join("\n");
	})()`
	found = strings.ReplaceAll(found, `" "`, `", "`)
	version := 2
	look := func(body string) (asRead, asEdited string) {
		sends(t, grace, d.url+lesson, "title", "Called so", "body", body, "kind", "reading", "version", strconv.Itoa(version))
		version++
		b.visit(read)
		asRead = b.read(found)
		b.visit(lesson)
		b.write(" More.")
		b.says("[data-preview]", "More.")
		asEdited = b.read(found)
		b.do(chromedp.Click(chromedp.CSS("[data-save]")))
		b.says("[data-state]", "Saved at")
		version++
		return asRead, asEdited
	}
	asRead, asEdited := look(harmless.String())
	hostileRead, hostileEdited := look(hostile.String())
	if hostileRead != asRead {
		t.Errorf("in the lesson is found\n%s\nand should be\n%s", hostileRead, asRead)
	}
	if hostileEdited != asEdited {
		t.Errorf("in the editor is found\n%s\nand should be\n%s", hostileEdited, asEdited)
	}
	b.quiet("a lesson full of names")
}

// wordsOfScripts are the words by which scripts name anything.
func wordsOfScripts(t *testing.T) (words []string) {
	t.Helper()
	files, err := filepath.Glob("../../assets/js/*.js")
	if err != nil || len(files) < 10 {
		t.Fatalf("there are %d scripts: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words = append(words, regexp.MustCompile(`[A-Za-z_$][\w$]*`).FindAllString(string(text), -1)...)
	}
	slices.Sort(words)
	return slices.Compact(words)
}
