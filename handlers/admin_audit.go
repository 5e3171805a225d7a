package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// actionLabels are what the audit log calls things, in the order of the menu.
var actionLabels = []ui.Option{
	{Value: school.ActionSignIn, Label: "Signed in"},
	{Value: school.ActionSignInRefused, Label: "Was refused at the door"},
	{Value: school.ActionSignUp, Label: "Opened an account"},
	{Value: school.ActionSignOut, Label: "Signed out"},
	{Value: school.ActionConfirm, Label: "Confirmed who they are"},
	{Value: school.ActionPasswordChange, Label: "Changed the password"},
	{Value: school.ActionPasswordReset, Label: "Replaced a forgotten password"},
	{Value: school.ActionEmailChange, Label: "Changed their address"},
	{Value: school.ActionFactorAdd, Label: "Added a way to sign in"},
	{Value: school.ActionFactorRemove, Label: "Took a way to sign in away"},
	{Value: school.ActionDataDownload, Label: "Downloaded their data"},
	{Value: school.ActionAccountDelete, Label: "Deleted an account"},
	{Value: school.ActionPasskeyAdd, Label: "Added a passkey"},
	{Value: school.ActionRename, Label: "Changed their name"},
	{Value: school.ActionPasskeyRename, Label: "Renamed a passkey"},
	{Value: school.ActionPasskeyRemove, Label: "Removed a passkey"},
	{Value: school.ActionPasskeyWarn, Label: "Was refused with a passkey that may have been copied"},
	{Value: school.ActionInvite, Label: "Invited somebody"},
	{Value: school.ActionInviteRevoke, Label: "Took an invitation back"},
	{Value: school.ActionInviteAccept, Label: "Accepted an invitation"},
	{Value: school.ActionResetSend, Label: "Asked for a new password"},
	{Value: school.ActionAuditExport, Label: "Took the log away"},
	{Value: school.ActionRoleChange, Label: "Changed a role"},
	{Value: school.ActionDisable, Label: "Closed an account"},
	{Value: school.ActionEnable, Label: "Opened an account again"},
	{Value: school.ActionEndSessions, Label: "Ended sessions"},
	{Value: school.ActionSwitch, Label: "Switched their own session"},
	{Value: school.ActionSiteSwitch, Label: "Switched the whole site"},
	{Value: school.ActionRevocation, Label: "Changed what can end a token"},
	{Value: school.ActionPublish, Label: "Published a course"},
	{Value: school.ActionUnpublish, Label: "Made a course a draft again"},
	{Value: school.ActionCourseDelete, Label: "Deleted a course"},
	{Value: school.ActionCourseRestore, Label: "Put a course back"},
}

// actionLabel is an action in words; one without words stands for itself.
func actionLabel(action string) string {
	for _, o := range actionLabels {
		if o.Value == action {
			return o.Label
		}
	}
	return action
}

// sessionOptions are the kinds of session that a line can be from, in the order of the
// menu.
var sessionOptions = func() []ui.Option {
	options := []ui.Option{{Label: "Any kind"}}
	for _, kind := range []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid, session.Bearer, "none"} {
		options = append(options, ui.Option{Value: kind, Label: ui.BackendLabel(kind)})
	}
	return options
}()

// askedLog is which lines of the log somebody wants, as the address says it.
type askedLog struct {
	query    db.EventQuery
	from, to string // as typed
	wrongDay map[string]string
}

func (s *Server) askedOfLog(c echo.Context) askedLog {
	asked := askedLog{
		from: school.Line(c.QueryParam("from")), to: school.Line(c.QueryParam("to")), wrongDay: map[string]string{},
		query: db.EventQuery{
			Action:  c.QueryParam("action"),
			Actor:   clip(school.Line(c.QueryParam("name")), school.MaxQuery),
			Subject: clip(school.Line(c.QueryParam("whom")), school.MaxQuery),
			Session: c.QueryParam("kind"),
		},
	}
	asked.query.From = asked.day("from", asked.from)
	if to := asked.day("to", asked.to); !to.IsZero() {
		asked.query.To = to.AddDate(0, 0, 1) // the day is meant with all its hours
		if to.Before(asked.query.From) {
			asked.wrongDay["to"] = "This day is before the first one."
		}
	}
	return asked
}

// day is the beginning of a day, in the time zone in which pages write times.
func (a askedLog) day(field, typed string) time.Time {
	if typed == "" {
		return time.Time{}
	}
	day, err := time.ParseInLocation(time.DateOnly, typed, time.Local)
	if err != nil {
		a.wrongDay[field] = "A day looks like 2026-11-30."
	}
	return day
}

func (a askedLog) wrong() bool { return len(a.wrongDay) > 0 }

// words are what was asked for, for the line about the export.
func (a askedLog) words() string {
	words := ""
	for _, part := range [][2]string{{"action", a.query.Action}, {"by", a.query.Actor}, {"to", a.query.Subject}, {"session", a.query.Session}, {"from", a.from}, {"until", a.to}} {
		if part[1] != "" {
			words += ", " + part[0] + " " + clip(school.Line(part[1]), school.MaxName)
		}
	}
	return words
}

// showAudit lists who did what to whom, the newest first.
func (s *Server) showAudit(c echo.Context) error {
	asked, status := s.askedOfLog(c), http.StatusOK
	q := asked.query
	p := views.AuditProps{
		Action: q.Action, Actor: q.Actor, Subject: q.Subject, Session: q.Session, From: asked.from, To: asked.to, Errors: asked.wrongDay,
		Actions:  append([]ui.Option{{Label: "Anything"}}, actionLabels...),
		Sessions: sessionOptions,
		Export:   strings.TrimPrefix(listAddress(c, ""), "/admin/audit"),
	}
	if asked.wrong() {
		status = http.StatusUnprocessableEntity
	} else if err := s.auditLines(c, q, &p); err != nil {
		return err
	}
	return s.adminPage(c, "Audit log", func(f views.Frame) error { return s.page(c, status, views.AuditPage(f, p)) })
}

// auditLines reads the lines that the page is to show.
func (s *Server) auditLines(c echo.Context, q db.EventQuery, p *views.AuditProps) error {
	q.After = c.QueryParam("after")
	found, err := s.DB.Events(c.Request().Context(), q)
	if err != nil {
		return err
	}
	p.Events = s.auditRows(c, found.Events)
	if _, err := school.ParseID(p.Actor); err == nil {
		p.ActorName = p.Actor
		if len(found.Events) > 0 {
			p.ActorName = found.Events[0].Actor.Name
		}
	}
	if _, err := school.ParseID(p.Subject); err == nil {
		p.SubjectName = p.Subject
		if len(found.Events) > 0 {
			p.SubjectName = found.Events[0].Subject
		}
	}
	if q.After != "" {
		p.First = listAddress(c, "")
	}
	if found.Next != "" {
		p.Next = listAddress(c, found.Next)
	}
	return nil
}

// auditRows are lines of the log as a page shows them, without those that are not for
// the visitor.
func (s *Server) auditRows(c echo.Context, events []school.Event) []views.AuditRow {
	var rows []views.AuditRow
	for _, e := range events {
		if s.shows(c, policy.AuditLine, policy.Object{Owner: e.Actor.ID}) {
			rows = append(rows, views.AuditRow{Event: e, Action: actionLabel(e.Action)})
		}
	}
	return rows
}
