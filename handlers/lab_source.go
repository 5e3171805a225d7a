package handlers

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"sync"

	"lectern/handlers/lab"
	"lectern/handlers/markdown"
	"lectern/views/labview"
	"lectern/views/ui"
)

// source is this program's own text, as far as the lab shows it: the lines that
// decide come from the program that is running, and not from a copy elsewhere that
// may have changed.
//
//go:embed account.go admin_people.go jwks.go middleware.go policy/policy.go policy/rules.go
//go:embed session/cookie.go session/ending.go session/manager.go session/session.go session/standing.go
//go:embed session/cookiejwt/cookiejwt.go session/cookiejwt/cutoff.go session/cookiejwt/denylist.go
//go:embed session/hybrid/hybrid.go session/hybrid/refresh.go session/hybrid/sql.go session/hybrid/store.go session/hybrid/ticket.go
//go:embed session/serverstore/memory.go session/serverstore/redis.go session/serverstore/register.go
//go:embed session/serverstore/serverstore.go session/serverstore/sql.go session/serverstore/table.go
//go:embed token/issuer.go token/keyring.go token/keys.go token/keysfile.go token/mac.go token/read.go token/token.go
//go:embed lab/broken/*.go
var source embed.FS

// excerpt is a function as it stands in its file.
type excerpt struct {
	from  int      // the number of its first line
	lines []string // coloured, as HTML
}

var (
	excerptsMu sync.Mutex
	excerpts   = map[string]excerpt{} // by file and function: there are as many as the experiments name
)

// excerptOf cuts a function out of the program's text, with the comment above it. The
// function is named as in Go, a method with or without its type: "Backend.New".
func excerptOf(file, function string) (excerpt, error) {
	excerptsMu.Lock()
	defer excerptsMu.Unlock()
	key := file + " " + function
	if found, ok := excerpts[key]; ok {
		return found, nil
	}
	text, err := source.ReadFile(strings.TrimPrefix(file, "handlers/"))
	if err != nil {
		return excerpt{}, err
	}
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return excerpt{}, err
	}
	var found *ast.FuncDecl
	for _, declared := range parsed.Decls {
		f, ok := declared.(*ast.FuncDecl)
		if !ok || nameOf(f) != function && f.Name.Name != function {
			continue
		}
		if found != nil {
			return excerpt{}, fmt.Errorf("%s has two functions %s", file, function)
		}
		found = f
	}
	if found == nil {
		return excerpt{}, fmt.Errorf("%s has no function %s", file, function)
	}
	start := found.Pos()
	if found.Doc != nil {
		start = found.Doc.Pos()
	}
	from, to := positions.Position(start).Line, positions.Position(found.End()).Line
	all := strings.Split(string(text), "\n")
	cut := excerpt{from, markdown.Highlight("go", strings.Join(all[from-1:to], "\n"))}
	excerpts[key] = cut
	return cut, nil
}

// lineOf cuts one line out of the program's text.
func lineOf(file string, number int) (excerpt, error) {
	text, err := source.ReadFile(strings.TrimPrefix(file, "handlers/"))
	if err != nil {
		return excerpt{}, err
	}
	all := strings.Split(string(text), "\n")
	if number < 1 || number > len(all) {
		return excerpt{}, fmt.Errorf("%s has no line %d", file, number)
	}
	return excerpt{number, markdown.Highlight("go", strings.TrimSpace(all[number-1]))}, nil
}

// sourceTitle says where an excerpt stands.
func sourceTitle(file string, cut excerpt) string {
	if len(cut.lines) == 1 {
		return fmt.Sprintf("%s, line %d", file, cut.from)
	}
	return fmt.Sprintf("%s, lines %d–%d", file, cut.from, cut.from+len(cut.lines)-1)
}

// nameOf is a function's name with its receiver's type.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// sourcesOf are the deciding lines of an experiment, ready for its page.
func sourcesOf(e *lab.Experiment) ([]labview.Source, error) {
	var all []labview.Source
	for _, l := range e.Lines {
		cut, err := excerptOf(l.File, l.Func)
		if err != nil {
			return nil, err
		}
		s := labview.Source{Title: sourceTitle(l.File, cut), Note: l.Look}
		var labels []string
		for name := range strings.SplitSeq(l.Column, ", ") {
			if c := e.Setup(name); c != nil {
				labels = append(labels, c.Label)
				if s.Backend == "" {
					s.Backend = c.Kind
				}
			}
		}
		s.Label = strings.Join(labels, ", ")
		for i, line := range cut.lines {
			s.Lines = append(s.Lines, labview.SourceLine{Number: cut.from + i, HTML: line})
		}
		all = append(all, s)
	}
	return all, nil
}

// verdictTone says whether a verdict is good news.
func verdictTone(good lab.Verdict, c *lab.Column) ui.State {
	switch {
	case good == "" || c.Verdict == lab.NotApplicable:
		return ""
	case c.Verdict == good:
		return ui.Pass
	}
	return ui.Fail
}
