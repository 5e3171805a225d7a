package sessiontest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session"
)

// sending is a site that answers each request with these cookies.
func sending(lines ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range lines {
			w.Header().Add("Set-Cookie", line)
		}
	})
}

func TestBrowser_keepsCookiesAsRealOnesDo(t *testing.T) {
	fits := strings.Repeat("v", session.MaxCookie-len("c"))
	for _, row := range []struct {
		what  string
		https bool
		line  string
		kept  bool
	}{
		{"a plain cookie", false, "c=v; Path=/", true},
		{"a cookie of 4096 bytes", false, "c=" + fits, true},
		{"a cookie of 4097 bytes", false, "c=" + fits + "v", false},
		{"a Secure cookie by http", false, "c=v; Secure", false},
		{"a Secure cookie by https", true, "c=v; Secure", true},
		{"__Host- as it should be", true, "__Host-c=v; Path=/; Secure", true},
		{"__Host- without Secure", true, "__Host-c=v; Path=/", false},
		{"__Host- without Path", true, "__Host-c=v; Secure", false},
		{"__Host- with another Path", true, "__Host-c=v; Path=/a; Secure", false},
		{"__Host- with a Domain", true, "__Host-c=v; Path=/; Secure; Domain=lectern.example", false},
		{"__Host- by http", false, "__Host-c=v; Path=/; Secure", false},
	} {
		t.Run(row.what, func(t *testing.T) {
			b := NewBrowser(sending(row.line), row.https, NewClock().Now)
			b.Visit()
			if kept := b.Cookie("c") != "" || b.Cookie("__Host-c") != ""; kept != row.kept {
				t.Errorf("kept: %v", kept)
			}
		})
	}
}

func TestBrowser_forgetsInTime(t *testing.T) {
	clock := NewClock()
	b := NewBrowser(sending("short=1; Max-Age=60", "session=1"), false, clock.Now)
	b.Visit()
	b.site = sending()
	clock.Move(time.Minute - time.Millisecond)
	if b.Visit(); b.Cookie("short") == "" {
		t.Error("a cookie is gone before its time")
	}
	clock.Move(time.Millisecond)
	if b.Visit(); b.Cookie("short") != "" {
		t.Error("a cookie is there after its time")
	}
	thief := b.Copy()
	b.Restart()
	if b.Cookie("session") != "" || thief.Cookie("session") == "" {
		t.Error("a browser that is closed keeps its session's cookies, or the thief loses his")
	}
	thief.site = sending("session=; Max-Age=0")
	if thief.Visit(); thief.Cookie("session") != "" {
		t.Error("a cookie that was cleared is there")
	}
}
