package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// TestServe_doesWithoutTheOtherSite starts the program where the address is taken,
// where nobody asked, and where visitors could not come: it serves, and the page says
// what is missing.
func TestServe_doesWithoutTheOtherSite(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct {
		says   string
		args   []string
		page   string
		warned bool
	}{
		{"its address is in use", []string{"--demo", "--lab-other-addr", taken.Addr().String()}, "Its address was in use", true},
		{"it is turned off", []string{"--demo", "--lab-other-addr", "none"}, "Nobody has asked for one", false},
		{"it is no demo", nil, "Nobody has asked for one", false},
		{"visitors cannot come there", []string{"--lab-other-addr", "127.0.0.1:0", "--base-url", "https://school.example"}, "It listens where your browser cannot come", true},
		{"all is well", []string{"--lab-other-addr", "127.0.0.1:0"}, "data-door", false},
	} {
		t.Run(row.says, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			out, ended := &firstLine{seen: make(chan string, 1)}, make(chan int, 1)
			var stderr bytes.Buffer
			args := append([]string{"serve", "--addr", "localhost:0", "--demo-provider-addr", "none", "--data", filepath.Join(t.TempDir(), "data")}, row.args...)
			go func() { ended <- run(ctx, args, noEnvironment, strings.NewReader(""), out, &stderr) }()
			var home string
			select {
			case line := <-out.seen:
				home = strings.TrimPrefix(line, "listening on ")
			case code := <-ended:
				t.Fatalf("ended at once with %d: %s", code, stderr.String())
			}
			answer, err := http.Get(home + postPage)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), row.page) {
				t.Errorf("the page answers %d and lacks %q, %v", answer.StatusCode, row.page, err)
			}
			stop()
			if code := <-ended; code != done {
				t.Errorf("exit code %d: %s", code, stderr.String())
			}
			if warned := strings.Contains(stderr.String(), "other site is missing"); warned != row.warned {
				t.Errorf("warned is %t, want %t: %s", warned, row.warned, stderr.String())
			}
		})
	}
}
