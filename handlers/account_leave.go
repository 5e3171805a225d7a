package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/views"
)

// What somebody takes with them, and how they go.
var leaveRoutes = []route{
	{http.MethodGet, "/account/data.json", on(policy.DataDownload, (*Server).ownAccount), (*Server).downloadData},
	{http.MethodGet, "/account/delete", on(policy.AccountDelete, (*Server).ownAccount), (*Server).showDelete},
	{http.MethodPost, "/account/delete", on(policy.AccountDelete, (*Server).ownAccount), (*Server).deleteAccount},
}

// ownData is all that is kept of a person, without what proves who they are.
type ownData struct {
	Person struct {
		ID        school.ID    `json:"id"`
		Name      string       `json:"name"`
		Email     school.Email `json:"email"`
		Role      school.Role  `json:"role"`
		Telephone school.Phone `json:"telephone,omitempty"`
		Since     time.Time    `json:"since"`
	} `json:"person"`
	Courses  []ownCourse     `json:"courses"`
	Taught   []string        `json:"courses_taught"`
	Lab      []ownExperiment `json:"lab"`
	Sessions []ownSession    `json:"sessions"`
	// SessionsUnread are the kinds whose sessions could not be read just now.
	SessionsUnread []string   `json:"sessions_unread,omitempty"`
	Sites          []ownSite  `json:"sites_connected"`
	Passkeys       []ownKey   `json:"passkeys"`
	Places         []ownPlace `json:"places"`
	Log            []ownEvent `json:"log"`
	LogIsWhole     bool       `json:"log_is_whole"`
	About          []ownEvent `json:"log_about"` // what others did about them
}

type ownSite struct {
	Issuer string    `json:"issuer"`
	Name   string    `json:"known_there_as"`
	Email  string    `json:"email,omitempty"`
	Since  time.Time `json:"since"`
}

type ownKey struct {
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

type ownPlace struct {
	Device  string    `json:"device"`
	Network string    `json:"network"`
	SeenAt  time.Time `json:"seen_at"`
}

type ownCourse struct {
	Slug        string     `json:"slug"`
	Title       string     `json:"title"`
	JoinedAt    time.Time  `json:"joined_at"`
	LessonsDone int        `json:"lessons_done"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
}

type ownExperiment struct {
	Experiment  string     `json:"experiment"`
	JWT         string     `json:"predicted_jwt,omitempty"`
	Server      string     `json:"predicted_server,omitempty"`
	Hybrid      string     `json:"predicted_hybrid,omitempty"`
	ExplainedAt *time.Time `json:"explained_at,omitempty"`
}

type ownSession struct {
	Kind    string    `json:"kind"`
	Since   time.Time `json:"since"`
	Ends    time.Time `json:"ends"`
	Device  string    `json:"device"`
	Address string    `json:"address"`
}

type ownEvent struct {
	At      time.Time `json:"at"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail,omitempty"`
	Session string    `json:"session"`
	Address string    `json:"address"`
}

// downloadData hands somebody what is kept of them.
func (s *Server) downloadData(c echo.Context) error {
	data, err := s.ownData(c)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return err
	}
	s.record(c, school.ActionDataDownload, visitorOf(c).user.Name, "")
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="lectern-account.json"`)
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, body)
}

func (s *Server) ownData(c echo.Context) (ownData, error) {
	ctx, user := c.Request().Context(), visitorOf(c).user
	data := ownData{Courses: []ownCourse{}, Taught: []string{}, Lab: []ownExperiment{}, Sessions: []ownSession{}, Sites: []ownSite{}, Passkeys: []ownKey{}, Places: []ownPlace{}, Log: []ownEvent{}, About: []ownEvent{}}
	factors, err := s.DB.Factors(ctx, user.ID)
	if err != nil {
		return data, err
	}
	p := &data.Person
	p.ID, p.Name, p.Email, p.Role, p.Telephone, p.Since = user.ID, user.Name, user.Email, user.Role, factors.Phone, user.CreatedAt
	learning, err := s.DB.Learning(ctx, user.ID)
	if err != nil {
		return data, err
	}
	for _, l := range learning {
		data.Courses = append(data.Courses, ownCourse{l.Course.Slug, l.Course.Title, l.Enrolment.JoinedAt, l.Enrolment.Done, given(l.Enrolment.FinishedAt)})
	}
	taught, err := s.DB.TaughtBy(ctx, user.ID, false)
	if err != nil {
		return data, err
	}
	for _, course := range taught {
		data.Taught = append(data.Taught, course.Slug)
	}
	progress, err := s.DB.LabProgress(ctx, user.ID)
	if err != nil {
		return data, err
	}
	for _, l := range progress {
		data.Lab = append(data.Lab, ownExperiment{l.Experiment, l.JWT, l.Server, l.Hybrid, given(l.ExplainedAt)})
	}
	listed, unread := s.ownSessions(c)
	data.SessionsUnread = unread
	for _, l := range listed {
		data.Sessions = append(data.Sessions, ownSession{l.Backend, l.CreatedAt, l.ExpiresAt, l.Device, l.Address})
	}
	if err := s.addWays(c, &data); err != nil {
		return data, err
	}
	const most = 100
	events, err := s.DB.Events(ctx, db.EventQuery{Actor: string(user.ID), Limit: most})
	if err != nil {
		return data, err
	}
	for _, e := range events.Events {
		data.Log = append(data.Log, ownEvent{e.At, e.Action, e.Subject, e.Detail, e.Session, e.Address})
	}
	data.LogIsWhole = events.Next == ""
	about, err := s.DB.EventsAbout(ctx, user.ID, most)
	if err != nil {
		return data, err
	}
	for _, e := range about {
		if e.Actor.ID != user.ID { // where others were is theirs
			data.About = append(data.About, ownEvent{At: e.At, Action: e.Action, Subject: e.Subject, Detail: e.Detail})
		}
	}
	return data, nil
}

// addWays adds what somebody proves with who they are, without what proves it, and from
// where they did.
func (s *Server) addWays(c echo.Context, data *ownData) error {
	ctx, user := c.Request().Context(), visitorOf(c).user
	sites, err := s.DB.Identities(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, i := range sites {
		data.Sites = append(data.Sites, ownSite{i.Issuer, i.Subject, i.Email, i.AddedAt})
	}
	keys, err := s.DB.Passkeys(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		data.Passkeys = append(data.Passkeys, ownKey{k.Name, k.CreatedAt})
	}
	places, err := s.DB.Places(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, p := range places {
		data.Places = append(data.Places, ownPlace(p))
	}
	return nil
}

// given is a moment, or nothing for the zero one.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Server) showDelete(c echo.Context) error {
	return s.deletePage(c, http.StatusOK, views.DeleteProps{})
}

func (s *Server) deletePage(c echo.Context, status int, p views.DeleteProps) error {
	user := visitorOf(c).user
	legacy, err := s.DB.LegacyOf(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	p.Email, p.Courses, p.Heir = string(user.Email), legacy.Courses, legacy.Heir.Name
	return s.page(c, status, views.DeletePage(s.frame(c, "Delete your account", ""), p))
}

// deleteAccount deletes the account of whoever asks and has typed its address, which is
// hard to do by mistake.
func (s *Server) deleteAccount(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user := visitorOf(c).user
	if typed, err := school.ParseEmail(f.get("email")); err != nil || typed != user.Email {
		return s.deletePage(c, http.StatusUnprocessableEntity, views.DeleteProps{Typed: f.typed("email"), Wrong: true})
	}
	if err := s.DB.DeleteUser(toTheEnd(c), user.ID); err != nil {
		return err
	}
	s.record(c, school.ActionAccountDelete, user.Name, "their own")
	// The person is gone, and with them the right to every session; those that lie
	// elsewhere are cleared away as well.
	if _, err := s.Sessions.EndUser(detached(c), user.ID); err != nil && !errors.Is(err, school.ErrNotFound) {
		s.Log.Error("sessions of a deleted account not ended", "id", requestID(c), "err", err)
	}
	if err := s.Sessions.End(c.Response(), c.Request()); err != nil {
		s.Log.Error("session of a deleted account not ended", "id", requestID(c), "err", err)
	}
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return seeOther(c, "/?said=account-deleted")
}
