package handlers

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzLocalPath: wherever somebody asks to be sent, a browser that follows the
// answer stays on this site.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{
		"/", "/learning?x=1#y", "", "//evil.example", `/\evil.example`, `\/evil.example`, "/\t/evil.example", "/%09/evil.example", "/%2F/evil.example", "/%5Cevil.example",
		"https://evil.example/", "http:/evil.example", "javascript:alert(1)", "/@evil.example", "/a:b@evil.example", "/x\r\nSet-Cookie: a=b", "/..//evil.example", "/.//evil.example", "/é?q=ü", "/%zz",
	} {
		f.Add(seed)
	}
	base, err := url.Parse("https://school.example/signin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := localPath(next)
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.HasPrefix(got, `/\`) {
			t.Fatalf("%q leads to %q", next, got)
		}
		if strings.ContainsAny(got, "\r\n\t\\ ") {
			t.Fatalf("%q leads to %q, which a browser would clean up first", next, got)
		}
		u, err := base.Parse(got)
		if err != nil {
			t.Fatalf("%q leads to %q: %v", next, got, err)
		}
		if u.Host != base.Host || u.Scheme != base.Scheme || strings.HasPrefix(u.EscapedPath(), "//") {
			t.Fatalf("%q leads to %s", next, u)
		}
		if again := localPath(got); again != got {
			t.Fatalf("%q leads to %q, and that to %q", next, got, again)
		}
	})
}
