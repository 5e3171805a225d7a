package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
)

// switchBackend hands the visitor the other kind of session. Somebody who is
// signed in stays signed in; somebody who is not chooses for the next time.
func (s *Server) switchBackend(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	v := visitorOf(c)
	from, name := v.visit.Trace.Backend, f.get("backend")
	toTheEnd(c)
	switch err := s.Sessions.Switch(c.Response(), c.Request(), name); {
	case errors.Is(err, session.ErrEnded):
		// Pressed twice: the first press has exchanged this session already. Or it
		// was ended meanwhile, and then the next page says so.
		return seeOther(c, localPath(f.get("next")))
	case err != nil:
		return s.whyNot(c, err)
	}
	next := withQuery(localPath(f.get("next")), "xray", "open")
	if !v.SignedIn() {
		return seeOther(c, withQuery(next, "said", "chosen"))
	}
	if from != name {
		s.record(c, school.ActionSwitch, v.user.Name, from+" → "+name)
	}
	return seeOther(c, withQuery(next, "said", "switched"))
}

// traceJSON is the X-ray for programs; the names are part of the contract.
type traceJSON struct {
	Backend        string `json:"backend"`
	Authentication struct {
		OK      bool       `json:"ok"`
		User    string     `json:"user,omitempty"`
		Methods []string   `json:"methods,omitempty"`
		At      *time.Time `json:"at,omitempty"`
	} `json:"authentication"`
	Session struct {
		OK            bool       `json:"ok"`
		ExpiresAt     *time.Time `json:"expires_at"`
		IdleExpiresAt *time.Time `json:"idle_expires_at"`
		Refused       string     `json:"refused,omitempty"`
	} `json:"session"`
	Authorization struct {
		OK       bool   `json:"ok"`
		Action   string `json:"action"`
		Role     string `json:"role,omitempty"`
		RoleFrom string `json:"role_from,omitempty"`
	} `json:"authorization"`
	Cookie struct {
		Name  string `json:"name"`
		Bytes int    `json:"bytes"`
		Limit int    `json:"limit"`
	} `json:"cookie"`
	Store struct {
		Reads  int `json:"reads"`
		Writes int `json:"writes"`
	} `json:"store"`
	Steps []stepJSON `json:"steps"`
}

type stepJSON struct {
	Name   string  `json:"name"`
	Kind   string  `json:"kind"`
	Micros float64 `json:"micros"`
}

// sessionJSON tells a program what the strip tells a person.
func (s *Server) sessionJSON(c echo.Context) error {
	v := visitorOf(c)
	trace := &v.visit.Trace
	var t traceJSON
	t.Backend = trace.Backend
	t.Cookie.Name, t.Cookie.Bytes, t.Cookie.Limit = trace.Cookie, trace.Bytes, session.MaxCookie
	t.Store.Reads, t.Store.Writes = trace.Reads, trace.Writes
	t.Session.Refused = string(trace.Reason)
	t.Authorization.OK, t.Authorization.Action = v.decision.Allowed(), string(policy.SessionRead)
	if rec, ok := v.visit.Record(); ok && v.SignedIn() {
		t.Authentication.OK = true
		t.Authentication.User, t.Authentication.Methods, t.Authentication.At = string(rec.UserID), rec.Methods, utc(rec.AuthAt)
		t.Session.OK = true
		t.Session.ExpiresAt, t.Session.IdleExpiresAt = utc(rec.ExpiresAt), utc(rec.IdleUntil)
		t.Authorization.Role, t.Authorization.RoleFrom = string(rec.Role), string(v.visit.RoleSource())
	}
	t.Steps = make([]stepJSON, 0, len(trace.Steps()))
	for _, step := range trace.Steps() {
		t.Steps = append(t.Steps, stepJSON{step.Name, string(step.Kind), float64(step.Took.Nanoseconds()) / 1000})
	}
	return c.JSON(http.StatusOK, t)
}

func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
