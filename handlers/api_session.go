package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
)

// traceJSON is the X-ray for programs; the names are part of the contract.
type traceJSON struct {
	Backend        string `json:"backend" doc:"the kind of session; bearer for an access token, none for a visitor"`
	Authentication struct {
		OK      bool       `json:"ok"`
		User    school.ID  `json:"user,omitempty"`
		Methods []string   `json:"methods,omitempty" doc:"how they proved it (RFC 8176)"`
		At      *time.Time `json:"at,omitempty" doc:"when they proved it"`
	} `json:"authentication" doc:"who are you?"`
	Session struct {
		OK            bool       `json:"ok"`
		ExpiresAt     *time.Time `json:"expires_at" doc:"when it ends in any case"`
		IdleExpiresAt *time.Time `json:"idle_expires_at" doc:"when it ends without another visit; null where nobody can know of visits"`
		Refused       string     `json:"refused,omitempty" doc:"why the cookie was refused"`
	} `json:"session" doc:"are you still signed in?"`
	Authorization struct {
		OK       bool               `json:"ok"`
		Action   string             `json:"action"`
		Role     school.Role        `json:"role,omitempty"`
		RoleFrom session.RoleSource `json:"role_from,omitempty" doc:"where the role was read"`
	} `json:"authorization" doc:"may you do this?"`
	Cookie struct {
		Name  string `json:"name"`
		Bytes int    `json:"bytes" doc:"name and value together"`
		Limit int    `json:"limit" doc:"what browsers keep at most"`
	} `json:"cookie" doc:"the cookie that decided"`
	Cookies []cookieJSON `json:"cookies" doc:"all session cookies that were looked at or set"`
	Store   struct {
		Reads  int `json:"reads"`
		Writes int `json:"writes"`
	} `json:"store" doc:"how often a store was asked"`
	Steps []stepJSON `json:"steps" doc:"what was done, in order"`
}

type cookieJSON struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

type stepJSON struct {
	Name   string           `json:"name"`
	Kind   session.StepKind `json:"kind"`
	Micros float64          `json:"micros"`
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
	t.tellWho(v)
	t.Cookies = make([]cookieJSON, 0, len(trace.Cookies()))
	for _, cookie := range trace.Cookies() {
		t.Cookies = append(t.Cookies, cookieJSON{cookie.Name, cookie.Bytes})
	}
	t.Steps = make([]stepJSON, 0, len(trace.Steps()))
	for _, step := range trace.Steps() {
		t.Steps = append(t.Steps, stepJSON{step.Name, step.Kind, float64(step.Took.Nanoseconds()) / 1000})
	}
	return c.JSON(http.StatusOK, t)
}

// tellWho fills in what is true of somebody who is signed in. An access token
// does not say how its person proved who they are.
func (t *traceJSON) tellWho(v *visitor) {
	if !v.SignedIn() {
		return
	}
	if a := v.access; a != nil {
		t.Authentication.User, t.Authentication.At = a.User, utc(a.AuthAt)
		t.Session.ExpiresAt = utc(a.ExpiresAt)
		t.Authorization.Role, t.Authorization.RoleFrom = a.Role, session.FromToken
	} else if rec, ok := v.visit.Record(); ok {
		t.Authentication.User, t.Authentication.Methods, t.Authentication.At = rec.UserID, rec.Methods, utc(rec.AuthAt)
		t.Session.ExpiresAt, t.Session.IdleExpiresAt = utc(rec.ExpiresAt), utc(rec.IdleUntil)
		t.Authorization.Role, t.Authorization.RoleFrom = rec.Role, v.visit.RoleSource()
	} else {
		return
	}
	t.Authentication.OK, t.Session.OK = true, true
}

// utc is a time as the API writes it: in UTC, to the second; null if there is
// none.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
