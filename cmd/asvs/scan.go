package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// key is that of the attribute in which a test names rows.
const key = "asvs"

// claim is a test that says which rows it proves.
type claim struct {
	Package string // "lectern/handlers"
	Test    string
	Rows    []string
}

// pack is a package with the tests of it that prove something.
type pack struct {
	path   string
	claims []claim
}

// pattern is what go test is to run.
func (p pack) pattern() string {
	var names []string
	for _, c := range p.claims {
		names = append(names, c.Test)
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

func byPackage(claims []claim) (packs []pack) {
	for _, c := range claims {
		if last := len(packs) - 1; last < 0 || packs[last].path != c.Package {
			packs = append(packs, pack{path: c.Package})
		}
		last := &packs[len(packs)-1]
		last.claims = append(last.claims, c)
	}
	return packs
}

// scan reads the claims off the tests of the module below a folder, by package and
// name. A claim that could not be found here, or not be run by its name, is an error.
func scan(root string) ([]claim, error) {
	module, err := moduleOf(root)
	if err != nil {
		return nil, err
	}
	var claims []claim
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base == "testdata" || name != root && strings.HasPrefix(base, ".") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		relative, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found, err := scanFile(name, text)
		for i := range found {
			found[i].Package = path.Join(module, filepath.ToSlash(relative))
		}
		claims = append(claims, found...)
		return err
	})
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.Test, b.Test))
	})
	return claims, err
}

// moduleOf is the path that stands in go.mod.
func moduleOf(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	module, ok := strings.CutPrefix(line, "module ")
	if !ok {
		return "", fmt.Errorf("go.mod begins with %q", line)
	}
	return strings.TrimSpace(module), nil
}

// scanFile reads the claims of one file. Only a statement of the test itself counts,
// and only rows that are written out: whatever else sets the attribute is an error.
func scanFile(name string, text []byte) ([]claim, error) {
	if !strings.Contains(string(text), ".Attr(") {
		return nil, nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var claims []claim
	good := map[*ast.CallExpr]bool{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		for _, statement := range f.Body.List {
			e, ok := statement.(*ast.ExprStmt)
			if !ok {
				continue
			}
			if call, rows := attribute(e.X); call != nil && len(rows) > 0 {
				good[call] = true
				claims = append(claims, claim{Test: f.Name.Name, Rows: rows})
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && err == nil {
			if set, _ := attribute(call); set != nil && !good[set] {
				err = fmt.Errorf("%s: the rows must be written out, in a statement of the test itself", files.Position(call.Pos()))
			}
		}
		return err == nil
	})
	return claims, err
}

// attribute returns the call, if it sets our attribute, and the rows, if they are
// written out.
func attribute(e ast.Expr) (*ast.CallExpr, []string) {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return nil, nil
	}
	if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "Attr" || literal(call.Args[0]) != key {
		return nil, nil
	}
	return call, strings.Fields(literal(call.Args[1]))
}

// literal is the text of a string that is written out; empty for anything else.
func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return text
}
