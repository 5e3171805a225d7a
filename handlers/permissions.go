package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/lab"
	"lectern/handlers/matrix"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// permissions is the matrix among the pages of the lab.
const permissions = "permissions"

// permissionKinds are the kinds of session with which a cell can be asked.
func (s *Server) permissionKinds() []string {
	if s.LabRedis == nil {
		return []string{session.JWT, session.Memory, session.Database, session.Hybrid}
	}
	return []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid}
}

// permissionRun is a cell that was asked, as it is kept.
type permissionRun struct {
	Cell     string        `json:"cell"`
	Kind     string        `json:"kind"`
	At       time.Time     `json:"at"`
	Exchange *lab.Exchange `json:"exchange"`
	Action   policy.Action `json:"action"`
	Verdict  string        `json:"verdict"`
	Rule     string        `json:"rule"`
}

// agrees reports whether the site answered as the matrix says.
func (r permissionRun) agrees(cell matrix.Cell) bool {
	toSignIn := strings.HasPrefix(r.Exchange.Response.Headers[echo.HeaderLocation], "/signin")
	return r.Exchange.Response.Status == cell.Status && toSignIn == cell.ToSignIn() &&
		r.Action == cell.Case.Action && r.Verdict == cell.Verdict.String() && r.Rule == cell.Rule
}

// showPermissions is the matrix, or as much of it as the address asks for, with one
// cell of it from near.
func (s *Server) showPermissions(c echo.Context) error {
	var chosen *matrix.Cell
	if key := c.QueryParam("cell"); key != "" {
		cell, ok := matrix.Find(key)
		if !ok {
			return school.ErrNotFound
		}
		chosen = &cell
	}
	p, err := s.permissionsProps(c, filterOf(c.QueryParam("role"), c.QueryParam("action")), chosen)
	if err != nil {
		return err
	}
	if id := c.QueryParam("run"); id != "" && chosen != nil {
		if err := s.tellPermission(c.Request().Context(), id, *chosen, p.Chosen); err != nil {
			return err
		}
	}
	return s.permissionsPage(c, http.StatusOK, p)
}

func (s *Server) permissionsPage(c echo.Context, status int, p labview.PermissionsProps) error {
	return s.page(c, status, views.LabPermissionsPage(s.frame(c, "Who may do what", "lab"), p))
}

// permissionFilter is what the page is kept to; the zero value is all of it.
type permissionFilter struct {
	role   string
	action policy.Action
}

// filterOf passes over what there is not.
func filterOf(role, action string) (f permissionFilter) {
	if slices.ContainsFunc(matrix.Subjects, func(s matrix.Subject) bool { return s.Key == role }) {
		f.role = role
	}
	if slices.Contains(policy.Actions, policy.Action(action)) {
		f.action = policy.Action(action)
	}
	return f
}

// address is the page with a cell of it; without, if the key is empty.
func (f permissionFilter) address(cell string) string {
	q := url.Values{}
	for name, value := range map[string]string{"role": f.role, "action": string(f.action), "cell": cell} {
		if value != "" {
			q.Set(name, value)
		}
	}
	address := labAddress(permissions)
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	if cell != "" {
		address += "#cell"
	}
	return address
}

// runPermission asks a cell: it makes the request of it, as the person of it, in a
// small world.
func (s *Server) runPermission(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	cell, ok := matrix.Find(f.get("cell"))
	if !ok {
		return &school.Invalid{Field: "cell", Reason: "Choose one of the cells."}
	}
	kind := f.get("kind")
	if !slices.Contains(s.permissionKinds(), kind) {
		return &school.Invalid{Field: "kind", Reason: "Choose one of the kinds of session."}
	}
	filter := filterOf(f.get("role"), f.get("action"))
	if err := s.LabRuns.Take(c.Request().Context(), address(c)); err != nil {
		return s.permissionsBusy(c, filter, cell, kind, err)
	}
	run, err := s.askPermission(c.Request().Context(), cell, kind)
	if err != nil {
		return s.permissionsBusy(c, filter, cell, kind, err)
	}
	result, err := packed(run)
	if err != nil {
		return err
	}
	id := newRunID()
	if err := s.DB.AddLabRun(detached(c), db.LabRun{ID: id, Experiment: permissions, At: run.At, Result: result}, nil); err != nil {
		return err
	}
	return seeOther(c, withQuery(filter.address(cell.Key()), "run", id))
}

// askPermission makes the request of a cell, and notes what the gate decided about it.
func (s *Server) askPermission(ctx context.Context, cell matrix.Cell, kind string) (*permissionRun, error) {
	decisions := map[string]policy.Decision{} // by method and path, since signing in passes the gate too
	worlds := s.permissionWorlds(cell.IsDemo(), func(r *http.Request, d policy.Decision) { decisions[r.Method+" "+r.URL.Path] = d })
	q := lab.Call{Kind: kind, Person: cell.Subject.Person, Method: cell.Method, Path: cell.Path}
	for _, field := range cell.Form {
		q.Form = append(q.Form, lab.Field{Name: field.Name, Value: field.Value})
	}
	x, err := s.Lab.Ask(ctx, worlds, q)
	if err != nil {
		return nil, err
	}
	decided := decisions[x.Request.Method+" "+x.Request.Path]
	return &permissionRun{
		Cell: cell.Key(), Kind: kind, At: s.Now(), Exchange: x,
		Action: decided.Action, Verdict: decided.Verdict.String(), Rule: decided.Rule,
	}, nil
}

// permissionsBusy shows the page with a word on why a cell was not asked, where that is
// all that is wrong.
func (s *Server) permissionsBusy(c echo.Context, f permissionFilter, cell matrix.Cell, kind string, err error) error {
	if statusOf(err) != http.StatusTooManyRequests || wantsJSON(c) {
		return err
	}
	wait, reason := time.Duration(0), "As many runs are under way as this machine takes at once, and more are waiting."
	var throttled *auth.Throttled
	var full *lab.FullError
	switch {
	case errors.As(err, &throttled):
		wait, reason = throttled.RetryAfter, "So many runs have come from your address that it is the others’ turn."
	case errors.As(err, &full):
		wait = full.RetryAfter
	}
	p, err := s.permissionsProps(c, f, &cell)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderRetryAfter, seconds(wait))
	p.Chosen.Kind = kind
	p.Chosen.Full = &labview.Full{Reason: reason, Wait: "in " + ui.Count(max(1, int(wait.Seconds())), "second", "seconds")}
	return s.permissionsPage(c, http.StatusTooManyRequests, p)
}

// permissionsProps is the page without what came of a run.
func (s *Server) permissionsProps(c echo.Context, f permissionFilter, chosen *matrix.Cell) (labview.PermissionsProps, error) {
	p := labview.PermissionsProps{
		Role: f.role, Action: string(f.action), All: f.address(""),
		Roles:   []ui.Option{{Label: "Everybody"}},
		Actions: []ui.Option{{Label: "Everything"}},
	}
	for _, subject := range matrix.Subjects {
		p.Roles = append(p.Roles, ui.Option{Value: subject.Key, Label: subject.Name})
		if f.role == "" || f.role == subject.Key {
			p.Subjects = append(p.Subjects, labview.PermissionSubject{Name: subject.Name, Says: subject.Says})
		}
	}
	for _, action := range policy.Actions {
		p.Actions = append(p.Actions, ui.Option{Value: string(action), Label: string(action)})
	}
	for _, row := range matrix.Rows() {
		if f.action != "" && f.action != row.Action {
			continue
		}
		last := len(p.Groups) - 1
		if last < 0 || p.Groups[last].Action != string(row.Action) {
			p.Groups = append(p.Groups, labview.PermissionGroup{Action: string(row.Action), Rule: row.Cells[0].Rule})
			last++
		}
		line := labview.PermissionRow{Does: row.Does, To: row.To, Request: row.Method + " " + row.Path}
		for _, cell := range row.Cells {
			if f.role == "" || f.role == cell.Subject.Key {
				line.Cells = append(line.Cells, permissionCell(f, cell, chosen))
			}
		}
		p.Groups[last].Rows = append(p.Groups[last].Rows, line)
	}
	for _, row := range matrix.PartRows() {
		line := labview.PartRow{Field: string(row.Field), What: row.What, Rule: row.Cells[0].Rule}
		for _, cell := range row.Cells {
			if f.role == "" || f.role == cell.Subject.Key {
				line.Shown = append(line.Shown, cell.Allowed())
			}
		}
		p.Parts = append(p.Parts, line)
	}
	if chosen == nil {
		return p, nil
	}
	var err error
	p.Chosen, err = s.chosenPermission(c, *chosen)
	return p, err
}

func permissionCell(f permissionFilter, cell matrix.Cell, chosen *matrix.Cell) labview.PermissionCell {
	return labview.PermissionCell{
		Href: f.address(cell.Key()), Verdict: labview.Permission(cell.Verdict.String()), Status: cell.Status, ToSignIn: cell.ToSignIn(),
		Chosen: chosen != nil && chosen.Key() == cell.Key(),
	}
}

// chosenPermission is a cell from near.
func (s *Server) chosenPermission(c echo.Context, cell matrix.Cell) (*labview.ChosenPermission, error) {
	p := &labview.ChosenPermission{
		Key: cell.Key(), Who: cell.Subject.Name, Does: cell.Does, To: cell.To, Request: cell.Method + " " + cell.Path,
		Verdict: labview.Permission(cell.Verdict.String()), Status: cell.Status, ToSignIn: cell.ToSignIn(), Rule: cell.Rule,
		Kind: session.Database,
	}
	for _, field := range cell.Form {
		if slices.Contains(secretFields, field.Name) {
			field.Value = "…"
		}
		p.Form = append(p.Form, labview.Fact{Name: field.Name, Value: field.Value})
	}
	if own := visitorOf(c).visit.Trace.Backend; slices.Contains(s.permissionKinds(), own) {
		p.Kind = own
	}
	for _, kind := range s.permissionKinds() {
		p.Kinds = append(p.Kinds, ui.Option{Value: kind, Label: ui.BackendLabel(kind)})
	}
	var err error
	p.Sources, err = decidingLines(cell)
	return p, err
}

// rulesFile is where the rules of policy stand.
const rulesFile = "handlers/policy/rules.go"

var ruleSource = sync.OnceValues(func() (*matrix.Source, error) {
	text, err := source.ReadFile(strings.TrimPrefix(rulesFile, "handlers/"))
	if err != nil {
		return nil, err
	}
	return matrix.ReadSource(text)
})

// decidingLines are the line of the table that names the rule, and the rule, with the
// line on which it ends for the cell.
func decidingLines(cell matrix.Cell) ([]labview.Source, error) {
	rules, err := ruleSource()
	if err != nil {
		return nil, err
	}
	d, err := rules.Decide(cell.Asker(), cell.Case.Action, cell.Asked())
	if err != nil {
		return nil, err
	}
	cut, err := excerptOf(rulesFile, d.Func)
	if err != nil {
		return nil, err
	}
	rule := labview.Source{Title: sourceTitle(rulesFile, cut)}
	for i, line := range cut.lines {
		rule.Lines = append(rule.Lines, labview.SourceLine{Number: cut.from + i, HTML: line, Hot: cut.from+i == d.Line})
	}
	entry, err := lineOf(rulesFile, d.Entry)
	if err != nil {
		return nil, err
	}
	table := labview.Source{Title: sourceTitle(rulesFile, entry), Lines: []labview.SourceLine{{Number: d.Entry, HTML: entry.lines[0]}}}
	return []labview.Source{rule, table}, nil
}

// tellPermission adds what came of a run, if it is kept and is one of this cell.
func (s *Server) tellPermission(ctx context.Context, id string, cell matrix.Cell, p *labview.ChosenPermission) error {
	run, err := s.permissionRunOf(ctx, id)
	if errors.Is(err, school.ErrNotFound) || err == nil && run.Cell != cell.Key() {
		p.Missing = true
		return nil
	}
	if err != nil {
		return err
	}
	x := run.Exchange
	p.Kind = run.Kind
	p.Result = &labview.PermissionResult{
		Exchange: exchangeOf(x), Kind: run.Kind, At: run.At.Local().Format(ui.DayTime),
		Status: x.Response.Status, Text: http.StatusText(x.Response.Status), Location: x.Response.Headers[echo.HeaderLocation],
		Challenge: x.Response.Headers[http.CanonicalHeaderKey(echo.HeaderWWWAuthenticate)],
		Verdict:   labview.Permission(run.Verdict), Action: string(run.Action), Rule: run.Rule,
		Role: x.Trace.Role, RoleFrom: x.Trace.From, Agrees: run.agrees(cell),
	}
	return nil
}

// permissionRunOf reads a run of the matrix that was kept. One of an experiment comes
// without a cell.
func (s *Server) permissionRunOf(ctx context.Context, id string) (*permissionRun, error) {
	if !isRunID(id) {
		return nil, school.ErrNotFound
	}
	kept, err := s.DB.LabRun(ctx, id)
	if err != nil {
		return nil, err
	}
	var run permissionRun
	return &run, unpack(kept.Result, &run)
}
