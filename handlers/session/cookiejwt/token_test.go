package cookiejwt

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/token"
)

const (
	testKey    = "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY"
	testIssuer = "https://lectern.example"
	ada        = school.ID("adaadaadaadaadaadaadaadaad")
)

var (
	noon      = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	lifetimes = session.Lifetimes{Token: time.Hour, Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Remember: 720 * time.Hour}
)

// newBackend is a backend at noon, or at another time of day.
func newBackend(t testing.TB, now time.Time) *Backend {
	t.Helper()
	return newBackendWith(t, now, rand.Reader)
}

func newBackendWith(t testing.TB, now time.Time, random io.Reader) *Backend {
	t.Helper()
	clock := func() time.Time { return now }
	return New(Config{Tokens: newIssuer(t, clock, random), Lifetimes: lifetimes, Now: clock})
}

func newIssuer(t testing.TB, clock func() time.Time, random io.Reader) *token.Issuer {
	t.Helper()
	keys, err := token.ParseKeys(token.HS256, testKey)
	if err != nil {
		t.Fatal(err)
	}
	return token.NewIssuer(token.Config{Keys: token.NewKeyring(keys), Site: testIssuer, Now: clock, Random: random})
}

// signed is a well-signed token with good claims, but for what is changed.
func signed(t *testing.T, use token.Use, change func(*token.Claims)) string {
	t.Helper()
	c := token.Claims{
		Common:  token.Common{Subject: string(ada), ID: "AAAAAAAAAAAAAAAAAAAAAA", IssuedAt: noon.Unix(), Expires: noon.Add(time.Hour).Unix(), AuthTime: noon.Unix(), Role: "student"},
		Methods: []string{"pwd"},
	}
	change(&c)
	text, err := newIssuer(t, func() time.Time { return noon }, rand.Reader).Sign(use, c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// parts are the first two parts of a token, decoded.
func parts(t *testing.T, text string) (header, claims string) {
	t.Helper()
	p := strings.Split(text, ".")
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

// What the reader of tokens cannot know, because it does not know the school.
func TestRead_refusesWhomTheSchoolDoesNotKnow(t *testing.T) {
	b := newBackend(t, noon)
	if _, reason := b.read(signed(t, token.SessionUse, func(*token.Claims) {}), nil); reason != "" {
		t.Fatalf("the good token is refused: %s", reason)
	}
	for _, row := range []struct {
		what   string
		change func(*token.Claims)
	}{
		{"a role that the school does not have", func(c *token.Claims) { c.Role = "root" }},
		{"a role with a space behind it", func(c *token.Claims) { c.Role = "admin " }},
		{"a sub that is not one of our ids", func(c *token.Claims) { c.Subject = "1" }},
	} {
		if rec, reason := b.read(signed(t, token.SessionUse, row.change), nil); rec != nil || reason != session.BadClaims {
			t.Errorf("%s: got %v, %q", row.what, rec, reason)
		}
	}
}

func TestRead_refusesTheShortTokenOfAnotherKind(t *testing.T) {
	access := signed(t, token.AccessUse, func(*token.Claims) {})
	if rec, reason := newBackend(t, noon).read(access, nil); rec != nil || reason != session.BadType {
		t.Errorf("got %v, %q", rec, reason)
	}
}

func TestRead_namesItsStepsAndWhereTheyAre(t *testing.T) {
	var trace session.Trace
	if _, reason := newBackend(t, noon).read(signed(t, token.SessionUse, func(*token.Claims) {}), &trace); reason != "" {
		t.Fatal(reason)
	}
	var names []string
	for _, step := range trace.Steps() {
		names = append(names, step.Name)
		if _, err := os.Stat(filepath.Join("../../..", step.Where)); err != nil || step.Kind != session.CPU {
			t.Errorf("%q is said to be in %q: %v", step.Name, step.Where, err)
		}
	}
	if want := []string{"Read header", "Verify signature", "Read claims", "Check issuer and expiry"}; !slices.Equal(names, want) {
		t.Errorf("steps %q, want %q", names, want)
	}
}

func TestIssue_writesWhatTheContractSays(t *testing.T) {
	b := newBackendWith(t, noon, bytes.NewReader(make([]byte, 18)))
	rec := session.Record{Identity: session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon}, CreatedAt: noon}
	text, err := b.issue(&rec)
	if err != nil {
		t.Fatal(err)
	}
	header, claims := parts(t, text)
	if want := `{"alg":"HS256","kid":"test","typ":"session+jwt"}`; header != want {
		t.Errorf("header %s, want %s", header, want)
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
		t.Errorf("claims that nobody outside was promised: %v", names)
	}
	read, reason := b.read(text, nil)
	if reason != "" {
		t.Fatalf("what was issued is refused: %s", reason)
	}
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
			b := newBackend(t, noon)
			b.RefuseBefore(noon.Add(row.cut))
			rec := session.Record{
				Identity:  session.Identity{UserID: ada, Role: school.Admin, Methods: []string{"pwd", "otp"}, AuthAt: noon.Add(-row.signedIn)},
				CreatedAt: noon,
				Remember:  row.remember,
			}
			text, err := b.issue(&rec)
			if err != nil {
				t.Fatal(err)
			}
			read, reason := b.read(text, nil)
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
			late := newBackend(t, noon.Add(row.life))
			if _, reason := late.read(text, nil); reason != session.Expired {
				t.Errorf("at its end it gives %q", reason)
			}
			skewed := newBackend(t, noon.Add(-3*time.Second))
			if _, reason := skewed.read(text, nil); reason != "" {
				t.Errorf("a server whose clock is three seconds late refuses it: %s", reason)
			}
		})
	}
}

func TestRefuseBefore_drawsALine(t *testing.T) {
	b := newBackend(t, noon)
	before := signed(t, token.SessionUse, func(*token.Claims) {})
	at := signed(t, token.SessionUse, func(c *token.Claims) { c.IssuedAt++ })
	b.RefuseBefore(noon.Add(time.Second))
	if _, reason := b.read(before, nil); reason != session.EndedForAll {
		t.Errorf("a token of the second before the line: %q", reason)
	}
	if _, reason := b.read(at, nil); reason != "" {
		t.Errorf("a token at the line: %q", reason)
	}
}

// The Manager decides when a session begins; the token says so, and what ends
// sessions by that moment can rely on it.
func TestIssue_isDatedWhenTheSessionBegan(t *testing.T) {
	for _, row := range []struct {
		what       string
		began, cut time.Duration // after noon
		want       time.Duration
	}{
		{"a session that began two seconds ago", -2 * time.Second, -time.Hour, -2 * time.Second},
		{"one that is to begin in the next second", time.Second, -time.Hour, time.Second},
		{"one that began before all were ended", -2 * time.Second, 0, 0},
	} {
		b := newBackend(t, noon)
		b.RefuseBefore(noon.Add(row.cut))
		rec := session.Record{Identity: session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon.Add(-time.Minute)}, CreatedAt: noon.Add(row.began)}
		text, err := b.issue(&rec)
		if err != nil {
			t.Fatal(err)
		}
		read, reason := b.read(text, nil)
		if reason != "" {
			t.Fatalf("%s: refused: %s", row.what, reason)
		}
		if got := read.CreatedAt.Sub(noon); got != row.want {
			t.Errorf("%s: dated %v after noon, want %v", row.what, got, row.want)
		}
		if got := read.ExpiresAt.Sub(noon); got != time.Hour {
			t.Errorf("%s: it lasts %v from now, want an hour", row.what, got)
		}
	}
}

func TestIssue_drawsAnotherIDEachTime(t *testing.T) {
	t.Attr("asvs", "7.2.2 11.5.1")
	b := newBackend(t, noon)
	var ids []string
	for range 100 {
		rec := session.Record{Identity: session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon}, CreatedAt: noon}
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
	t.Attr("asvs", "6.5.3")
	b := newBackendWith(t, noon, bytes.NewReader(nil))
	s := sessions.NewSession(b, cookieName)
	s.IsNew = true
	session.SetRecord(s, &session.Record{Identity: session.Identity{UserID: ada}})
	w := httptest.NewRecorder()
	if err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), w, s); err == nil || len(w.Header()) > 0 {
		t.Errorf("a token is issued without an id: %v, %v", err, w.Header())
	}
}
