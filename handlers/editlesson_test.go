package handlers_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
)

var lessonDesk = "/teach/lessons/" + string(fixedID("lesson-knotsone-first"))

// lessonForm is what the editor sends.
func lessonForm(body, version string) []string {
	return []string{"title", "Lesson one", "kind", "reading", "body", body, "version", version}
}

// postJSON sends a form as the editor's script does.
func (b *browser) postJSON(path string, fields ...string) answer {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
}

// into reads a JSON answer.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

var bodyField = regexp.MustCompile(`(?s)<textarea[^>]* name="body"[^>]*>(.*?)</textarea>`)

// typedBody is the lesson text as a browser would show it in the field: without
// the first line feed, and with the entities as characters.
func (a answer) typedBody(t *testing.T) string {
	t.Helper()
	m := bodyField.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("there is no field for the text\n%s", a.body)
	}
	return html.UnescapeString(strings.TrimPrefix(m[1], "\n"))
}

// awkward are texts that a careless form loses something of.
var awkward = map[string]string{
	"line ends":             "one\r\ntwo\r\n\r\nthree",
	"empty first lines":     "\n\nfirst",
	"300 kB":                strings.Repeat("A line of about thirty letters.\n", 10_000),
	"right to left":         "\u202eשלום\u202c עולם\nمرحبا",
	"the end of a textarea": "</textarea><script>alert(1)</script>",
	"entities":              "&lt;b&gt; &amp;amp; &quot;",
	"spaces at both ends":   "  x  \n ",
	"a space and a tab":     "\t",
}

func unix(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

func TestEditor_savesWhatWasTyped(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		g := s.as(grace)
		version := 1
		for what, text := range awkward {
			saved := g.post(lessonDesk, lessonForm(text, fmt.Sprint(version))...).want(t, http.StatusSeeOther)
			if got := g.get(saved.location).want(t, http.StatusOK).lacks(t, "<script>alert").typedBody(t); got != unix(text) {
				t.Errorf("%s: saved %.80q, came back %.80q", what, unix(text), got)
			}
			version++
		}
		g.post(lessonDesk, "title", "Only a title", "kind", "lab", "version", fmt.Sprint(version)).want(t, http.StatusSeeOther)
		if got := g.get(lessonDesk).typedBody(t); got == "" {
			t.Error("a form without a text has emptied the lesson")
		}
	})
}

func TestEditor_refusesWithTheTextKept(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	for what, text := range awkward {
		got := g.post(lessonDesk, "title", "", "kind", "poem", "body", text, "version", "1").
			want(t, http.StatusUnprocessableEntity, "A title is needed.", "Choose reading, quiz or lab.").typedBody(t)
		if got != unix(text) {
			t.Errorf("%s: typed %.80q, came back %.80q", what, unix(text), got)
		}
	}
	var problem struct{ Detail string }
	refused := g.postJSON(lessonDesk, "title", "", "kind", "reading", "body", "x", "version", "1").want(t, http.StatusUnprocessableEntity)
	refused.into(t, &problem)
	if !strings.Contains(problem.Detail, "A title is needed.") || refused.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a program is told %q", refused.body)
	}
	g.post(lessonDesk, lessonForm(strings.Repeat("x", school.MaxBody+1), "1")...).want(t, http.StatusUnprocessableEntity, "at most 400000 characters")
}

func TestEditor_previewIsWhatReadersSee(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	text := "Some **bold** words.\n\n<script>alert(1)</script>"
	fragment := g.post("/teach/preview", "body", text).want(t, http.StatusOK, "<strong>bold</strong>").lacks(t, "<script", "<html")
	if fragment.header.Get("Lectern-Words") == "" || fragment.header.Get("Lectern-Minutes") != "1" {
		t.Errorf("the preview does not say how long the text is: %v", fragment.header)
	}
	shown := g.post(lessonDesk, append(lessonForm(text, "1"), "do", "preview")...).want(t, http.StatusOK, strings.TrimSpace(fragment.body), "Not saved yet", "data-unsaved")
	if got := shown.typedBody(t); got != text {
		t.Errorf("the preview gives %q back", got)
	}
	g.get(lessonDesk).want(t, http.StatusOK).lacks(t, "<strong>bold</strong>")
}

func TestEditor_twoPeopleLoseNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		g, a := s.as(grace), s.as(alan)
		a.post(lessonDesk, lessonForm("same\nAlan’s line\nsame too", "1")...).want(t, http.StatusSeeOther)

		for what, text := range awkward {
			got := g.post(lessonDesk, lessonForm(text, "1")...).want(t, http.StatusConflict, "Alan’s line", "Save mine over theirs").typedBody(t)
			if got != unix(text) {
				t.Errorf("%s: typed %.80q, came back %.80q", what, unix(text), got)
			}
		}
		g.post(lessonDesk, lessonForm("same\nGrace’s line\nsame too", "1")...).
			want(t, http.StatusConflict, "<bdi>Alan Mathison</bdi>", "Only in yours", "Grace’s line", "Only in theirs", "Alan’s line", "1 line is the same", `name="version" value="2"`)

		var stale struct {
			Version         int
			Title, Body, By string
		}
		g.postJSON(lessonDesk, lessonForm("Grace’s", "1")...).want(t, http.StatusConflict).into(t, &stale)
		if stale.Version != 2 || stale.Body != "same\nAlan’s line\nsame too" || stale.Title != "Lesson one" || stale.By != "Alan Mathison" {
			t.Errorf("a program is told %+v", stale)
		}
		g.get(lessonDesk).want(t, http.StatusOK, "Alan’s line").lacks(t, "Grace’s line")
		g.post(lessonDesk, lessonForm("same\nGrace’s line\nsame too", "2")...).want(t, http.StatusSeeOther)
		g.get(lessonDesk).want(t, http.StatusOK, "Grace’s line").lacks(t, "Alan’s line")
		for _, version := range []string{"", "x", "-1", "999", "99999999999999999999"} {
			g.post(lessonDesk, lessonForm("Grace’s", version)...).want(t, http.StatusConflict, "Grace’s")
		}
	})
}

func TestEditor_answersItsScript(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		g := s.as(grace)
		var saved struct {
			Version int
			SavedAt time.Time `json:"saved_at"`
			Readers string
		}
		g.postJSON(lessonDesk, lessonForm("New text.", "1")...).want(t, http.StatusOK).into(t, &saved)
		if saved.Version != 2 || !saved.SavedAt.Equal(s.clock.Now()) || !strings.Contains(saved.Readers, "joined") {
			t.Errorf("saving answers %+v", saved)
		}
		s.clock.move(2 * time.Hour)
		lapsed := g.postJSON(lessonDesk, lessonForm("Typed while the session ended.", "2")...).want(t, http.StatusUnauthorized)
		if lapsed.header.Get("WWW-Authenticate") == "" || lapsed.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("a lapsed session answers %v", lapsed.header)
		}
		g.postJSON("/signin", "email", grace, "password", "not at all what it is").want(t, http.StatusUnprocessableEntity)
		g.postJSON("/signin", "email", grace, "password", password).want(t, http.StatusNoContent)
		g.postJSON(lessonDesk, lessonForm("Typed while the session ended.", "2")...).want(t, http.StatusOK)
		g.get(lessonDesk).want(t, http.StatusOK, "Typed while the session ended.")
	})
}

var hiddenField = regexp.MustCompile(`(?s)<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// hidden are the hidden fields of the first form in a page's main part, as a
// browser would send them: with the line ends of forms.
func (a answer) hidden() []string {
	var fields []string
	first, _, _ := strings.Cut(a.main(), "</form>")
	for _, m := range hiddenField.FindAllStringSubmatch(first, -1) {
		fields = append(fields, html.UnescapeString(m[1]), strings.ReplaceAll(unix(html.UnescapeString(m[2])), "\n", "\r\n"))
	}
	return fields
}

// TestEditor_sessionEndsUnderTheText goes the way without scripts: the form is
// sent, the session has ended, sign in, look at the text, and send it again.
func TestEditor_sessionEndsUnderTheText(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		version := 1
		for what, text := range awkward {
			g := s.as(grace)
			s.clock.move(2 * time.Hour)
			refused := g.post(lessonDesk, append(lessonForm(text, fmt.Sprint(version)), "do", "publish")...).
				want(t, http.StatusUnauthorized, "What you sent is safe").lacks(t, "<script>alert")
			if what == "line ends" { // a wrong password in between loses nothing either
				refused = g.post("/signin", append(refused.hidden(), "email", grace, "password", "not at all what it is")...).want(t, http.StatusUnprocessableEntity)
			}
			back := g.post("/signin", append(refused.hidden(), "email", grace, "password", password)...).
				want(t, http.StatusOK, "your text is here", ">Lesson text, Markdown</label>", ">Title</label>", `action="`+lessonDesk+`"`).lacks(t, "<script>alert")
			got := back.typedBody(t)
			if got != unix(text) {
				t.Errorf("%s: sent %.80q, came back %.80q", what, unix(text), got)
			}
			g.post(lessonDesk, append(back.hidden(), "title", "Lesson one", "body", strings.ReplaceAll(got, "\n", "\r\n"))...).want(t, http.StatusSeeOther)
			if got := g.get(lessonDesk).typedBody(t); got != unix(text) {
				t.Errorf("%s: sent %.80q, saved %.80q", what, unix(text), got)
			}
			version++
		}
	})
}

func TestEditor_saysTruthfullyWhoReads(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	second := "/teach/lessons/" + string(fixedID("lesson-knotsone-second"))
	g.get(second).want(t, http.StatusOK, "nobody has joined the course yet")
	must(t, s.db.Join(t.Context(), fixedID("ada"), fixedID("course-knots"), s.clock.Now()))
	must(t, s.db.Join(t.Context(), fixedID("bea"), fixedID("course-knots"), s.clock.Now()))
	g.get(lessonDesk).want(t, http.StatusOK, "2 students see this, and everybody else can.")
	g.get(second).want(t, http.StatusOK, "2 students see this. What you save, they see at once.")
	g.post(second+"/unpublish").want(t, http.StatusSeeOther)
	g.get(second).want(t, http.StatusOK, "A draft: only those who edit this course see it.", "Save and publish")
	g.get("/teach/lessons/"+string(fixedID("lesson-sailsone-second"))).want(t, http.StatusOK, "in a course that is a draft")
	done := g.post(second, append(lessonForm("New.", "1"), "do", "publish")...).want(t, http.StatusSeeOther)
	g.get(done.location).want(t, http.StatusOK, "The lesson is published.", "New.", "Save and make it a draft")
	var saved struct{ Readers string }
	g.postJSON(second, append(lessonForm("Newer.", "2"), "do", "unpublish")...).want(t, http.StatusOK).into(t, &saved)
	if !strings.Contains(saved.Readers, "draft") {
		t.Errorf("the script is told of a draft that its readers are %q", saved.Readers)
	}
}

// What fails is not half saved: the page that says so tells the truth.
func TestEditor_savesAndPublishesAtOnce(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	g.post(lessonDesk+"/unpublish").want(t, http.StatusSeeOther)
	_, err := s.db.Writer().Exec("CREATE TRIGGER refuse BEFORE UPDATE OF visible ON lessons BEGIN SELECT RAISE(ABORT, 'refused'); END")
	must(t, err)
	g.post(lessonDesk, append(lessonForm("Half of it.", "1"), "do", "publish")...).want(t, http.StatusInternalServerError)
	g.get(lessonDesk).want(t, http.StatusOK, "Save and publish").lacks(t, "Half of it.")
	g.post(lessonDesk, append(lessonForm("Whole.", "1"), "do", "save")...).want(t, http.StatusSeeOther)
}

func TestEditor_deletedUnderTheTextGivesItBack(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	s.as(alan).post(lessonDesk+"/delete").want(t, http.StatusSeeOther)
	g.post(lessonDesk, lessonForm("A long text\nthat should not be lost.", "1")...).want(t, http.StatusNotFound, "that should not be lost.", "What you wrote is still here")
}
