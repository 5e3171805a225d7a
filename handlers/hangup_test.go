package handlers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// hanger is a visitor who hangs up: as soon as the form has been read, or not
// before the handler reaches for the header of its answer, which is when a
// session is written.
type hanger struct {
	*httptest.ResponseRecorder
	form   io.Reader
	hangUp context.CancelFunc
	later  bool
	read   bool
}

func (h *hanger) Read(p []byte) (int, error) {
	n, err := h.form.Read(p)
	if err == io.EOF {
		if h.read = true; !h.later {
			h.hangUp()
		}
	}
	return n, err
}

func (h *hanger) Header() http.Header {
	if h.read {
		h.hangUp()
	}
	return h.ResponseRecorder.Header()
}

// hangsUp sends a form, and hangs up before the answer.
func (b *browser) hangsUp(later bool, path string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	ctx, hangUp := context.WithCancel(b.t.Context())
	defer hangUp()
	h := &hanger{httptest.NewRecorder(), strings.NewReader(values.Encode()), hangUp, later, false}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, b.site.url+path, h)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	u, err := url.Parse(b.site.url)
	must(b.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		r.AddCookie(c)
	}
	b.site.ServeHTTP(h, r)
	if ctx.Err() == nil {
		b.t.Fatal("nobody hung up")
	}
	return h.ResponseRecorder
}

// lastEvent is the newest line of the audit log about an action.
func (s *site) lastEvent(action string) school.Event {
	s.t.Helper()
	found, err := s.db.Events(s.t.Context(), db.EventQuery{Action: action, Limit: 1})
	must(s.t, err)
	if len(found.Events) == 0 {
		return school.Event{}
	}
	return found.Events[0]
}

func TestHangUp_leavesNoDeedOutOfTheLog(t *testing.T) {
	t.Attr("asvs", "16.3.1")
	s := newSite(t, session.JWT)
	if got := s.browser().hangsUp(true, "/signin", "email", ada, "password", password); got.Code != http.StatusSeeOther {
		t.Fatalf("the sign-in answers %d", got.Code)
	}
	if e := s.lastEvent(school.ActionSignIn); e.Actor.Name != "Ada Byron" {
		t.Errorf("the log has %+v", e)
	}
}

func TestHangUp_leavesNoDeedHalfDone(t *testing.T) {
	t.Attr("asvs", "2.3.3")
	eachBackend(t, func(t *testing.T, s *site) {
		here, phone := s.as(ada), s.as(ada)
		if got := here.hangsUp(true, "/account/password", "current", password, "new", otherPassword, "end_others", "1"); got.Code != http.StatusSeeOther {
			t.Errorf("changing the password answers %d", got.Code)
		}
		if e := s.lastEvent(school.ActionPasswordChange); !strings.Contains(e.Detail, "on the server ended") {
			t.Errorf("the log has %+v", e)
		}
		s.clock.move(lagOf(s.sessions.Site().Backend))
		if stays := s.sessions.Site().Backend == session.JWT; phone.signedIn() != stays {
			t.Errorf("the telephone is signed in: %v", phone.signedIn())
		}
		for _, to := range backends {
			if got := s.as(alan).hangsUp(true, "/admin/sessions", "backend", to, "existing", "carry"); got.Code != http.StatusSeeOther {
				t.Errorf("switching the site to %s answers %d", to, got.Code)
			}
			if e := s.lastEvent(school.ActionSiteSwitch); !strings.Contains(e.Detail, "→ "+to) || strings.Contains(e.Detail, "not finished") {
				t.Errorf("the log has %+v", e)
			}
			if got := s.as(bea).hangsUp(true, "/session/backend", "backend", other(to)); got.Code != http.StatusSeeOther {
				t.Errorf("switching from %s answers %d", to, got.Code)
			}
			if e := s.lastEvent(school.ActionSwitch); !strings.Contains(e.Detail, "→ "+other(to)) {
				t.Errorf("the log has %+v", e)
			}
			s.clock.move(1e9)
		}
	})
}

// TestHangUp_climbsAllTheSame hangs up as soon as the form has been read.
func TestHangUp_climbsAllTheSame(t *testing.T) {
	s := onRung(t, session.RevokeNone)
	if got := s.as(alan).hangsUp(false, "/admin/sessions/revocation", "revocation", session.RevokeDenylist); got.Code != http.StatusSeeOther {
		t.Errorf("climbing answers %d", got.Code)
	}
	if e := s.lastEvent(school.ActionRevocation); e.Detail != "none → denylist" || s.sessions.Site().Revocation != session.RevokeDenylist {
		t.Errorf("the log has %+v, and tokens stand on %q", e, s.sessions.Site().Revocation)
	}
}

func TestHangUp_isNoErrorOfOurs(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		for path, field := range map[string]string{"/account/profile": "name", "/appearance": "theme", "/signin": "email"} {
			if got := b.hangsUp(false, path, field, "Ada King"); got.Code != 499 || got.Body.Len() != 0 {
				t.Errorf("%s answers %d with %d bytes", path, got.Code, got.Body.Len())
			}
		}
		if log := s.log.String(); strings.Contains(log, "ERROR") || !strings.Contains(log, `"status":499`) {
			t.Errorf("the log says %s", log)
		}
		b.get("/").want(t, http.StatusOK, "Ada Byron")
	})
}

func TestHangUp_leavesNoAccountWithoutItsLine(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		const joan = "joan@school.example"
		b := s.browser()
		flow := b.flow(b.post("/signup", "name", "Joan Clarke", "email", joan, "password", otherPassword))
		got := b.hangsUp(true, "/code", "flow", flow, "code", s.code(joan))
		if e := s.lastEvent(school.ActionSignUp); got.Code != http.StatusSeeOther || e.Subject != "Joan Clarke" {
			t.Errorf("answers %d, and the log has %+v", got.Code, e)
		}
	})
}
