package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
)

// TestServe_countsTriesOverServers runs the program twice on one folder, and sends to the
// two in turns as much as each by itself would let through: together they do not.
func TestServe_countsTriesOverServers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	var servers [2]*caller
	for i := range servers {
		address, _ := serveDemo(t, "--data", data)
		servers[i] = newCaller(t, address)
	}
	for _, row := range []struct {
		path     string
		form     url.Values
		free, of int // before anybody is told to wait, and all that are sent
	}{
		{"/signin", url.Values{"email": {"ada@lectern.example"}, "password": {"not it at all, sorry"}}, 5, 10},
		{"/signup", nil, 100, 150},
	} {
		waits := 0
		for n := range row.of {
			c := servers[n%2]
			switch status, page := c.read(c.client.PostForm(c.address+row.path, row.form)); {
			case status == http.StatusTooManyRequests && n >= row.free:
				waits++
			case status != http.StatusUnprocessableEntity:
				t.Fatalf("%s, number %d: %d\n%s", row.path, n+1, status, page)
			}
		}
		if waits == 0 {
			t.Errorf("%s: all %d were let through", row.path, row.of)
		}
	}
}
