package assets_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lectern/assets"
)

func get(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	assets.Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHandler_refusesWhatIsNotAnAsset(t *testing.T) {
	t.Attr("asvs", "13.4.3 13.4.7")
	for _, path := range []string{
		"", "/", "/assets", "/assets/", "/assets/css/", "/assets/figures/",
		"/assets/app.css", "/assets/app.00000000.css", assets.URL("app.css") + "/",
		"/assets/assets.go", "/assets/js/README.md", "/assets/fonts/LICENSE-besley.txt",
		"/assets/../go.mod", "/assets/figures/../icons.svg", "/assets//icons.svg", `/assets/..\..\go.mod`,
	} {
		res := get(t, "GET", path)
		if res.StatusCode != 404 || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %q: got %d with %v, want a plain 404", path, res.StatusCode, res.Header)
		}
	}
	res := get(t, "POST", assets.URL("app.css"))
	if res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: got %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
}

func TestHandler_servesEachKindOfFile(t *testing.T) {
	for name, contentType := range map[string]string{
		"app.css":     "text/css; charset=utf-8",
		"icons.svg":   "image/svg+xml; charset=utf-8",
		"favicon.svg": "image/svg+xml; charset=utf-8",
		"spline-sans-mono-latin-wght-normal.woff2": "font/woff2",
	} {
		t.Run(name, func(t *testing.T) {
			url := assets.URL(name)
			stem, ext := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
			if !regexp.MustCompile(`^/assets/` + regexp.QuoteMeta(stem) + `\.[0-9a-f]{8}` + regexp.QuoteMeta(ext) + `$`).MatchString(url) {
				t.Errorf("URL = %q has no hash in it", url)
			}
			res := get(t, "GET", url)
			content := body(t, res.Body)
			if res.StatusCode != 200 || content == "" {
				t.Fatalf("GET %s: got %d with %d bytes", url, res.StatusCode, len(content))
			}
			for key, want := range map[string]string{
				"Content-Type":           contentType,
				"Cache-Control":          "public, max-age=31536000, immutable",
				"X-Content-Type-Options": "nosniff",
				"Content-Encoding":       "",
				"Content-Length":         fmt.Sprint(len(content)),
			} {
				if got := res.Header.Get(key); got != want {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			}

			head := get(t, "HEAD", url)
			if got := body(t, head.Body); got != "" || head.Header.Get("Content-Length") != fmt.Sprint(len(content)) {
				t.Errorf("HEAD: got a body of %d bytes and length %s", len(got), head.Header.Get("Content-Length"))
			}
			tag := res.Header.Get("ETag")
			if again := get(t, "GET", url, "If-None-Match", tag); tag == "" || again.StatusCode != 304 {
				t.Errorf("with ETag %s again: got %d, want 304", tag, again.StatusCode)
			}
		})
	}
}

func TestHandler_compressesWhatGetsSmaller(t *testing.T) {
	url := assets.URL("app.css")
	plain := get(t, "GET", url)
	res := get(t, "GET", url, "Accept-Encoding", "br, gzip;q=0.5")
	if res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("got %v, want gzip", res.Header)
	}
	if res.Header.Get("ETag") == plain.Header.Get("ETag") {
		t.Error("two encodings have one ETag")
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body(t, z) != body(t, plain.Body) {
		t.Error("what is unpacked is not what was packed")
	}

	font := get(t, "GET", assets.URL("besley-latin-wght-normal.woff2"), "Accept-Encoding", "gzip")
	if got := font.Header.Get("Content-Encoding"); got != "" {
		t.Errorf("a font, compressed already, came as %q", got)
	}
}

func TestHandler_servesFiguresUnderTheirOwnNames(t *testing.T) {
	figures, err := filepath.Glob("figures/*.svg")
	if err != nil || len(figures) == 0 {
		t.Fatalf("no figures (%v)", err)
	}
	for _, figure := range figures {
		res := get(t, "GET", "/assets/"+filepath.ToSlash(figure))
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "public, max-age=3600" {
			t.Errorf("%s: got %d, kept for %q", figure, res.StatusCode, res.Header.Get("Cache-Control"))
		}
		if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") {
			t.Errorf("%s may do too much: %q", figure, policy)
		}
		if text := body(t, res.Body); strings.Contains(text, "<script") || strings.Contains(text, "<foreignObject") {
			t.Errorf("%s holds more than a drawing", figure)
		}
	}
}

func TestURL_panicsForAnUnknownName(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it did not")
		}
	}()
	assets.URL("ap.css")
}

func TestSymbol(t *testing.T) {
	for _, id := range []string{"i-check", "i-download", "i-shield", "lectern", "band-s", "ticket-s", "hybrid-s"} {
		if url, err := assets.Symbol(id); err != nil || url != assets.URL("icons.svg")+"#"+id {
			t.Errorf("Symbol(%q) = %q, %v", id, url, err)
		}
	}
	if url, err := assets.Symbol("i-chekc"); err == nil {
		t.Errorf("a misspelt symbol is %q", url)
	}
}

func TestStylesheet_pointsOnlyToWhatIsServed(t *testing.T) {
	css := body(t, get(t, "GET", assets.URL("app.css")).Body)
	urls := regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(css, -1)
	if len(urls) != 5 {
		t.Errorf("got %d addresses, want those of five fonts", len(urls))
	}
	for _, m := range urls {
		if res := get(t, "GET", m[1]); res.StatusCode != 200 {
			t.Errorf("%s: %d", m[1], res.StatusCode)
		}
	}
}

// A file that lacks a brace would swallow those that follow it.
func TestStylesheets_areWholeFiles(t *testing.T) {
	files, err := filepath.Glob("css/*.css")
	if err != nil {
		t.Fatal(err)
	}
	comments := regexp.MustCompile(`(?s)/\*.*?\*/`)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		css := comments.ReplaceAllString(string(raw), "")
		if open, shut := strings.Count(css, "{"), strings.Count(css, "}"); open != shut || strings.Contains(css, "/*") {
			t.Errorf("%s: %d braces open and %d close", file, open, shut)
		}
		if lines := strings.Count(string(raw), "\n"); lines > 250 {
			t.Errorf("%s has %d lines: split it by subject", file, lines)
		}
	}
}

func TestValues_setEveryShare(t *testing.T) {
	raw, err := os.ReadFile("css/values.css")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 101 {
		if rule := fmt.Sprintf("  .v%d { --v: %[1]d; }\n", n); !strings.Contains(string(raw), rule) {
			t.Errorf("values.css lacks %q", rule)
		}
	}
}
