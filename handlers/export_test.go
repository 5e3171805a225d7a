package handlers

import (
	"context"
	"fmt"

	"github.com/labstack/echo/v4"

	"lectern/handlers/matrix"
)

// Routes are the lines of the table, as "GET /courses/:course".
func (s *Server) Routes() []string {
	var all []string
	for _, r := range s.table() {
		all = append(all, r.method+" "+r.path)
	}
	return all
}

// Unguarded are the lines of the table without a requirement.
func (s *Server) Unguarded() []string {
	var all []string
	for _, r := range s.table() {
		if r.needs.action == "" {
			all = append(all, r.method+" "+r.path)
		}
	}
	return all
}

// Served is everything that the router answers, as "GET /courses/:course".
func (s *Server) Served() []string {
	var all []string
	for _, r := range s.echo.Routes() {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

// PanicAt adds a page with a bug.
func (s *Server) PanicAt(path string) {
	s.echo.GET(path, s.withSession(func(echo.Context) error { panic("a bug") }))
}

// ShowAddressAt adds a page that says where a request comes from.
func (s *Server) ShowAddressAt(path string) {
	s.echo.GET(path, func(c echo.Context) error {
		return c.String(200, address(c).String()+" "+c.Scheme()+" "+c.Request().Host)
	})
}

// AskPermission asks a cell of the matrix, as the page does, and says what is not as
// the cell has it.
func (s *Server) AskPermission(ctx context.Context, cell matrix.Cell, kind string) string {
	run, err := s.askPermission(ctx, cell, kind)
	if err != nil {
		return err.Error()
	}
	if run.agrees(cell) {
		return ""
	}
	x := run.Exchange
	return fmt.Sprintf("%s %s answers %d to %q by %s (%s: %s), want %d by %s (%s)", x.Request.Method, x.Request.Path, x.Response.Status, x.Response.Headers["Location"],
		run.Action, run.Verdict, run.Rule, cell.Status, cell.Case.Action, cell.Verdict)
}
