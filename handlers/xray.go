package handlers

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// xray says in words what the trace of this request says in figures.
func (s *Server) xray(c echo.Context) views.XRay {
	v := visitorOf(c)
	trace := &session.Trace{Backend: session.None}
	if v.visit != nil {
		trace = &v.visit.Trace
	}
	x := views.XRay{
		Open:    c.QueryParam("xray") == "open",
		Backend: trace.Backend,
		Cookie:  trace.Cookie,
		Limit:   session.MaxCookie,
		Reads:   trace.Reads,
		Writes:  trace.Writes,
		Here:    here(c),
		Signed:  v.SignedIn(),
	}
	for _, cookie := range trace.Cookies() {
		x.Cookies = append(x.Cookies, views.CookieSize{Name: cookie.Name, Bytes: cookie.Bytes})
		x.Bytes += cookie.Bytes
	}
	for _, step := range trace.Steps() {
		x.Steps = append(x.Steps, ui.Step{Name: step.Name, Where: path.Base(step.Where), Took: step.Took})
		x.Total += step.Took
	}
	if v.SignedIn() {
		rec, _ := v.visit.Record()
		x.Steps = append(x.Steps, ui.Step{Name: "Read the name for the masthead", Where: "table users: no cookie carries a name", Took: v.looked})
		x.Total += v.looked
		switch trace.Backend {
		case session.JWT:
			s.xrayToken(&x, v, rec)
		case session.Hybrid:
			s.xrayHybrid(&x, v, rec)
		default:
			s.xrayTicket(&x, v, rec)
		}
	} else {
		s.xrayNobody(&x, trace, forgets(c, trace.Cookie))
		if trace.Reason == "" && v.visit == nil {
			x.Who.Reason = "Your session was not looked at for this answer."
		} else if trace.Reason == "" && len(x.Cookie) == 0 && otherKind(c) {
			x.Who.Reason = "A session cookie of a kind that this site does not read at present came with this request. It counts for nothing."
		}
	}
	x.Allowed = s.allowedLight(v)
	x.Choices = s.choices(v)
	return x
}

// carriedOver says what is true of the one request in which a session of the
// site's former kind was exchanged: it came with the old kind, and leaves with
// the one that is drawn.
func carriedOver(x *views.XRay, from string) {
	x.Who.Reason = "You came with a session of the kind that this site had before (" + ui.BackendLabel(from) + "), and it was good."
	x.Session.Verdict = "Yes: carried over."
	x.Session.Reason = "It was exchanged in this very request for the one drawn here, with the role that you have now."
	x.RoleFrom = "the user’s row, as the session was exchanged"
}

// startedFrom is where and in what the session was started. One that continues
// a token does not know, because a token does not say.
func startedFrom(rec session.Record) string {
	if rec.Address == "" {
		return "not known: it continues a token, which does not say"
	}
	return rec.Address + ", " + rec.Device
}

// refusals say why a cookie was no good, for the person who sent it.
var refusals = map[session.Reason]string{
	session.Malformed:    "What it holds is not in the shape that this site issues.",
	session.BadAlgorithm: "It is signed in a way that this site never signs.",
	session.BadType:      "It is a token, but one for another purpose.",
	session.UnknownKey:   "It was signed with a key that is not ours, or not any more.",
	session.BadSignature: "Its signature does not fit what it says: it was altered, or somebody else made it.",
	session.BadClaims:    "It is signed, but it does not say what a session must say.",
	session.WrongIssuer:  "It was made for another site.",
	session.NotYet:       "It is dated in the future.",
	session.Expired:      "Its time is over.",
	session.Idle:         "Nobody came with it for too long.",
	session.Unknown:      "There is no record for it: signed out, ended, or never issued.",
	session.EndedForAll:  "An admin has ended all sessions since it was issued.",
	session.CutOff:       "All sessions of its person were ended since it was issued.",
	session.Denied:       "It is on the list of tokens that were ended before their time.",
	session.Reused:       "It had been exchanged before, so somebody has a copy. The whole session is ended, for both.",
	session.NoSuchUser:   "The person it speaks of is not in the school any more.",
	session.Closed:       "The account it speaks of has been closed.",
}

// otherKind reports whether a session cookie came that was not looked at.
func otherKind(c echo.Context) bool {
	return slices.ContainsFunc(c.Request().Cookies(), func(k *http.Cookie) bool {
		return strings.HasSuffix(k.Name, "lectern-jwt") || strings.HasSuffix(k.Name, "lectern-sid") ||
			strings.HasSuffix(k.Name, "lectern-access") || strings.HasSuffix(k.Name, "lectern-refresh")
	})
}

// forgets reports whether this answer clears the cookie.
func forgets(c echo.Context, cookie string) bool {
	return cookie != "" && slices.ContainsFunc(c.Response().Header()["Set-Cookie"], func(line string) bool {
		return strings.HasPrefix(line, cookie+"=;")
	})
}

func (s *Server) xrayNobody(x *views.XRay, trace *session.Trace, forgotten bool) {
	x.Credential = "No credential"
	x.RoleFrom = "nowhere: there is no role without a person"
	x.Who = ui.LightProps{State: ui.None, Level: 3, Question: "Who are you?", Small: "authentication",
		Verdict: "You have not said.", Reason: "No session cookie came with this request."}
	x.Session = ui.LightProps{State: ui.None, Level: 3, Question: "Are you still signed in?", Small: "session",
		Verdict: "You are not.", Reason: "There is nothing to be still in."}
	if trace.Reason != "" {
		x.Credential = "Refused: " + string(trace.Reason)
		x.Refused, x.Refusal = session.Database, string(trace.Reason)
		if strings.HasSuffix(trace.Cookie, "jwt") || strings.HasSuffix(trace.Cookie, "access") {
			x.Refused = session.JWT
		}
		x.Who.State, x.Who.Verdict = ui.Fail, "Unknown."
		x.Who.Reason = "A cookie came, and it was refused. " + refusals[trace.Reason]
		x.Session.State, x.Session.Verdict, x.Session.Reason = ui.Fail, "No.", "The cookie counts for nothing."
		if forgotten {
			x.Session.Reason = "The browser has been told to forget the cookie."
		}
	}
}

func (s *Server) allowedLight(v *visitor) ui.LightProps {
	l := ui.LightProps{Level: 3, Question: "May you do this?", Small: "authorization", Where: "handlers/policy/rules.go"}
	switch {
	case v.decision.Action == "":
		l.State, l.Where = ui.None, ""
		l.Verdict, l.Reason = "Not asked.", "There was nothing here to be allowed to."
	case v.decision.Allowed():
		l.State, l.Verdict = ui.Pass, "Yes: "+string(v.decision.Action)+"."
		l.Reason = v.decision.Rule
	case v.decision.Verdict == policy.Hide:
		l.State, l.Where = ui.None, ""
		l.Verdict, l.Reason = "There is nothing here.", "So there was nothing to ask about."
	default:
		l.State, l.Verdict = ui.Fail, "No: "+string(v.decision.Action)+"."
		l.Reason = v.decision.Rule
	}
	if role := v.actor().Role; role != "" && v.decision.Action != "" && v.decision.Verdict != policy.Hide {
		l.Reason += " You came as " + string(role) + ", " + s.roleSourceWords(v) + "."
	}
	return l
}

// ticketNumber is the number printed on a drawn ticket: four digits out of the
// hash, to tell tickets apart by eye. It opens nothing.
func ticketNumber(handle string) string {
	var n int
	if _, err := fmt.Sscanf(handle[:min(6, len(handle))], "%x", &n); err != nil {
		return "0000"
	}
	return fmt.Sprintf("%04d", n%10_000)
}

func short(id string) string {
	if len(id) <= 8 {
		return id
	}
	return id[:6] + "…"
}

// moment is a time of day, with the date when it is not today's.
func moment(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format(ui.ClockTime)
	}
	return t.Format(ui.DayTime)
}

func ago(d time.Duration) string {
	switch {
	case d < 5*time.Second:
		return "just now"
	case d < time.Minute:
		return ui.Count(int(d.Seconds()), "second ago", "seconds ago")
	}
	return ui.Count(int(d.Minutes()), "minute ago", "minutes ago")
}

// span is a length of time in the largest unit that fits it.
func span(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return ui.Count(int(d/(24*time.Hour)), "day", "days")
	case d%time.Hour == 0:
		return ui.Count(int(d/time.Hour), "hour", "hours")
	case d%time.Minute == 0:
		return ui.Count(int(d/time.Minute), "minute", "minutes")
	}
	return ui.Count(int(d.Seconds()), "second", "seconds")
}

// deviceOf is the browser as it calls itself, in two words.
func deviceOf(userAgent string) string {
	browser, system := "a browser", ""
	for _, known := range [...][2]string{{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chromium"}, {"Safari/", "Safari"}, {"curl/", "curl"}} {
		if strings.Contains(userAgent, known[0]) {
			browser = known[1]
			break
		}
	}
	for _, known := range [...][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Macintosh", "Mac"}, {"Linux", "Linux"}} {
		if strings.Contains(userAgent, known[0]) {
			system = " on " + known[1]
			break
		}
	}
	return browser + system
}
