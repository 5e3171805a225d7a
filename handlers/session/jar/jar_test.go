package jar_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session/jar"
)

func TestJar_ignoresWhatBrowsersIgnore(t *testing.T) {
	lax := func(c http.Cookie) *http.Cookie {
		if c.Path == "" {
			c.Path = "/"
		}
		return &c
	}
	for _, row := range []struct {
		says   string
		https  bool
		cookie *http.Cookie
		kept   bool
	}{
		{"a plain one", false, lax(http.Cookie{Name: "a", Value: "1"}), true},
		{"one of 4096 bytes", false, lax(http.Cookie{Name: "a", Value: strings.Repeat("x", 4095)}), true},
		{"one of 4097 bytes", false, lax(http.Cookie{Name: "a", Value: strings.Repeat("x", 4096)}), false},
		{"a Secure one over http", false, lax(http.Cookie{Name: "a", Value: "1", Secure: true}), false},
		{"a Secure one over https", true, lax(http.Cookie{Name: "a", Value: "1", Secure: true}), true},
		{"__Host- as it should be", true, lax(http.Cookie{Name: "__Host-a", Value: "1", Secure: true}), true},
		{"__Host- without Secure", true, lax(http.Cookie{Name: "__Host-a", Value: "1"}), false},
		{"__Host- with a Domain", true, lax(http.Cookie{Name: "__Host-a", Value: "1", Secure: true, Domain: "school.example"}), false},
		{"__Host- for a part of the site", true, lax(http.Cookie{Name: "__Host-a", Value: "1", Secure: true, Path: "/lab"}), false},
	} {
		j := jar.New(row.https, time.Now)
		if got := j.Receive(row.cookie); got != row.kept || (j.Value(row.cookie.Name) != "") != row.kept {
			t.Errorf("%s: kept is %t, want %t", row.says, got, row.kept)
		}
	}
}

func TestJar_sendsAndShowsOnlyWhatItMay(t *testing.T) {
	j := jar.New(true, time.Now)
	for _, c := range []http.Cookie{
		{Name: "lax", Value: "1", SameSite: http.SameSiteLaxMode, HttpOnly: true},
		{Name: "strict", Value: "1", SameSite: http.SameSiteStrictMode},
		{Name: "none", Value: "1", SameSite: http.SameSiteNoneMode, HttpOnly: true},
	} {
		j.Receive(&c)
	}
	for _, row := range []struct {
		says      string
		got, want string
	}{
		{"from the site itself", j.Header(jar.SameSite), "lax=1; strict=1; none=1"},
		{"by a link elsewhere", j.Header(jar.CrossSiteLink), "lax=1; none=1"},
		{"by a form elsewhere", j.Header(jar.CrossSite), "none=1"},
		{"to a script", j.Readable(), "strict=1"},
	} {
		if row.got != row.want {
			t.Errorf("%s go %q, want %q", row.says, row.got, row.want)
		}
	}
}

func TestJar_forgetsInTime(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	j := jar.New(false, func() time.Time { return now })
	j.Receive(&http.Cookie{Name: "hour", Value: "1", Path: "/", MaxAge: 3600})
	j.Receive(&http.Cookie{Name: "session", Value: "1", Path: "/"})
	thief := j.Copy()
	j.Restart()
	if j.Value("session") != "" || j.Value("hour") == "" {
		t.Errorf("after a restart there are %v", j.Names())
	}
	if thief.Value("session") == "" {
		t.Error("a copy forgets what the other jar forgot")
	}
	now = now.Add(time.Hour)
	if names := thief.Names(); len(names) != 1 || names[0] != "session" {
		t.Errorf("after an hour there are %v", names)
	}
	thief.Receive(&http.Cookie{Name: "session", MaxAge: -1, Path: "/"})
	if names := thief.Names(); len(names) != 0 {
		t.Errorf("what was cleared is still there: %v", names)
	}
}
