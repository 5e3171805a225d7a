package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"lectern/handlers/session"
)

// TestInput_isDecodedOnce: what was encoded twice arrives encoded once, and nobody
// decodes it again. So nothing can hide from a check behind a second layer.
func TestInput_isDecodedOnce(t *testing.T) {
	t.Attr("asvs", "1.1.1")
	s := newSite(t, session.Memory)
	visitor := s.browser()
	for _, path := range []string{
		"/courses/%256bnots", "/courses/%256Bnots", "/%2563ourses/knots", "/courses/knots%252flessons%252fone-first", "/courses/knots/lessons/%256fne-first",
		"/courses/stars/%252e%252e/knots", "/covers/%256bnots.svg", "/assets/%252e%252e/go.mod", "/api/v1/courses/%256bnots", "/c/%254b7M3P", "/signin/with/%2567ithub",
	} {
		visitor.get(path).want(t, http.StatusNotFound)
	}

	const found = "A course about knots."
	visitor.get("/courses?q=%6bnots").want(t, http.StatusOK, found, `value="knots"`)
	visitor.get("/courses?q=%256bnots").want(t, http.StatusOK, `value="%6bnots"`).lacks(t, found)
	visitor.get("/api/v1/courses?q=%256bnots").want(t, http.StatusOK, `"total":0`)

	for _, next := range []string{"/courses/%252e%252e", "/courses/%2561ccount", "/courses?q=a%2520b%253Cb%253E", "/courses/%252fevil.example", "/courses/%25%32%66evil.example"} {
		page := visitor.get("/signin?next="+url.QueryEscape(next)).want(t, http.StatusOK)
		if got := between(page.body, `name="next" value="`, `"`); got != next {
			t.Errorf("on its way to %q somebody is led to %q", next, got)
		}
		if got := s.browser().post("/signin", "email", ada, "password", password, "next", next).want(t, http.StatusSeeOther); got.location != next {
			t.Errorf("on the way to %q somebody arrives at %q", next, got.location)
		}
	}

	// The form is decoded, and what it holds is text like any other.
	her := s.as(ada)
	for name, shown := range map[string]string{"%41da %3Cb%3E": "%41da %3Cb%3E", "&lt;b&gt; &#65;": "&amp;lt;b&amp;gt; &amp;#65;", `\u0041\x41`: `\u0041\x41`, "=?utf-8?q?=41?=": "=?utf-8?q?=41?="} {
		her.post("/account/profile", "name", name).want(t, http.StatusSeeOther)
		her.get("/account").want(t, http.StatusOK, `value="`+shown+`"`)
		if got := decoded[map[string]string](t, her.get("/api/v1/me"))["name"]; got != name {
			t.Errorf("the name %q became %q", name, got)
		}
	}
}
