package main_test

import (
	"encoding/json"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport is the map of the house: which of our packages may import which of
// ours. A pattern that ends in "/..." stands for a package and all below it.
var mayImport = map[string][]string{
	"lectern/cmd/lectern":                  {"lectern/..."},
	"lectern/cmd/asvs":                     {"lectern/handlers/asvs", "lectern/handlers/session"},
	"lectern/db/school":                    {},
	"lectern/db":                           {"lectern/db/school"},
	"lectern/db/courseware":                {"lectern/db/school"},
	"lectern/handlers":                     {"lectern/db", "lectern/db/school", "lectern/db/courseware", "lectern/views/...", "lectern/assets", "lectern/handlers/..."},
	"lectern/handlers/asvs":                {},
	"lectern/handlers/auth":                {"lectern/db/school"},
	"lectern/handlers/campus":              {},
	"lectern/handlers/bearer":              {"lectern/db/school", "lectern/handlers/token"},
	"lectern/handlers/openapi":             {},
	"lectern/handlers/policy":              {"lectern/db/school"},
	"lectern/handlers/lab":                 {"lectern/db/school", "lectern/handlers/session/...", "lectern/handlers/session", "lectern/handlers/token", "lectern/handlers/lab/broken", "lectern/handlers/lab/laden"},
	"lectern/handlers/markdown":            {"lectern/db/school"},
	"lectern/handlers/message":             {"lectern/db/school"},
	"lectern/handlers/matrix":              {"lectern/db/school", "lectern/handlers/policy"},
	"lectern/handlers/lab/broken":          {"lectern/db/school", "lectern/handlers/session", "lectern/handlers/session/cookiejwt", "lectern/handlers/session/hybrid", "lectern/handlers/session/serverstore", "lectern/handlers/token"},
	"lectern/handlers/lab/othersite":       {},
	"lectern/handlers/lab/laden":           {"lectern/handlers/session", "lectern/handlers/session/cookiejwt", "lectern/handlers/session/hybrid", "lectern/handlers/session/serverstore"},
	"lectern/handlers/session":             {"lectern/db/school"},
	"lectern/handlers/session/cookiejwt":   {"lectern/db/school", "lectern/handlers/session", "lectern/handlers/token"},
	"lectern/handlers/session/hybrid":      {"lectern/db/school", "lectern/handlers/session", "lectern/handlers/session/cookiejwt", "lectern/handlers/session/serverstore", "lectern/handlers/token"},
	"lectern/handlers/session/serverstore": {"lectern/db/school", "lectern/handlers/session"},
	"lectern/handlers/session/jar":         {},
	"lectern/handlers/session/sessiontest": {"lectern/db/school", "lectern/handlers/session", "lectern/handlers/session/jar"},
	"lectern/handlers/session/kinds":       {"lectern/handlers/session", "lectern/handlers/session/cookiejwt", "lectern/handlers/session/hybrid", "lectern/handlers/session/serverstore", "lectern/handlers/token"},
	"lectern/handlers/session/redistest":   {},
	"lectern/handlers/token":               {},
	"lectern/views":                        {"lectern/assets", "lectern/views/...", "lectern/db/school"},
	"lectern/views/cover":                  {},
	"lectern/views/labview":                {"lectern/assets", "lectern/views/ui", "lectern/db/school"},
	"lectern/views/ui":                     {"lectern/assets", "lectern/db/school"},
	"lectern/assets":                       {},
	"lectern/seed":                         {"lectern/db", "lectern/db/courseware", "lectern/db/school", "lectern/handlers/auth"},
}

// foreign says which modules of others are kept to which of our packages.
var foreign = map[string][]string{
	"github.com/labstack/echo":           {"lectern/handlers"},
	"github.com/gorilla/sessions":        {"lectern/handlers/session/...", "lectern/handlers/lab/broken", "lectern/handlers/lab/laden"},
	"github.com/gorilla/securecookie":    {"lectern/handlers/lab/broken"},
	"github.com/golang-jwt/jwt":          {"lectern/handlers/token"},
	"github.com/go-json-experiment/json": {"lectern/handlers/token", "lectern/handlers"},
	"github.com/mattn/go-sqlite3":        {"lectern/db"},
	"github.com/redis/go-redis":          {"lectern/handlers/session/serverstore"},
	"github.com/alicebob/miniredis":      {},
	"golang.org/x/crypto":                {"lectern/handlers/auth"},
	"github.com/coreos/go-oidc":          {"lectern/handlers/auth"},
	"golang.org/x/oauth2":                {"lectern/handlers/auth"},
	"github.com/zitadel/oidc":            {"lectern/handlers/campus"},
	"github.com/go-jose/go-jose":         {"lectern/handlers/campus"},
	"github.com/yuin/goldmark":           {"lectern/handlers/markdown"},
	"github.com/microcosm-cc/bluemonday": {"lectern/handlers/markdown"},
	"github.com/alecthomas/kong":         {"lectern/cmd/lectern"},
	"github.com/a-h/templ":               {"lectern/views/...", "lectern/handlers"},
	"github.com/piglig/go-qr":            {"lectern/handlers"},
	"github.com/wneessen/go-mail":        {"lectern/handlers/message"},
	"github.com/emersion/go-smtp":        {},
	"github.com/go-webauthn/webauthn":    {"lectern/handlers/auth"},
	"github.com/descope/virtualwebauthn": {},
}

// forTests are the packages that only tests import.
var forTests = []string{"lectern/handlers/session/redistest"}

// onlyFor says which of our packages are kept to one of ours, whatever mayImport
// allows: a deliberate mistake, and what is made worse for show, must be out of reach
// of the site itself.
var onlyFor = map[string]string{"lectern/handlers/lab/broken": "lectern/handlers/lab", "lectern/handlers/lab/laden": "lectern/handlers/lab"}

func TestImports_keepToTheMap(t *testing.T) {
	for _, p := range list(t) {
		allowed, known := mayImport[p.ImportPath]
		if !known {
			t.Errorf("package %s is not on the map", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if matches(forTests, imported) {
				t.Errorf("%s must not import %s; only tests may", p.ImportPath, imported)
			}
			if home := onlyFor[imported]; home != "" && home != p.ImportPath {
				t.Errorf("%s must not import %s; only %s may", p.ImportPath, imported, home)
			}
			if strings.HasPrefix(imported, "lectern/") && !matches(allowed, imported) {
				t.Errorf("%s must not import %s", p.ImportPath, imported)
			}
			for module, homes := range foreign {
				if strings.HasPrefix(imported, module) && !matches(homes, p.ImportPath) {
					t.Errorf("%s must not import %s; only %v may", p.ImportPath, imported, homes)
				}
			}
			if p.ImportPath == "lectern/db/school" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s imports %s; the nouns need the standard library alone", p.ImportPath, imported)
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = path.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	return all
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
			return name == prefix || strings.HasPrefix(name, prefix+"/")
		}
		return name == pattern
	})
}
