package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServe_logsObjectsThatSayWhen runs the whole program in a place whose clocks are
// ahead: each line that it writes is a JSON object, with a level and a message, and says
// when it was in a form that means one moment wherever it is read.
func TestServe_logsObjectsThatSayWhen(t *testing.T) {
	t.Attr("asvs", "16.2.2 16.2.4")
	begun, log := time.Now(), &said{}
	elsewhere := func(program *exec.Cmd) {
		program.Env = append(program.Env, "TZ=Asia/Kathmandu")
		program.Stderr = log
	}
	// The Redis is away, so that there is something to warn of.
	program, address := startWith(t, elsewhere, filepath.Join(t.TempDir(), "data"), "--redis", "redis://127.0.0.1:1/0")
	c := newCaller(t, address)
	c.signIn()
	for _, path := range []string{"/", "/readyz", "/account", "/admin/users", "/nothing%0a%22%7d%0a", "/api/v1/nothing"} {
		if _, err := c.client.Get(address + path); err != nil {
			t.Fatal(err)
		}
	}
	response, err := http.Post(address+"/appearance", "application/x-www-form-urlencoded", strings.NewReader("%zz"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if err := program.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil { // until all that it has written is here
		t.Fatal(err)
	}

	levels := map[string]int{}
	for text := range strings.Lines(log.String()) {
		var line struct {
			Time, Level, Msg string
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil || !strings.HasPrefix(text, "{") {
			t.Errorf("a line is no object: %q", text)
			continue
		}
		levels[line.Level]++
		if line.Msg == "" {
			t.Errorf("a line has no message: %q", text)
		}
		at, err := time.Parse(time.RFC3339Nano, line.Time) // which wants Z or how far from it
		if err != nil || at.Before(begun.Add(-time.Second)) || at.After(time.Now()) {
			t.Errorf("a line is of %q, and it was after %s: %v", line.Time, begun, err)
		}
	}
	if levels["INFO"] < 8 || levels["WARN"] < 1 {
		t.Errorf("there are lines of %v", levels)
	}
}
