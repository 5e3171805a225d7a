package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// Looking needs no more than to be an admin. What changes something is for an admin who
// has just proved who they are, since it outlives the session (ASVS 7.5.3).
var adminRoutes = []route{
	{http.MethodGet, "/admin/users", to(policy.UserView), (*Server).showPeople},
	{http.MethodGet, "/admin/users/:id", to(policy.UserView), (*Server).showPerson},
	{http.MethodPost, "/admin/users/:id/role", to(policy.UserManage), (*Server).changeRole},
	{http.MethodPost, "/admin/users/:id/factors", to(policy.UserManage), (*Server).resetFactor},
	{http.MethodPost, "/admin/users/:id/password-reset", to(policy.UserManage), (*Server).sendReset},
	{http.MethodPost, "/admin/users/:id/disable", to(policy.UserManage), (*Server).closeAccount},
	{http.MethodPost, "/admin/users/:id/enable", to(policy.UserManage), (*Server).openAccount},
	{http.MethodPost, "/admin/users/:id/end-sessions", to(policy.UserManage), (*Server).endSessions},
	{http.MethodGet, "/admin/users/:id/delete", to(policy.UserView), (*Server).showDeletePerson},
	{http.MethodPost, "/admin/users/:id/delete", to(policy.UserManage), (*Server).deletePerson},

	{http.MethodGet, "/admin/invitations", to(policy.UserView), (*Server).showInvitations},
	{http.MethodPost, "/admin/invitations", to(policy.UserManage), (*Server).invite},
	{http.MethodPost, "/admin/invitations/:id/revoke", to(policy.UserManage), (*Server).revokeInvitation},

	{http.MethodGet, "/admin/sessions", to(policy.SiteView), (*Server).showSessions},
	{http.MethodPost, "/admin/sessions", to(policy.SiteSwitch), (*Server).switchSite},
	{http.MethodPost, "/admin/sessions/revocation", to(policy.SiteSwitch), (*Server).changeRevocation},

	{http.MethodGet, "/admin/audit", to(policy.AuditView), (*Server).showAudit},
	{http.MethodGet, "/admin/audit/log.csv", to(policy.AuditExport), (*Server).exportCSV},
	{http.MethodGet, "/admin/audit/log.jsonl", to(policy.AuditExport), (*Server).exportJSON},
}

// adminSentences are what is said to an admin who has just given up the means
// to read it in the office.
var adminSentences = map[string]string{
	"closed-own": "Your account is closed. Another admin can open it again.",
	"demoted":    "You are not an admin any more. Another admin can make you one again.",
}

func (s *Server) showPeople(c echo.Context) error {
	role, _ := school.ParseRole(c.QueryParam("role"))
	p := views.PeopleProps{Query: clip(school.Line(c.QueryParam("q")), school.MaxQuery), Role: string(role), State: c.QueryParam("state"), Steps: c.QueryParam("steps")}
	found, err := s.DB.Users(c.Request().Context(), db.UserQuery{
		Words: p.Query, Role: role, State: p.State, Steps: p.Steps, After: c.QueryParam("after"),
	})
	if err != nil {
		return err
	}
	p.Total = ui.Count(found.Total, "person", "people")
	if found.TotalMore {
		p.Total = "More than " + p.Total
	}
	for _, u := range found.Users {
		p.People = append(p.People, views.PersonRow{User: s.asShown(c, u.User), Role: roleLabel(u.Role), Courses: u.Courses, Proof: u.Proof, SeenAt: u.SeenAt})
	}
	if c.QueryParam("after") != "" {
		p.First = listAddress(c, "")
	}
	if found.Next != "" {
		p.Next = listAddress(c, found.Next)
	}
	return s.adminPage(c, "People", func(f views.Frame) error { return s.page(c, http.StatusOK, views.PeoplePage(f, p)) })
}

// longestFilter is how long the part of an address may be that says what a list shows, in
// bytes. The longest that a form makes is shorter.
const longestFilter = 6000

// listAddress is the present list from another place on; the whole list, where what it
// shows is said at such a length that the address would be answered by nobody.
func listAddress(c echo.Context, after string) string {
	q := url.Values{}
	for name, values := range c.QueryParams() {
		switch name {
		case "after", "said", "event", "xray":
		default:
			if values[0] != "" {
				q.Set(name, values[0])
			}
		}
	}
	if after != "" {
		q.Set("after", after)
	}
	filter := q.Encode()
	if filter == "" || len(filter) > longestFilter {
		return c.Request().URL.Path
	}
	return c.Request().URL.Path + "?" + filter
}

// adminPage is the frame of the office, with a word about what was just done.
func (s *Server) adminPage(c echo.Context, title string, show func(views.Frame) error) error {
	f, err := s.frameAfter(c, title, "admin")
	if err != nil {
		return err
	}
	return show(f)
}

// personAsked is the person in the address. It is looked up only after policy
// has agreed, so that nobody else learns who exists.
func (s *Server) personAsked(c echo.Context) (school.User, error) {
	id, err := school.ParseID(c.Param("id"))
	if err != nil {
		return school.User{}, err
	}
	return s.DB.User(c.Request().Context(), id)
}

func (s *Server) showPerson(c echo.Context) error {
	user, err := s.personAsked(c)
	if err != nil {
		return err
	}
	return s.personPage(c, http.StatusOK, user, "")
}

func (s *Server) personPage(c echo.Context, status int, user school.User, wrong string) error {
	p := views.PersonProps{
		User: s.asShown(c, user), Role: roleLabel(user.Role), Self: user.ID == visitorOf(c).user.ID, Reach: s.reach(), Lasts: s.lasts(), RoleLasts: s.roleLasts(), RoleError: wrong,
	}
	listed, unreached := s.Sessions.List(c.Request().Context(), user.ID)
	p.Sessions = s.sessionRows(listed)
	p.Unreached = backendLabels(unreached)
	p.Unlisted = s.unlistedKinds()
	if err := s.tellOf(c, user, &p); err != nil {
		return err
	}
	for _, role := range school.Roles {
		p.Roles = append(p.Roles, ui.Option{Value: string(role), Label: roleLabel(role)})
	}
	return s.adminPage(c, user.Name, func(f views.Frame) error { return s.page(c, status, views.PersonPage(f, p)) })
}

// lastLines is how many lines of the log stand on the page of a person.
const lastLines = 20

// tellOf fills in what the page says of a person beside their account.
func (s *Server) tellOf(c echo.Context, user school.User, p *views.PersonProps) (err error) {
	ctx := c.Request().Context()
	if p.Factors, err = s.DB.Factors(ctx, user.ID); err != nil {
		return err
	}
	if p.Passkeys, err = s.DB.Passkeys(ctx, user.ID); err != nil {
		return err
	}
	if p.Identities, err = s.DB.Identities(ctx, user.ID); err != nil {
		return err
	}
	if p.SeenAt, err = s.DB.LastSeen(ctx, user.ID); err != nil {
		return err
	}
	joined, err := s.DB.Learning(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, l := range joined {
		p.Joined = append(p.Joined, views.JoinedCourse{Slug: l.Course.Slug, Title: l.Course.Title, Done: l.Enrolment.Done, Lessons: l.Course.Lessons})
	}
	if p.Taught, err = s.DB.TaughtBy(ctx, user.ID, false); err != nil {
		return err
	}
	events, err := s.DB.EventsAbout(ctx, user.ID, lastLines)
	if err != nil {
		return err
	}
	p.Lines, p.Open, p.Providers = s.auditRows(c, events), s.waysOpen(), s.providerChoices()
	return nil
}

func personAddress(id school.ID) string { return "/admin/users/" + string(id) }

// changeRole changes what a person is. The sessions that hold the role in a
// record are told at once; a token goes on saying the old one.
func (s *Server) changeRole(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user, err := s.personAsked(c)
	if err != nil {
		return err
	}
	wrong := fieldErrors{}
	role, err := school.ParseRole(f.get("role"))
	if err := wrong.note(err); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return s.personPage(c, http.StatusUnprocessableEntity, user, wrong["role"])
	}
	ctx := toTheEnd(c)
	old, err := s.DB.SetRole(ctx, user.ID, role)
	if err != nil {
		return err
	}
	changed, failed := s.Sessions.ChangeRole(ctx, user.ID, old, role)
	if old == role && failed == nil {
		return seeOther(c, personAddress(user.ID))
	}
	detail := string(old) + " → " + string(role) + "; " + s.roleWords(changed, failed)
	event := s.recordAbout(c, school.ActionRoleChange, user, detail)
	if failed != nil && len(changed.Unreached) == 0 {
		return failed
	}
	if user.ID != visitorOf(c).user.ID {
		return seeOther(c, withEvent(personAddress(user.ID), event))
	}
	// One's own browser is at hand, so even a token can be exchanged
	// (ASVS 7.2.4).
	if err := s.Sessions.Renew(c.Response(), c.Request()); err != nil {
		return err
	}
	return seeOther(c, "/account?said=demoted")
}

func (s *Server) roleWords(changed session.Ended, failed error) string {
	if failed != nil && len(changed.Unreached) == 0 {
		return "the sessions on the server could not be reached"
	}
	words := ui.Count(changed.Sessions, "session", "sessions") + " on the server changed"
	words += awayWords(changed.Unreached, "its sessions are told")
	return words + s.tokenWords(changed, "tokens with the old role are refused, so whoever has one signs in again", "tokens say the old role until they expire, ")
}

// closeAccount keeps a person from signing in, and ends what can be ended.
func (s *Server) closeAccount(c echo.Context) error {
	user, err := s.personAsked(c)
	if err != nil {
		return err
	}
	ctx := toTheEnd(c)
	if err := s.DB.Disable(ctx, user.ID, s.Now()); err != nil {
		return err
	}
	ended, failed := s.Sessions.EndUser(ctx, user.ID)
	action := school.ActionDisable
	if user.Disabled() { // it was closed already, and its sessions are all that can have ended
		action = school.ActionEndSessions
	}
	event := s.recordAbout(c, action, user, s.endedOrNot(ended, failed, ""))
	if failed != nil {
		return failed
	}
	if user.ID != visitorOf(c).user.ID {
		return seeOther(c, withEvent(personAddress(user.ID), event))
	}
	if err := s.Sessions.End(c.Response(), c.Request()); err != nil {
		return err
	}
	return seeOther(c, "/signin?said=closed-own")
}

func (s *Server) endedOrNot(ended session.Ended, failed error, what string) string {
	if failed != nil {
		return "the sessions on the server could not be reached"
	}
	return s.endedWords(ended, what)
}

func (s *Server) openAccount(c echo.Context) error {
	user, err := s.personAsked(c)
	if err != nil {
		return err
	}
	if err := s.DB.Enable(c.Request().Context(), user.ID); err != nil {
		return err
	}
	if !user.Disabled() {
		return seeOther(c, personAddress(user.ID))
	}
	event := s.recordAbout(c, school.ActionEnable, user, "")
	return seeOther(c, withEvent(personAddress(user.ID), event))
}

// endSessions signs a person out wherever that is possible. Admins who do it
// to themselves keep the browser that they do it with.
func (s *Server) endSessions(c echo.Context) error {
	user, err := s.personAsked(c)
	if err != nil {
		return err
	}
	ctx := toTheEnd(c)
	var ended session.Ended
	what := ""
	if user.ID == visitorOf(c).user.ID {
		what = "other"
		ended, err = s.Sessions.EndOthers(c.Response(), c.Request())
	} else {
		ended, err = s.Sessions.EndUser(ctx, user.ID)
	}
	event := s.recordAbout(c, school.ActionEndSessions, user, s.endedOrNot(ended, err, what))
	if err != nil {
		return err
	}
	return seeOther(c, withEvent(personAddress(user.ID), event))
}
