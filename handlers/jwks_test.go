package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

const keysPath = "/.well-known/jwks.json"

func TestPublicKeys_areNoneForHS256(t *testing.T) {
	a := newSite(t, session.JWT).browser().get(keysPath).want(t, 200)
	if a.body != `{"keys":[]}` {
		t.Errorf("got %s", a.body)
	}
}

func TestPublicKeys_areThoseOfEdDSA(t *testing.T) {
	s := startSite(t, session.JWT, true, setting{algorithm: token.EdDSA})
	a := s.browser().get(keysPath).want(t, 200)
	one := regexp.MustCompile(`^\{"keys":\[\{"kty":"OKP","crv":"Ed25519","x":"[\w-]{43}","kid":"[\w-]{8}","alg":"EdDSA","use":"sig"\}\]\}$`)
	if !one.MatchString(a.body) {
		t.Errorf("got %s", a.body)
	}
	// The strip shows a signed-in person what their token is made of.
	s.as(ada).get("/").want(t, 200, "alg EdDSA", "Ed25519").lacks(t, "HMAC")
}

// The answer is the same for everybody, so it may be kept.
func TestPublicKeys_areKeptByWhoeverAsks(t *testing.T) {
	s := startSite(t, session.Database, true, setting{algorithm: token.EdDSA})
	her := s.as(ada)
	a := her.get(keysPath).want(t, 200)
	for header, want := range map[string]string{
		"Content-Type": "application/jwk-set+json", "Cache-Control": "public, max-age=300", "Set-Cookie": "", "Vary": "",
	} {
		if got := a.header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	tag := a.header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || len(tag) < 10 {
		t.Fatalf("the ETag is %q", tag)
	}
	for _, row := range []struct {
		what, asks string
		status     int
	}{
		{"somebody who has it", tag, http.StatusNotModified},
		{"somebody who has it, among others", `"other", ` + tag, http.StatusNotModified},
		{"a cache that has made the tag weak", "W/" + tag, http.StatusNotModified},
		{"somebody who has anything", "*", http.StatusNotModified},
		{"somebody who has another", `"other"`, http.StatusOK},
	} {
		got := her.get(keysPath, "If-None-Match", row.asks)
		if got.status != row.status || got.header.Get("ETag") != tag || got.header.Get("Cache-Control") != "public, max-age=300" || (got.body == "") != (row.status == http.StatusNotModified) {
			t.Errorf("%s: %d, ETag %q, %q, %d bytes", row.what, got.status, got.header.Get("ETag"), got.header.Get("Cache-Control"), len(got.body))
		}
	}
	if head := her.send(http.MethodHead, keysPath, ""); head.status != http.StatusOK || head.body != "" || head.header.Get("ETag") != tag {
		t.Errorf("HEAD: %d, %d bytes", head.status, len(head.body))
	}
	her.send(http.MethodPost, keysPath, "").want(t, http.StatusMethodNotAllowed)
}
