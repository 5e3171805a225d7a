package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/handlers/session/redistest"
	"lectern/views"
)

// said is what the program writes on stderr while it runs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// serveDemo runs the program with these settings until the test is over, and
// returns its address and what it says.
func serveDemo(t *testing.T, settings ...string) (address string, log *said) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, log, ended := &firstLine{seen: make(chan string, 1)}, &said{}, make(chan int, 1)
	args := append([]string{"serve", "--demo", "--addr", "localhost:0", "--demo-provider-addr", "none", "--data", filepath.Join(t.TempDir(), "data")}, settings...)
	go func() { ended <- run(ctx, args, noEnvironment, strings.NewReader(""), out, log) }()
	select {
	case line := <-out.seen:
		t.Cleanup(func() {
			stop()
			if code := <-ended; code != done {
				t.Errorf("exit code %d: %s", code, log)
			}
		})
		return strings.TrimPrefix(line, "listening on "), log
	case code := <-ended:
		stop()
		t.Fatalf("ended at once with %d: %s", code, log)
	}
	return "", nil
}

// caller is somebody with a cookie jar who waits two seconds and not longer.
type caller struct {
	t       *testing.T
	address string
	client  http.Client
}

func newCaller(t *testing.T, address string) *caller {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{t, address, http.Client{Jar: jar, Timeout: 2 * time.Second, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	t.Cleanup(c.client.CloseIdleConnections)
	return c
}

func (c *caller) read(response *http.Response, err error) (int, string) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func (c *caller) get(path string) (int, string) {
	c.t.Helper()
	return c.read(c.client.Get(c.address + path))
}

func (c *caller) signIn() int {
	c.t.Helper()
	status, _ := c.read(c.client.PostForm(c.address+"/signin", url.Values{"email": {views.DemoAccounts[0].Email}, "password": {views.DemoPassword}}))
	return status
}

// TestServe_startsWithoutItsRedis and serves what needs none. As soon as Redis
// is there, people sign in, and stay so over a restart of it.
func TestServe_startsWithoutItsRedis(t *testing.T) {
	server := redistest.Start(t)
	server.Stop()
	address, log := serveDemo(t, "--sessions", "redis", "--redis", server.URL())
	if !strings.Contains(log.String(), "redis cannot be reached") {
		t.Errorf("the log does not warn: %s", log)
	}
	her := newCaller(t, address)
	if status, body := her.get("/readyz"); status != http.StatusServiceUnavailable || body != "redis: not reachable\n" {
		t.Errorf("readyz answers %d %q", status, body)
	}
	if status, _ := her.get("/courses"); status != http.StatusOK {
		t.Errorf("the catalogue answers %d", status)
	}
	if status := her.signIn(); status != http.StatusServiceUnavailable {
		t.Errorf("signing in answers %d", status)
	}
	server.Restart()
	comesBack := func(do func() int, want int) {
		t.Helper()
		deadline := time.Now().Add(10 * time.Second)
		status := do()
		for status != want && time.Now().Before(deadline) {
			status = do()
		}
		if status != want {
			t.Fatalf("it answers %d, want %d", status, want)
		}
	}
	comesBack(her.signIn, http.StatusSeeOther)
	if status, body := her.get("/api/v1/session"); status != http.StatusOK || !strings.Contains(body, `"backend":"redis"`) {
		t.Errorf("her session: %d %s", status, body)
	}
	if status, body := her.get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz answers %d %q", status, body)
	}
	server.Stop()
	server.Restart()
	comesBack(func() int { status, _ := her.get("/account"); return status }, http.StatusOK)
}

// TestServe_warnsOfARedisThatForgets says so once, and nothing of one that is
// set as it should be or does not say how it is set.
func TestServe_warnsOfARedisThatForgets(t *testing.T) {
	const warning = "set maxmemory-policy to noeviction"
	server := redistest.Start(t)
	for _, row := range []struct {
		command string
		warns   bool
	}{
		{"CONFIG SET maxmemory-policy noeviction", false},
		{"CONFIG SET maxmemory-policy allkeys-lru", true},
		{"ACL SETUSER default -config", false},
	} {
		server.Do(row.command)
		if _, log := serveDemo(t, "--redis", server.URL()); strings.Contains(log.String(), warning) != row.warns {
			t.Errorf("after %q the log says %s", row.command, log)
		}
	}
}

// TestServe_offersRedisWhereItHasOne and not elsewhere.
func TestServe_offersRedisWhereItHasOne(t *testing.T) {
	const offer = "Ticket (Redis)"
	with, _ := serveDemo(t, "--redis", redistest.Start(t).URL())
	without, _ := serveDemo(t)
	if _, page := newCaller(t, with).get("/signin"); !strings.Contains(page, offer) {
		t.Error("a site with a Redis does not offer it")
	}
	if _, page := newCaller(t, without).get("/signin"); strings.Contains(page, offer) {
		t.Error("a site without a Redis offers it")
	}
}

// TestServe_tellsNobodyThePasswordOfRedis logs in with a wrong one.
func TestServe_tellsNobodyThePasswordOfRedis(t *testing.T) {
	t.Attr("asvs", "16.2.5")
	server := redistest.Start(t)
	address := strings.Replace(server.URL(), "redis://", "redis://lectern:s3cret-of-redis@", 1)
	where, log := serveDemo(t, "--sessions", "redis", "--redis", address)
	newCaller(t, where).signIn()
	if text := log.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "WRONGPASS") {
		t.Errorf("the log says %s", text)
	}
	var out, err bytes.Buffer
	if code := run(t.Context(), []string{"serve", "--redis", address + "x"}, noEnvironment, strings.NewReader(""), &out, &err); code != wrongUsage || strings.Contains(err.String(), "s3cret") {
		t.Errorf("a wrong address: %d %s", code, err.String())
	}
}
