package main

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"lectern/db"
	"lectern/seed"
	"lectern/views"
)

// started runs the program once in a folder of its own, and returns what it has made
// there: the files, and how many people the school has.
func started(t *testing.T, settings ...string) (files map[string][]byte, people int) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, log, ended := &firstLine{seen: make(chan string, 1)}, &said{}, make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--addr", "localhost:0", "--data", data}, settings...), noEnvironment, strings.NewReader(""), out, log)
	}()
	select {
	case line := <-out.seen:
		address := strings.TrimPrefix(line, "listening on ")
		// The accounts of the demonstration, and what everybody tries.
		for _, try := range [][2]string{{views.DemoAccounts[0].Email, seed.Password}, {views.DemoAccounts[2].Email, seed.Password}, {"admin@school.example", "admin"}, {"admin@localhost.localdomain", "password"}} {
			response, err := newVisit(t, address).http.PostForm(address+"/signin", url.Values{"email": {try[0]}, "password": {try[1]}})
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			demo := len(settings) > 0 && try[1] == seed.Password
			if in := response.StatusCode == http.StatusSeeOther; in != demo {
				t.Errorf("with %v, %s is answered %d", settings, try[0], response.StatusCode)
			}
		}
	case code := <-ended:
		t.Fatalf("ended at once with %d: %s", code, log)
	}
	stop()
	if code := <-ended; code != done {
		t.Errorf("exit code %d: %s", code, log)
	}
	files = map[string][]byte{}
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.IsDir() {
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("the folder %s is open to others: %s", entry.Name(), info.Mode())
			}
			return nil
		}
		files[entry.Name()], err = os.ReadFile(path)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %s", entry.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	school, err := openSchool(t.Context(), storage{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	defer school.Close()
	page, err := school.Users(t.Context(), db.UserQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return files, page.Total
}

// TestServe_comesWithNoSecret starts the program twice, in two folders: each draws keys
// of its own, for its owner's eyes alone, and nobody has an account with a password that
// others know. Only the demonstration has such.
func TestServe_comesWithNoSecret(t *testing.T) {
	t.Attr("asvs", "13.2.3")
	one, people := started(t)
	other, _ := started(t)
	keys := 0
	for name, content := range one {
		if strings.HasPrefix(name, databaseFile) {
			continue
		}
		keys++
		if len(content) < 32 || bytes.Equal(content, other[name]) {
			t.Errorf("two servers have one %s, of %d bytes", name, len(content))
		}
	}
	if keys != 2 {
		t.Errorf("there are %d keys", keys)
	}
	if people != 0 {
		t.Errorf("a new school has %d people", people)
	}
	if _, people := started(t, "--demo", "--lab-other-addr", "none", "--demo-provider-addr", "none"); people < len(views.DemoAccounts) {
		t.Errorf("the demonstration has %d people", people)
	}
}

// TestSettings_comeWithNoSecret: nothing that lets the program in elsewhere is known
// before somebody says it, a mail server's password as little as a key.
func TestSettings_comeWithNoSecret(t *testing.T) {
	t.Attr("asvs", "13.2.3")
	parser, err := kong.New(&commands{}, kong.Name("lectern"))
	if err != nil {
		t.Fatal(err)
	}
	harmless := map[string]bool{
		"data": true, "jwt-alg": true, "jwt-ttl": true, "remember": true, "addr": true, "sessions": true, "jwt-revocation": true, "session-idle": true, "session-lifetime": true,
	}
	flags := 0
	for _, node := range parser.Model.Leaves(false) {
		for _, group := range node.AllFlags(false) {
			for _, flag := range group {
				flags++
				if flag.HasDefault && !harmless[flag.Name] {
					t.Errorf("--%s is %q unless somebody says otherwise", flag.Name, flag.Default)
				}
			}
		}
	}
	if flags < 30 {
		t.Errorf("only %d settings were found", flags)
	}
}
