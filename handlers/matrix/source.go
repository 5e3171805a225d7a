package matrix

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// Source is the text of the rules, taken apart: in which function and on which line
// an answer is decided.
type Source struct {
	positions *token.FileSet
	functions map[string]*ast.FuncDecl
	// rules are the entries of the table, by the action.
	rules map[policy.Action]*ast.KeyValueExpr
}

// Deciding is where in the rules an answer comes from.
type Deciding struct {
	Entry int    // the line of the table that gives the action its rule
	Func  string // the rule
	Line  int    // of the return at which it ended
	// Verdict is what the rule comes to, read off its text.
	Verdict policy.Verdict
}

// ReadSource takes the text of package policy's file of rules apart.
func ReadSource(text []byte) (*Source, error) {
	s := &Source{positions: token.NewFileSet(), functions: map[string]*ast.FuncDecl{}, rules: map[policy.Action]*ast.KeyValueExpr{}}
	file, err := parser.ParseFile(s.positions, "rules.go", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	actions, table := map[string]policy.Action{}, (*ast.CompositeLit)(nil)
	for _, declared := range file.Decls {
		switch d := declared.(type) {
		case *ast.FuncDecl:
			s.functions[d.Name.Name] = d
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				v, ok := spec.(*ast.ValueSpec)
				if !ok || len(v.Names) != 1 || len(v.Values) != 1 {
					continue
				}
				switch value := v.Values[0].(type) {
				case *ast.BasicLit:
					name, err := strconv.Unquote(value.Value)
					if err != nil {
						return nil, err
					}
					actions[v.Names[0].Name] = policy.Action(name)
				case *ast.CompositeLit:
					if v.Names[0].Name == "rules" {
						table = value
					}
				}
			}
		}
	}
	if table == nil {
		return nil, errors.New("matrix: the file has no table of rules")
	}
	for _, line := range table.Elts {
		if entry, ok := line.(*ast.KeyValueExpr); ok {
			if name, ok := entry.Key.(*ast.Ident); ok {
				s.rules[actions[name.Name]] = entry
			}
		}
	}
	return s, nil
}

// Decide follows the rule of an action through its text, to the line on which it ends
// for this actor and this object.
func (s *Source) Decide(a policy.Actor, action policy.Action, o policy.Object) (d Deciding, err error) {
	entry, ok := s.rules[action]
	if !ok {
		return d, fmt.Errorf("matrix: no rule for %s", action)
	}
	fields := entry.Value.(*ast.CompositeLit).Elts
	rule, ok := fields[len(fields)-1].(*ast.Ident)
	if !ok {
		return d, fmt.Errorf("matrix: the rule of %s is no function with a name", action)
	}
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case unreadable:
			err = fmt.Errorf("matrix: the rule of %s cannot be followed: line %d", action, s.positions.Position(problem.at).Line)
		default:
			panic(problem)
		}
	}()
	value, at := s.call(rule, []any{a, o})
	d.Entry, d.Func, d.Line = s.positions.Position(entry.Pos()).Line, rule.Name, s.positions.Position(at).Line
	d.Verdict, ok = value.(policy.Verdict)
	if !ok {
		return d, fmt.Errorf("matrix: the rule of %s comes to no verdict", action)
	}
	return d, nil
}

// unreadable: the rules are written with more than this can follow.
type unreadable struct{ at token.Pos }

// scope is what the names of a function's parameters stand for.
type scope map[string]any

// known is what the names of the package stand for, and those of the school.
var known = map[string]any{
	"Allow": policy.Allow, "Forbid": policy.Forbid, "Hide": policy.Hide, "true": true, "false": false,
	"school.Student": school.Student, "school.Instructor": school.Instructor, "school.Admin": school.Admin,
}

// call carries a function out, and says at which return it ended.
func (s *Source) call(name *ast.Ident, arguments []any) (any, token.Pos) {
	f, ok := s.functions[name.Name]
	if !ok {
		panic(unreadable{name.Pos()})
	}
	names, i := scope{}, 0
	for _, p := range f.Type.Params.List {
		for _, n := range p.Names {
			names[n.Name] = arguments[i]
			i++
		}
	}
	value, at, ended := s.block(f.Body.List, names)
	if !ended {
		panic(unreadable{f.Pos()})
	}
	return value, at
}

// block carries statements out, until one returns.
func (s *Source) block(list []ast.Stmt, names scope) (value any, at token.Pos, ended bool) {
	for _, statement := range list {
		switch st := statement.(type) {
		case *ast.ReturnStmt:
			if len(st.Results) != 1 {
				panic(unreadable{st.Pos()})
			}
			return s.value(st.Results[0], names), st.Pos(), true
		case *ast.IfStmt:
			if st.Init != nil || st.Else != nil {
				panic(unreadable{st.Pos()})
			}
			if s.holds(st.Cond, names) {
				value, at, ended = s.block(st.Body.List, names)
			}
		case *ast.SwitchStmt:
			if st.Init != nil || st.Tag != nil {
				panic(unreadable{st.Pos()})
			}
			value, at, ended = s.block(s.chosen(st, names), names)
		default:
			panic(unreadable{st.Pos()})
		}
		if ended {
			return value, at, true
		}
	}
	return nil, token.NoPos, false
}

// chosen are the statements of the case that holds.
func (s *Source) chosen(st *ast.SwitchStmt, names scope) []ast.Stmt {
	var otherwise []ast.Stmt
	for _, statement := range st.Body.List {
		clause := statement.(*ast.CaseClause)
		if clause.List == nil {
			otherwise = clause.Body
		}
		for _, condition := range clause.List {
			if s.holds(condition, names) {
				return clause.Body
			}
		}
	}
	return otherwise
}

func (s *Source) holds(x ast.Expr, names scope) bool {
	held, ok := s.value(x, names).(bool)
	if !ok {
		panic(unreadable{x.Pos()})
	}
	return held
}

// value is what an expression comes to.
func (s *Source) value(x ast.Expr, names scope) any {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return s.value(x.X, names)
	case *ast.Ident:
		if v, ok := names[x.Name]; ok {
			return v
		}
		if v, ok := known[x.Name]; ok {
			return v
		}
	case *ast.BasicLit:
		if text, err := strconv.Unquote(x.Value); err == nil {
			return text
		}
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return !s.holds(x.X, names)
		}
	case *ast.SelectorExpr:
		return s.selected(x, names)
	case *ast.BinaryExpr:
		return s.binary(x, names)
	case *ast.CallExpr:
		return s.called(x, names)
	}
	panic(unreadable{x.Pos()})
}

// selected is a field of the actor or the object, or a name of package school.
func (s *Source) selected(x *ast.SelectorExpr, names scope) any {
	of, ok := x.X.(*ast.Ident)
	if !ok {
		panic(unreadable{x.Pos()})
	}
	if v, ok := names[of.Name]; ok {
		if field := reflect.ValueOf(v).FieldByName(x.Sel.Name); field.IsValid() {
			return field.Interface()
		}
	} else if v, ok := known[of.Name+"."+x.Sel.Name]; ok {
		return v
	}
	panic(unreadable{x.Pos()})
}

func (s *Source) binary(x *ast.BinaryExpr, names scope) any {
	switch x.Op {
	case token.LAND:
		return s.holds(x.X, names) && s.holds(x.Y, names)
	case token.LOR:
		return s.holds(x.X, names) || s.holds(x.Y, names)
	case token.EQL:
		return same(s.value(x.X, names), s.value(x.Y, names))
	case token.NEQ:
		return !same(s.value(x.X, names), s.value(x.Y, names))
	}
	panic(unreadable{x.Pos()})
}

// same compares as the program does, where a text may stand for an id.
func same(a, b any) bool {
	v, w := reflect.ValueOf(a), reflect.ValueOf(b)
	if v.Kind() == reflect.String && w.Kind() == reflect.String {
		return v.String() == w.String()
	}
	return a == b
}

// called is what another function of the file comes to, or SignedIn of the actor.
func (s *Source) called(x *ast.CallExpr, names scope) any {
	switch f := x.Fun.(type) {
	case *ast.Ident:
		arguments := make([]any, len(x.Args))
		for i, a := range x.Args {
			arguments[i] = s.value(a, names)
		}
		value, _ := s.call(f, arguments)
		return value
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok && f.Sel.Name == "SignedIn" && len(x.Args) == 0 {
			if a, ok := names[of.Name].(policy.Actor); ok {
				return a.SignedIn()
			}
		}
	}
	panic(unreadable{x.Pos()})
}
