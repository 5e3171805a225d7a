package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func noEnvironment(string) string { return "" }

// TestRun_refusesWrongSettings names each wrong setting and says what would be
// right, and does so before anything is opened.
func TestRun_refusesWrongSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		env  map[string]string
		says []string
	}{
		{[]string{"--addr", "8080"}, nil, []string{"--addr", "localhost:8080"}},
		{[]string{"--lab-other-addr", "8082"}, nil, []string{"--lab-other-addr", "127.0.0.1:8082"}},
		{[]string{"--demo", "--lab-other-addr", "localhost:coffee"}, nil, []string{"--lab-other-addr", `"coffee" is no port`}},
		{nil, map[string]string{"LECTERN_LAB_OTHER_ADDR": "localhost"}, []string{"--lab-other-addr"}},
		{[]string{"--demo-provider-addr", "8081"}, nil, []string{"--demo-provider-addr", "127.0.0.1:8081"}},
		{[]string{"--oidc", "https://id.example"}, nil, []string{"--oidc", "SLUG=ISSUER"}},
		{[]string{"--oidc", "Uni=https://id.example,id=a,secret=b"}, nil, []string{"--oidc", "small letters"}},
		{[]string{"--oidc", "github=https://id.example,id=a,secret=b"}, nil, []string{"--oidc", `"github" is taken`}},
		{[]string{"--oidc", "uni=http://id.example,id=a,secret=b"}, nil, []string{"--oidc", "uni", "https"}},
		{[]string{"--oidc", "uni=https://id.example?x,id=a,secret=b"}, nil, []string{"--oidc", "uni", "no issuer"}},
		{[]string{"--oidc", "uni=https://id.example,secret=b"}, nil, []string{"--oidc", "uni: id is missing"}},
		{[]string{"--oidc", "uni=https://id.example,id=a"}, nil, []string{"--oidc", "uni: either secret-file or secret"}},
		{[]string{"--oidc", "uni=https://id.example,id=a,secret=b,secret-file=" + file}, nil, []string{"--oidc", "uni", file}},
		{[]string{"--oidc", "uni=https://id.example,id=a,secret-file=" + file + ".none"}, nil, []string{"--oidc", "uni", file + ".none"}},
		{[]string{"--oidc", "uni=https://id.example,id=a,id=c,secret=b"}, nil, []string{"--oidc", "uni", "more than once"}},
		{[]string{"--oidc", "uni=https://id.example,id=a,secret=b,colour=red"}, nil, []string{"--oidc", "uni", "neither id"}},
		{nil, map[string]string{"LECTERN_OIDC": "uni=https://id.example,id=a,secret=b;uni=https://id2.example,id=a,secret=b"}, []string{"--oidc", `two providers "uni"`}},
		{[]string{"--github-client-id", "a"}, nil, []string{"--github-client-secret", "missing"}},
		{[]string{"--github-client-secret", "b"}, nil, []string{"--github-client-id", "missing"}},
		{[]string{"--github-client-id", "a", "--github-client-secret-file", file}, nil, []string{"--github-client-secret-file", file}},
		{[]string{"--github-client-id", "a", "--github-client-secret", "b", "--github-client-secret-file", file}, nil, []string{"--github-client-secret", "one of them"}},
		{[]string{"--base-url", "school.example"}, nil, []string{"--base-url", "https://school.example"}},
		{[]string{"--base-url", "https://school.example/path"}, nil, []string{"--base-url"}},
		{[]string{"--sessions", "cookie"}, nil, []string{"--sessions", "jwt, memory, database, redis and hybrid"}},
		{[]string{"--sessions", "redis"}, nil, []string{"--sessions", "--redis redis://localhost:6379/0"}},
		{[]string{"--redis", "localhost:6379"}, nil, []string{"--redis", "redis://localhost:6379/0"}},
		{nil, map[string]string{"LECTERN_REDIS": "http://localhost"}, []string{"--redis"}},
		{nil, map[string]string{"LECTERN_SESSIONS": "cookie"}, []string{"--sessions"}},
		{[]string{"--smtp", "smtp.school.example:587"}, nil, []string{"--smtp", "smtp://user:password@smtp.school.example:587"}},
		{[]string{"--smtp", "smtp://smtp.school.example"}, nil, []string{"--smtp", "?from="}},
		{nil, map[string]string{"LECTERN_SMTP": "smtp://smtp.school.example?from=a@school.example&tls=none"}, []string{"--smtp", "this machine"}},
		{[]string{"--sms-url", "http://sms.example?from=Lectern"}, nil, []string{"--sms-url", "https"}},
		{nil, map[string]string{"LECTERN_SMS_URL": "https://sms.example"}, []string{"--sms-url", "?from="}},
		{[]string{"--jwt-ttl", "0s"}, nil, []string{"--jwt-ttl"}},
		{[]string{"--jwt-ttl", "soon"}, nil, []string{"--jwt-ttl"}},
		{[]string{"--hybrid-access-ttl", "4s"}, nil, []string{"--hybrid-access-ttl", "5s"}},
		{[]string{"--hybrid-access-ttl", "0s"}, nil, []string{"--hybrid-access-ttl", "5s"}},
		{[]string{"--hybrid-access-ttl", "16m"}, nil, []string{"--hybrid-access-ttl", "--session-idle, 30m"}},
		{[]string{"--hybrid-access-ttl", "2m", "--jwt-ttl", "1m"}, nil, []string{"--hybrid-access-ttl", "--jwt-ttl, 1m"}},
		{nil, map[string]string{"LECTERN_HYBRID_ACCESS_TTL": "1s"}, []string{"--hybrid-access-ttl"}},
		{[]string{"--session-idle", "1s"}, nil, []string{"--session-idle"}},
		{[]string{"--session-lifetime", "-1h"}, nil, []string{"--session-lifetime"}},
		{[]string{"--remember", "20000h"}, nil, []string{"--remember", "9600h"}},
		{[]string{"--trusted-proxies", "nearby"}, nil, []string{"--trusted-proxies", "10.0.0.0/8"}},
		{[]string{"--jwt-keys", "k:c2hvcnQ"}, nil, []string{"--jwt-keys", "32"}},
		{[]string{"--jwt-keys", "nonsense"}, nil, []string{"--jwt-keys", "kid:base64url"}},
		{[]string{"--jwt-alg", "none"}, nil, []string{"--jwt-alg", "HS256 and EdDSA"}},
		{[]string{"--jwt-alg", "hs256"}, nil, []string{"--jwt-alg", `"hs256"`}},
		{nil, map[string]string{"LECTERN_JWT_ALG": "RS256"}, []string{"--jwt-alg", `"RS256"`}},
		{[]string{"--jwt-keys", "a:" + strings.Repeat("A", 43) + ",b:" + strings.Repeat("A", 43)}, nil, []string{"--jwt-keys", `key "a" is one byte repeated`}},
		{[]string{"--jwt-alg", "EdDSA", "--jwt-keys", "k:" + strings.Repeat("AB", 32)}, nil, []string{"--jwt-keys", `key "k" has 48 bytes; the seed of an EdDSA key has 32`}},
		{[]string{"keys", "rotate", "--jwt-alg", "ES256"}, nil, []string{"--jwt-alg", "HS256 and EdDSA"}},
		{[]string{"keys", "rotate", "--data", file}, nil, []string{"--data", "folder"}},
		{[]string{"keys", "turn"}, nil, []string{"turn"}},
		{[]string{"--data", file}, nil, []string{"--data", "folder"}},
		{[]string{"--colour", "red"}, nil, []string{"--colour"}},
		{[]string{"dance"}, nil, []string{"dance"}},
		{[]string{"user", "add", "--email", "nowhere", "--name", "N", "--role", "student"}, nil, []string{"--email"}},
		{[]string{"user", "add", "--email", "a@b.example", "--name", "N", "--role", "king"}, nil, []string{"--role"}},
	} {
		t.Run(strings.Join(row.args, " "), func(t *testing.T) {
			args := row.args
			if len(args) == 0 || strings.HasPrefix(args[0], "--") && args[0] != "--data" {
				args = append(args, "--data", filepath.Join(t.TempDir(), "data"))
			}
			var out, err bytes.Buffer
			code := run(t.Context(), args, func(k string) string { return row.env[k] }, strings.NewReader(""), &out, &err)
			if code != wrongUsage {
				t.Errorf("exit code %d, want %d", code, wrongUsage)
			}
			for _, text := range row.says {
				if !strings.Contains(err.String(), text) {
					t.Errorf("stderr lacks %q: %s", text, err.String())
				}
			}
			if lines := strings.Count(err.String(), "\n"); lines != 1 {
				t.Errorf("stderr has %d lines: %s", lines, err.String())
			}
		})
	}
}

func TestRun_helpAndVersionEndWell(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"version"}} {
		var out, err bytes.Buffer
		if code := run(t.Context(), args, noEnvironment, strings.NewReader(""), &out, &err); code != done || out.Len() == 0 {
			t.Errorf("%v: exit code %d, %d bytes on stdout, stderr %q", args, code, out.Len(), err.String())
		}
	}
}

// TestServe_saysWhereItListensAndStops starts the whole program on a free port
// and stops it as Ctrl-C does.
func TestServe_saysWhereItListensAndStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &firstLine{seen: make(chan string, 1)}
	ended := make(chan int, 1)
	var err bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"serve", "--addr", "localhost:0", "--data", filepath.Join(t.TempDir(), "data")}, noEnvironment, strings.NewReader(""), out, &err)
	}()
	select {
	case line := <-out.seen:
		if !strings.HasPrefix(line, "listening on http://localhost:") || strings.HasSuffix(line, ":0") {
			t.Errorf("first line on stdout is %q", line)
		}
	case code := <-ended:
		t.Fatalf("ended at once with %d: %s", code, err.String())
	}
	stop()
	if code := <-ended; code != done {
		t.Errorf("exit code %d after a signal: %s", code, err.String())
	}
}

// TestServe_finishesRequestsInFlight stops the program while somebody is in the
// middle of sending a form: they get their answer.
func TestServe_finishesRequestsInFlight(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &firstLine{seen: make(chan string, 1)}
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"serve", "--addr", "localhost:0", "--data", filepath.Join(t.TempDir(), "data")}, noEnvironment, strings.NewReader(""), out, &stderr)
	}()
	address := strings.TrimPrefix(<-out.seen, "listening on http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const body = "email=a%40b.example&password=x"
	fmt.Fprintf(conn, "POST /signin HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", address, len(body))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, %v; want to be asked for the form", line, err)
	}
	stop()
	for dialled := net.Conn(nil); ; dialled.Close() {
		if dialled, err = net.Dial("tcp", address); err != nil {
			break // nobody new is let in: the stop has begun
		}
	}
	fmt.Fprint(conn, body)
	if _, err := answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if page, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(page), "</html>") {
		t.Errorf("got %d, %d bytes, %v", response.StatusCode, len(page), err)
	}
	if code := <-ended; code != done {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}

// firstLine hands out the first line written to it.
type firstLine struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen chan string
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := strings.Contains(f.text.String(), "\n")
	f.text.Write(p)
	if line, _, ok := strings.Cut(f.text.String(), "\n"); ok && !before {
		f.seen <- line
	}
	return len(p), nil
}

func TestUserAdd_opensAnAccountOnce(t *testing.T) {
	args := []string{"user", "add", "--data", filepath.Join(t.TempDir(), "data"), "--email", "head@school.example", "--name", "The head", "--role", "admin"}
	add := func(password string) (int, string) {
		var out, err bytes.Buffer
		code := run(t.Context(), args, noEnvironment, strings.NewReader(password), &out, &err)
		return code, err.String()
	}
	if code, said := add(""); code != failed || !strings.Contains(said, "password") {
		t.Errorf("without a password: %d %s", code, said)
	}
	if code, said := add("short\n"); code != failed || strings.Contains(said, "short\n") {
		t.Errorf("with a short password: %d %s", code, said)
	}
	if code, said := add("a quiet violet tractor\n"); code != done {
		t.Errorf("with a good password: %d %s", code, said)
	}
	if code, said := add("a quiet violet tractor\n"); code != failed || !strings.Contains(said, "taken") {
		t.Errorf("the second time: %d %s", code, said)
	}
}
