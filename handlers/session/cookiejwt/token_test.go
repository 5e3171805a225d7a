package cookiejwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
)

// parts are the three parts of a token, decoded.
func parts(t *testing.T, token string) (header, claims string) {
	t.Helper()
	p := strings.Split(token, ".")
	if len(p) != 3 {
		t.Fatalf("a token of %d parts", len(p))
	}
	h, err1 := base64.RawURLEncoding.DecodeString(p[0])
	c, err2 := base64.RawURLEncoding.DecodeString(p[1])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return string(h), string(c)
}

func TestIssue_writesWhatTheContractSays(t *testing.T) {
	b := newBackend(t, testKey, noon)
	b.random = bytes.NewReader(make([]byte, 18))
	rec := session.Record{Identity: session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon}}
	token, err := b.issue(&rec)
	if err != nil {
		t.Fatal(err)
	}
	header, claims := parts(t, token)
	if want := goodHeader.String(); header != want {
		t.Errorf("header %s, want %s", header, want)
	}
	if want := goodClaims.with("nbf", unix(-maxAhead)).String(); claims != want {
		t.Errorf("claims %s, want %s", claims, want)
	}
	var names map[string]any
	if err := json.Unmarshal([]byte(claims), &names); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iss", "aud", "sub", "jti", "iat", "nbf", "exp", "auth_time", "role", "amr"} {
		if _, ok := names[name]; !ok {
			t.Errorf("the claim %s is missing", name)
		}
		delete(names, name)
	}
	if len(names) > 0 {
		t.Errorf("claims that CONTRACT.md does not have: %v", names)
	}
	read, reason := b.read(token, nil)
	if reason != "" {
		t.Fatalf("what was issued is refused: %s", reason)
	}
	rec.CreatedAt = noon
	if !reflect.DeepEqual(*read, rec) {
		t.Errorf("read %+v, issued %+v", *read, rec)
	}
}

func TestIssue_lifetimes(t *testing.T) {
	for _, row := range []struct {
		what       string
		signedIn   time.Duration // before noon
		remember   bool
		cut        time.Duration // of tokens issued before, after noon
		life       time.Duration
		remembered bool
	}{
		{"signed in just now", 0, false, 0, time.Hour, false},
		{"signed in eleven and a half hours ago", 11*time.Hour + 30*time.Minute, false, 0, 30 * time.Minute, false},
		{"remembered", 0, true, 0, 720 * time.Hour, true},
		{"remembered, ten days ago", 240 * time.Hour, true, 0, 480 * time.Hour, true},
		{"remembered, the last half hour of it", 719*time.Hour + 30*time.Minute, true, 0, 30 * time.Minute, true},
		{"in the second in which all were ended", 0, false, time.Second, time.Hour, false},
	} {
		t.Run(row.what, func(t *testing.T) {
			b := newBackend(t, testKey, noon)
			b.RefuseBefore(noon.Add(row.cut))
			rec := session.Record{
				Identity: session.Identity{UserID: ada, Role: school.Admin, Methods: []string{"pwd", "otp"}, AuthAt: noon.Add(-row.signedIn)},
				Remember: row.remember,
			}
			token, err := b.issue(&rec)
			if err != nil {
				t.Fatal(err)
			}
			read, reason := b.read(token, nil)
			if reason != "" {
				t.Fatalf("refused: %s", reason)
			}
			if got := read.ExpiresAt.Sub(noon); got != row.life {
				t.Errorf("it lasts %v, want %v", got, row.life)
			}
			if read.Remember != row.remembered {
				t.Errorf("remember is read as %v", read.Remember)
			}
			if !reflect.DeepEqual(read.Identity, rec.Identity) || read.Handle != rec.Handle || !read.ExpiresAt.Equal(rec.ExpiresAt) {
				t.Errorf("read %+v, issued %+v", *read, rec)
			}
			late := newBackend(t, testKey, noon.Add(row.life))
			if _, reason := late.read(token, nil); reason != session.Expired {
				t.Errorf("at its end it gives %q", reason)
			}
			skewed := newBackend(t, testKey, noon.Add(-3*time.Second))
			if _, reason := skewed.read(token, nil); reason != "" {
				t.Errorf("a server whose clock is three seconds late refuses it: %s", reason)
			}
		})
	}
}

func TestRefuseBefore_drawsALine(t *testing.T) {
	b := newBackend(t, testKey, noon)
	before := body(goodClaims)
	at := body(goodClaims.with("iat", unix(time.Second)))
	b.RefuseBefore(noon.Add(time.Second))
	if _, reason := b.read(before, nil); reason != session.EndedForAll {
		t.Errorf("a token of the second before the line: %q", reason)
	}
	if _, reason := b.read(at, nil); reason != "" {
		t.Errorf("a token at the line: %q", reason)
	}
}

func TestIssue_drawsAnotherIDEachTime(t *testing.T) {
	b := newBackend(t, testKey, noon)
	var ids []string
	for range 100 {
		rec := session.Record{Identity: session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon}}
		if _, err := b.issue(&rec); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, rec.Handle)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 100 {
		t.Errorf("100 tokens have %d ids", n)
	}
	if len(ids[0]) != 22 {
		t.Errorf("a jti has %d characters, too few for 128 bits", len(ids[0]))
	}
}

func TestSave_failsWithoutRandomness(t *testing.T) {
	b := newBackend(t, testKey, noon)
	b.random = bytes.NewReader(nil)
	s := sessions.NewSession(b, cookieName)
	s.IsNew = true
	session.SetRecord(s, &session.Record{Identity: session.Identity{UserID: ada}})
	w := httptest.NewRecorder()
	if err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), w, s); err == nil || len(w.Header()) > 0 {
		t.Errorf("a token is issued without an id: %v, %v", err, w.Header())
	}
}
