package labview_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"lectern/views/labview"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shown are the pages of the lab in the states that they can be in.
var shown = map[string]templ.Component{
	"asvs":             labview.ASVS(held),
	"asvs-nothing":     labview.ASVS(heldToNothing),
	"begun":            labview.Experiment(begun),
	"predicted":        labview.Experiment(predicted),
	"full":             labview.Experiment(full),
	"failed":           labview.Experiment(failed),
	"ran":              labview.Experiment(ran),
	"many-lanes":       labview.Experiment(many),
	"wrongly-answered": labview.Experiment(wronglyExplained),
	"explained":        labview.Experiment(explained),
	"shared":           labview.Experiment(shared),
	"gone":             labview.Experiment(gone),
	"broken":           labview.Experiment(broken),
	"permissions":      labview.Permissions(permissions),
	"permissions-part": labview.Permissions(permissionsPart),
	"scoreboard":       labview.Scoreboard(board),
	"scoreboard-new":   labview.Scoreboard(untouched),
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var hash = regexp.MustCompile(`(/assets/[\w-]+)\.[0-9a-f]{8}\.`)

func TestPages(t *testing.T) {
	for name, page := range shown {
		t.Run(name, func(t *testing.T) {
			got := hash.ReplaceAllString(render(t, page), "$1.") + "\n"
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s is missing: run go test -update and read what it wrote", file)
			} else if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it is not what %s holds; run go test -update and read the difference", file)
			}
		})
	}
}

func TestGoldenFiles_areAllUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := shown[strings.TrimSuffix(filepath.Base(file), ".html")]; !ok {
			t.Errorf("%s belongs to no page", file)
		}
	}
}

func TestPages_keepTheContentPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<[^>]*\s(style|on[a-z]+)=|<script|<style`)
	for name, page := range shown {
		if found := forbidden.FindString(render(t, page)); found != "" {
			t.Errorf("%s has %s", name, found)
		}
	}
}

func TestPages_giveEachIDOnce(t *testing.T) {
	ids := regexp.MustCompile(` id="([^"]*)"`)
	for name, page := range shown {
		seen := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(render(t, page), -1) {
			if seen[m[1]] {
				t.Errorf("%s has two elements called %s", name, m[1])
			}
			seen[m[1]] = true
		}
	}
}
