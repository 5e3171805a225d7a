package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lectern/handlers/token"
	"lectern/seed"
)

const adasAddress = "ada@lectern.example"

// visit is somebody's browser at a running server.
type visit struct {
	t       *testing.T
	address string
	http    *http.Client
}

func newVisit(t *testing.T, address string) *visit {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visit{t, address, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func signedIn(t *testing.T, address string) *visit {
	t.Helper()
	v := newVisit(t, address)
	response, err := v.http.PostForm(address+"/signin", url.Values{"email": {adasAddress}, "password": {seed.Password}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther || v.token() == "" {
		t.Fatalf("sign in: %d", response.StatusCode)
	}
	return v
}

func (v *visit) token() string {
	u, err := url.Parse(v.address)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.http.Jar.Cookies(u) {
		if c.Name == "lectern-jwt" {
			return c.Value
		}
	}
	return ""
}

// status is the answer to a page load with this token, whatever the browser
// has been told to do with its cookie.
func status(t *testing.T, address, path, method, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "lectern-jwt", Value: token})
	response, err := newVisit(t, address).http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// header is the first part of a token, read.
func header(t *testing.T, token string) (h struct{ Alg, Kid, Typ string }) {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatal(err)
	}
	return h
}

// rotate runs "lectern keys rotate" and returns what it says, and the kid that
// signs.
func rotate(t *testing.T, data string, settings ...string) (says, kid string) {
	t.Helper()
	var out, trouble bytes.Buffer
	args := append([]string{"keys", "rotate", "--data", data}, settings...)
	if code := run(t.Context(), args, noEnvironment, strings.NewReader(""), &out, &trouble); code != done {
		t.Fatalf("%v: exit code %d: %s", args, code, trouble.String())
	}
	kid, _, ok := strings.Cut(out.String(), " signs now")
	if !ok {
		t.Fatalf("it does not say which key signs now: %s", out.String())
	}
	return out.String(), kid
}

// untilHeard waits for the server to hear of a change by itself.
func untilHeard(t *testing.T, heard func() bool) {
	t.Helper()
	ticker, limit := time.NewTicker(20*time.Millisecond), time.NewTimer(time.Minute)
	defer ticker.Stop()
	defer limit.Stop()
	for !heard() {
		select {
		case <-ticker.C:
		case <-limit.C:
			t.Fatal("the server has not heard of the new keys after a minute")
		}
	}
}

func TestKeysRotate_signsNobodyOutUnlessTheOldKeysAreDropped(t *testing.T) {
	t.Attr("asvs", "11.2.2 13.3.4")
	for _, algorithm := range []string{"HS256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			_, address := start(t, data, "--sessions", "jwt", "--jwt-alg", algorithm)
			first := signedIn(t, address).token()
			firstKey := header(t, first).Kid

			says, newKey := rotate(t, data, "--jwt-alg", algorithm)
			if !strings.Contains(says, firstKey+": for checking only") || newKey == firstKey {
				t.Errorf("it says %s", says)
			}
			var second string
			untilHeard(t, func() bool {
				second = signedIn(t, address).token()
				return header(t, second).Kid != firstKey
			})
			if h := header(t, second); h.Kid != newKey || h.Alg != algorithm {
				t.Errorf("a new token is signed with %+v, not %s", h, newKey)
			}
			for what, token := range map[string]string{"the old token": first, "the new one": second} {
				if got := status(t, address, "/account", http.MethodGet, token); got != http.StatusOK {
					t.Errorf("after a change of keys %s gives %d", what, got)
				}
			}

			says, lastKey := rotate(t, data, "--jwt-alg", algorithm, "--drop-old")
			if !strings.Contains(says, "it is the only key") || !strings.Contains(says, newKey+", "+firstKey+": dropped") {
				t.Errorf("it says %s", says)
			}
			untilHeard(t, func() bool { return status(t, address, "/account", http.MethodGet, first) != http.StatusOK })
			for what, token := range map[string]string{"the first token": first, "the second": second} {
				if got := status(t, address, "/account", http.MethodGet, token); got != http.StatusSeeOther {
					t.Errorf("after the old keys were dropped, %s loads a page: %d", what, got)
				}
				if got := status(t, address, "/account/profile", http.MethodPost, token); got != http.StatusUnauthorized {
					t.Errorf("after the old keys were dropped, %s sends a form: %d", what, got)
				}
			}
			third := signedIn(t, address).token()
			if got := status(t, address, "/account", http.MethodGet, third); got != http.StatusOK || header(t, third).Kid != lastKey {
				t.Errorf("signed in again, with %s: %d", header(t, third).Kid, got)
			}
		})
	}
}

// TestKeysRotate_isHeardOfByTheFirstTokenThatBearsIt has two servers on one
// folder: what one signs with a new key is good at the other.
func TestKeysRotate_isHeardOfByTheFirstTokenThatBearsIt(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	settings := []string{"--sessions", "jwt", "--base-url", "http://school.example"}
	_, one := start(t, data, settings...)
	_, other := start(t, data, settings...)
	old := signedIn(t, one).token()
	for range 3 {
		_, kid := rotate(t, data)
		var fresh string
		untilHeard(t, func() bool {
			fresh = signedIn(t, one).token()
			return header(t, fresh).Kid == kid
		})
		if got := status(t, other, "/account", http.MethodGet, fresh); got != http.StatusOK {
			t.Errorf("a token of one server gives %d at the other", got)
		}
		if got := status(t, other, "/account", http.MethodGet, old); got != http.StatusOK {
			t.Errorf("an old token gives %d", got)
		}
	}
}

func TestKeysRotate_refusesWhatItCannotChange(t *testing.T) {
	const keys = "k:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY"
	open := emptySchool(t)
	rotate(t, open)
	if err := os.Chmod(filepath.Join(open, "jwt.keys"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		what string
		args []string
		env  map[string]string
		says string
	}{
		{"keys that come from a flag", []string{"--jwt-keys", keys}, nil, "the setting jwt-keys"},
		{"keys that come from the environment", nil, map[string]string{"LECTERN_JWT_KEYS": keys}, "the setting jwt-keys"},
		{"a file that others may read", []string{"--data", open}, nil, "chmod 600"},
	} {
		data := filepath.Join(t.TempDir(), "data")
		var out, trouble bytes.Buffer
		code := run(t.Context(), append([]string{"keys", "rotate", "--data", data}, row.args...), func(k string) string { return row.env[k] }, strings.NewReader(""), &out, &trouble)
		if code != failed || out.Len() > 0 || strings.Count(trouble.String(), "\n") != 1 || !strings.Contains(trouble.String(), row.says) || strings.Contains(trouble.String(), keys) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", row.what, code, out.String(), trouble.String())
		}
		if _, err := os.Stat(filepath.Join(data, "jwt.keys")); err == nil {
			t.Errorf("%s: a keys file was written", row.what)
		}
	}
}

// emptySchool is a data folder with a school in it, as far as a change of keys
// looks.
func emptySchool(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "lectern.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestKeysRotate_makesTheFileWhereThereIsNone(t *testing.T) {
	data := emptySchool(t)
	says, kid := rotate(t, data)
	text, err := os.ReadFile(filepath.Join(data, "jwt.keys"))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(strings.TrimSpace(string(text)), ":")
	if !strings.HasPrefix(string(text), kid+":") || strings.Contains(says, secret) {
		t.Errorf("it says %s", says)
	}
	if info, err := os.Stat(filepath.Join(data, "jwt.keys")); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// In an emergency nobody has to remember how the server signs, nor is told that
// keys were changed where no server reads them.
func TestKeysRotate_changesTheKeysThatAreInUse(t *testing.T) {
	data := emptySchool(t)
	read := func(algorithm token.Algorithm) string {
		text, _ := os.ReadFile(filepath.Join(data, algorithm.FileName()))
		return string(text)
	}
	if says, _ := rotate(t, data, "--jwt-alg", "EdDSA"); !strings.Contains(says, "with EdDSA") || read(token.HS256) != "" {
		t.Errorf("it says %s", says)
	}
	before := read(token.EdDSA)
	if says, _ := rotate(t, data, "--drop-old"); strings.Contains(says, "HS256") || read(token.EdDSA) == before || read(token.HS256) != "" {
		t.Errorf("without a word about the algorithm it says %s", says)
	}
	if _, err := token.LoadKeys(token.HS256, filepath.Join(data, token.HS256.FileName()), rand.Reader); err != nil {
		t.Fatal(err)
	}
	eddsa, hs256 := read(token.EdDSA), read(token.HS256)
	rotate(t, data)
	if read(token.EdDSA) == eddsa || read(token.HS256) == hs256 {
		t.Error("of two files one was left as it was")
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	var out, trouble bytes.Buffer
	if code := run(t.Context(), []string{"keys", "rotate", "--data", elsewhere}, noEnvironment, strings.NewReader(""), &out, &trouble); code != failed || !strings.Contains(trouble.String(), "there is no school in") {
		t.Errorf("a folder without a school: exit code %d, %s", code, trouble.String())
	}
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("the folder was made")
	}
}

// TestPublicKeys_areEnoughForAnotherProgram has a program that shares no code
// with us check our tokens with the published keys alone.
func TestPublicKeys_areEnoughForAnotherProgram(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	_, address := start(t, data, "--sessions", "jwt", "--jwt-alg", "EdDSA")
	token := signedIn(t, address).token()
	check := func(token, issuer string) (says string, good bool) {
		t.Helper()
		program := exec.CommandContext(t.Context(), "go", "run", "./testdata/verifier", address+"/.well-known/jwks.json", issuer)
		program.Stdin = strings.NewReader(token)
		var trouble bytes.Buffer
		program.Stderr = &trouble
		out, err := program.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || len(out) == 0 {
			t.Fatalf("the other program does not run: %v\n%s", err, trouble.String())
		}
		return strings.TrimSpace(string(out)), err == nil
	}
	parts := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Sub string }
	if err := json.Unmarshal(claims, &c); err != nil || c.Sub == "" {
		t.Fatal(err)
	}
	if says, good := check(token, address); !good || says != "good, for "+c.Sub {
		t.Fatalf("our token: %s", says)
	}
	promoted := base64.RawURLEncoding.EncodeToString(bytes.Replace(claims, []byte(`"student"`), []byte(`"admin"`), 1))
	if says, good := check(parts[0]+"."+promoted+"."+parts[2], address); good || says != "refused: bad signature" {
		t.Errorf("a token with another role: %s", says)
	}
	if says, good := check(token, "http://other.example"); good {
		t.Errorf("a program that trusts another site: %s", says)
	}

	rotate(t, data, "--jwt-alg", "EdDSA")
	if says, good := check(token, address); !good {
		t.Errorf("after a change of keys: %s", says)
	}
	rotate(t, data, "--jwt-alg", "EdDSA", "--drop-old")
	untilHeard(t, func() bool { return status(t, address, "/account", http.MethodGet, token) != http.StatusOK })
	if says, good := check(token, address); good || says != "refused: no key "+header(t, token).Kid {
		t.Errorf("after its key was dropped: %s", says)
	}
	if says, good := check(signedIn(t, address).token(), address); !good {
		t.Errorf("a token signed with the new key: %s", says)
	}
}
