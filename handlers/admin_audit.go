package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/policy"
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
	{Value: school.ActionAccountDelete, Label: "Deleted their account"},
	{Value: school.ActionPasskeyAdd, Label: "Added a passkey"},
	{Value: school.ActionPasskeyRename, Label: "Renamed a passkey"},
	{Value: school.ActionPasskeyRemove, Label: "Removed a passkey"},
	{Value: school.ActionPasskeyWarn, Label: "Was refused with a passkey that may have been copied"},
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

// showAudit lists who did what to whom, the newest first.
func (s *Server) showAudit(c echo.Context) error {
	p := views.AuditProps{
		Action:  c.QueryParam("action"),
		Actor:   clip(school.Line(c.QueryParam("name")), school.MaxQuery),
		Actions: append([]ui.Option{{Label: "Anything"}}, actionLabels...),
	}
	found, err := s.DB.Events(c.Request().Context(), db.EventQuery{Action: p.Action, Actor: p.Actor, After: c.QueryParam("after")})
	if err != nil {
		return err
	}
	for _, e := range found.Events {
		if !s.shows(c, policy.AuditLine, policy.Object{Owner: e.Actor.ID}) {
			continue
		}
		p.Events = append(p.Events, views.AuditRow{Event: e, Action: actionLabel(e.Action)})
	}
	if _, err := school.ParseID(p.Actor); err == nil {
		p.ActorName = p.Actor
		if len(found.Events) > 0 {
			p.ActorName = found.Events[0].Actor.Name
		}
	}
	if c.QueryParam("after") != "" {
		p.First = listAddress(c, "")
	}
	if found.Next != "" {
		p.Next = listAddress(c, found.Next)
	}
	return s.adminPage(c, "Audit log", func(f views.Frame) error { return s.page(c, http.StatusOK, views.AuditPage(f, p)) })
}
