// Package othersite is the attacker's place in the lab: a site of its own, at
// another address than the one that it attacks. It has one page, with a form on it
// that is addressed to the other's site. What a browser does with that form cannot be
// shown without a second origin.
//
// It knows nothing of the application: no session, no database, no shared page. It
// sets no cookie and keeps nothing.
package othersite

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed page.html page.css press.js
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Target is where the form is sent, on the site that is attacked. It is a real
// address that changes something: the visitor's name.
const Target = "/account/profile"

// Query names the attempt, in the address of the page and in that of the form. By
// it the attacked site finds out whose browser it was, since a cookie may be missing.
const Query = "attempt"

// IsAttempt reports whether a text can be the name of an attempt.
func IsAttempt(id string) bool {
	return len(id) == 26 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// New is the other site, whose form attacks victim.
func New(victim *url.URL) http.Handler {
	origin := url.URL{Scheme: victim.Scheme, Host: victim.Host}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { show(w, r, origin) })
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page.css") })
	mux.HandleFunc("GET /press.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "press.js") })
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; form-action " + origin.String() + "; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin") // what browsers do unasked: a form says its Origin
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func show(w http.ResponseWriter, r *http.Request, victim url.URL) {
	form, attempt := victim, r.URL.Query().Get(Query)
	form.Path = Target
	if IsAttempt(attempt) {
		form.RawQuery = url.Values{Query: {attempt}}.Encode()
	}
	var buffer bytes.Buffer
	err := page.Execute(&buffer, struct {
		Here, Victim, Form, Target, Back string
		Handed                           []string
	}{
		"http://" + r.Host, victim.String(), form.String(), victim.String() + Target, victim.String() + "/lab/post-from-another-site#in-browser", handed(r),
	})
	if err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(buffer.Bytes()) // whoever has gone does not miss it
}

// handed are the names of the attacked site's cookies that came with the visit. A
// port is no border for a cookie, so next door they do come. Their values are
// looked at by nobody.
func handed(r *http.Request) []string {
	var names []string
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(strings.TrimPrefix(cookie.Name, "__Host-"), "lectern-") && !slices.Contains(names, cookie.Name) {
			names = append(names, cookie.Name)
		}
	}
	return names
}
