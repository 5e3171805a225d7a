package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayGuess are the files that draw from the fast generator, whose numbers can be guessed:
// none of them is a secret.
var mayGuess = []string{
	"handlers/class_hall.go", // how long a browser waits before it comes back, so that not all come at once
}

// drawsFrom says which argument of a function is where its randomness comes from.
var drawsFrom = map[string]int{"auth.NewHasher": 0, "auth.NewSeal": 1, "auth.LoadSealKey": 1, "token.OpenKeyring": 2, "token.Rotate": 2, "db.OpenTries": 2}

// TestRandomness_isTheSystems: the running program hands the system's generator to all
// that draws from what it was given, and no file but those above knows another.
func TestRandomness_isTheSystems(t *testing.T) {
	t.Attr("asvs", "6.5.3 11.5.1")
	root, handed := filepath.Join("..", ".."), map[string]int{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..") {
			return filepath.SkipDir
		}
		name, err := filepath.Rel(root, path)
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		system := false
		for _, spec := range file.Imports {
			switch strings.Trim(spec.Path.Value, `"`) {
			case "crypto/rand":
				system = true
			case "math/rand", "math/rand/v2":
				if !slices.Contains(mayGuess, filepath.ToSlash(name)) {
					t.Errorf("%s draws from %s, whose numbers can be guessed", name, spec.Path.Value)
				}
			}
		}
		if !strings.HasPrefix(filepath.ToSlash(name), "cmd/lectern/") {
			return nil
		}
		ast.Inspect(file, func(n ast.Node) bool {
			what, given := "", ast.Expr(nil)
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if spelled(n.Key) == "Random" {
					what, given = "Random", n.Value
				}
			case *ast.CallExpr:
				if i, draws := drawsFrom[spelled(n.Fun)]; draws {
					what, given = spelled(n.Fun), n.Args[i]
				}
			}
			if what == "" {
				return true
			}
			handed[what]++
			if !system || spelled(given) != "rand.Reader" {
				t.Errorf("%s: %s is handed %s", name, what, spelled(given))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for what := range drawsFrom {
		if handed[what] == 0 {
			t.Errorf("%s is called nowhere", what)
		}
	}
	if handed["Random"] < 4 {
		t.Errorf("only %d parts are handed randomness", handed["Random"])
	}
}

// spelled is a name as it stands in the source; empty for anything else.
func spelled(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return spelled(e.X) + "." + e.Sel.Name
	}
	return ""
}
