package othersite_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"lectern/handlers/lab/othersite"
)

const attempt = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func ask(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	othersite.New(parsed(t, "http://localhost:8080")).ServeHTTP(w, r)
	return w
}

func TestOtherSite_servesItsPageAndNothingElse(t *testing.T) {
	for _, row := range []struct {
		method, path string
		status       int
		kind         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/page.css", 200, "text/css; charset=utf-8"},
		{"GET", "/press.js", 200, "text/javascript; charset=utf-8"},
		{"POST", "/", 405, ""},
		{"GET", "/page.html", 404, ""},
		{"GET", "/othersite.go", 404, ""},
		{"GET", "/account", 404, ""},
		{"GET", "/page.css/../../../etc/passwd", 307, ""},
	} {
		r := httptest.NewRequest(row.method, "http://127.0.0.1:8082"+row.path, nil)
		r.Header.Set("Origin", "http://localhost:8080")
		w := ask(t, r)
		if w.Code != row.status || row.kind != "" && w.Header().Get("Content-Type") != row.kind {
			t.Errorf("%s %s answers %d, %s", row.method, row.path, w.Code, w.Header().Get("Content-Type"))
		}
		for name, want := range map[string]string{
			"Content-Security-Policy":     "default-src 'none'; style-src 'self'; script-src 'self'; form-action http://localhost:8080; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":      "nosniff",
			"X-Frame-Options":             "DENY",
			"Cache-Control":               "no-store",
			"Set-Cookie":                  "",
			"Access-Control-Allow-Origin": "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s %s: %s is %q, want %q", row.method, row.path, name, got, want)
			}
		}
	}
}

func TestOtherSite_addressesItsFormToTheOther(t *testing.T) {
	for query, want := range map[string]string{
		"":                             `action="http://localhost:8080/account/profile"`,
		"?attempt=" + attempt:          `action="http://localhost:8080/account/profile?attempt=` + attempt + `"`,
		"?attempt=short":               `action="http://localhost:8080/account/profile"`,
		"?attempt=%22%3E%3Cscript%3Ex": `action="http://localhost:8080/account/profile"`,
	} {
		page := ask(t, httptest.NewRequest("GET", "http://127.0.0.1:8082/"+query, nil)).Body.String()
		if !strings.Contains(page, want) || strings.Contains(page, "<script>") {
			t.Errorf("%s lacks %s:\n%s", query, want, page)
		}
	}
}

func TestOtherSite_tellsTheNamesOfCookiesAndNoValue(t *testing.T) {
	r := httptest.NewRequest("GET", "http://localhost:8082/", nil)
	r.Header.Set("Cookie", "lectern-sid=SECRET1; other=SECRET2; __Host-lectern-jwt=SECRET3; lectern-sid=SECRET4; lectern-<b>=SECRET5")
	page := ask(t, r).Body.String()
	for _, want := range []string{"<code>lectern-sid</code>, <code>__Host-lectern-jwt</code>", "http://localhost:8082"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "SECRET") || strings.Contains(page, "other<") || strings.Contains(page, "<b>") {
		t.Errorf("the page says too much:\n%s", page)
	}
	if page := ask(t, httptest.NewRequest("GET", "http://127.0.0.1:8082/", nil)).Body.String(); !strings.Contains(page, "has handed this page no cookie") {
		t.Errorf("without cookies it says:\n%s", page)
	}
}

func TestPlaceOf_isWhereBrowsersFindIt(t *testing.T) {
	out := othersite.Place{Missing: othersite.OutOfReach}
	for _, row := range []struct {
		says, victim, listening string
		want                    othersite.Place
	}{
		{"the demo", "http://localhost:8080", "127.0.0.1:8082", othersite.Place{Apart: "http://127.0.0.1:8082", NextDoor: "http://localhost:8082"}},
		{"a site that is called by its number", "http://127.0.0.1:8080", "127.0.0.1:8082", othersite.Place{Apart: "http://localhost:8082", NextDoor: "http://127.0.0.1:8082"}},
		{"the newer number", "http://localhost:8080", "[::1]:8082", othersite.Place{Apart: "http://[::1]:8082", NextDoor: "http://localhost:8082"}},
		{"a site in a container, reached as localhost", "http://localhost:8080", "[::]:8082", othersite.Place{Apart: "http://127.0.0.1:8082", NextDoor: "http://localhost:8082"}},
		{"https on the machine itself: another scheme is another site", "https://localhost:8443", "127.0.0.1:8082", othersite.Place{Apart: "http://127.0.0.1:8082"}},
		{"a site in a network, and a listener for all", "http://school.example", "0.0.0.0:8082", othersite.Place{NextDoor: "http://school.example:8082"}},
		{"a site in a network, and a listener for the machine itself", "http://school.example", "127.0.0.1:8082", out},
		{"a site with https, which is for every port", "https://school.example", "0.0.0.0:8082", out},
	} {
		if got := othersite.PlaceOf(parsed(t, row.victim), netip.MustParseAddrPort(row.listening)); got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.says, got, row.want)
		}
	}
}
