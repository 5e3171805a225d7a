package lab

import (
	"net/url"
	"testing"
)

func TestIsSibling(t *testing.T) {
	w := &world{base: &url.URL{Scheme: "http", Host: "lectern.example"}}
	for origin, sibling := range map[string]bool{
		"http://blog.lectern.example":  true,
		"http://a.b.lectern.example":   true,
		"https://blog.lectern.example": false, // by another scheme it is another site
		"http://lectern.example":       false, // the site itself
		"http://evil.example":          false,
		"http://notlectern.example":    false,
	} {
		if got := w.isSibling(origin); got != sibling {
			t.Errorf("%s: %v", origin, got)
		}
	}
}
