package handlers

import (
	"net/http"
	"net/url"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"lectern/handlers/lab"
	"lectern/handlers/lab/othersite"
	"lectern/views/labview"
	"lectern/views/ui"
)

// The experiments that have a part in the visitor's own browser.
const (
	stealByScript = "steal-by-script"
	postElsewhere = "post-from-another-site"
)

// inBrowser is the part of an experiment that runs in the visitor's own browser; nil
// where there is none.
func (s *Server) inBrowser(c echo.Context, e *lab.Experiment) (templ.Component, error) {
	switch e.Slug {
	case stealByScript:
		return s.theft(c)
	case postElsewhere:
		return s.visitElsewhere(c)
	}
	return nil, nil
}

// theft has a script of the page look for the session, and for two values that are
// kept where scripts can read. Whoever has no session is lent a decoy.
func (s *Server) theft(c echo.Context) (templ.Component, error) {
	p := labview.TheftProps{Backend: visitorOf(c).visit.Backend(), SignedIn: visitorOf(c).SignedIn(), Hidden: s.sessionCookies(c)}
	if !p.SignedIn {
		p.Hidden = []string{s.cookies().Name(decoyCookie)}
		if _, err := s.decoy(c); err != nil {
			return nil, err
		}
	}
	p.Arrived = came(c.Request(), p.Hidden)
	return labview.Theft(p), nil
}

// visitElsewhere shows the way to the other site, and what has come from there.
func (s *Server) visitElsewhere(c echo.Context) (templ.Component, error) {
	p := labview.ElsewhereProps{Missing: string(s.OtherSite.Missing), SignedIn: visitorOf(c).SignedIn(), Decoy: s.cookies().Name(decoyCookie)}
	here := url.URL{Scheme: s.BaseURL.Scheme, Host: c.Request().Host}
	switch {
	case !s.OtherSite.There():
		return labview.Elsewhere(p), nil
	case here.Host != s.BaseURL.Host && othersite.IsLoopback(here.Hostname()) && othersite.IsLoopback(s.BaseURL.Hostname()):
		// By another of its own names the site has other cookies.
		p.Here, p.Home = here.String(), s.BaseURL.String()+labAddress(postElsewhere)+"#in-browser"
		return labview.Elsewhere(p), nil
	}
	id, err := s.decoy(c)
	if err != nil {
		return nil, err
	}
	p.Session = s.sessionCookies(c)
	for _, door := range []labview.Door{{Origin: s.OtherSite.Apart}, {Origin: s.OtherSite.NextDoor, NextDoor: true}} {
		if door.Origin == "" {
			continue
		}
		door.Href = withQuery(door.Origin+"/", othersite.Query, id)
		if one, ok := s.attempts.last(id, door.Origin, s.Now()); ok {
			door.Attempt = &labview.Attempt{At: one.at.Local().Format(ui.ClockTime), FetchSite: one.fetchSite, LetIn: !one.refused}
			for _, name := range one.cookies {
				if decoy := name == p.Decoy; decoy != p.SignedIn {
					door.Attempt.Came = append(door.Attempt.Came, name)
				}
			}
		}
		p.Doors = append(p.Doors, door)
	}
	return labview.Elsewhere(p), nil
}

// sessionCookies are the names of the cookies in which this visitor's session came.
func (s *Server) sessionCookies(c echo.Context) []string {
	if !visitorOf(c).SignedIn() {
		return nil
	}
	return came(c.Request(), s.Sessions.CookieNamesOf(visitorOf(c).visit.Backend()))
}

// came are those of the cookies that came with a request.
func came(r *http.Request, names []string) []string {
	var there []string
	for _, name := range names {
		if len(r.CookiesNamed(name)) > 0 {
			there = append(there, name)
		}
	}
	return there
}

// forgetAttempts has the lab's other site never have been visited.
func (s *Server) forgetAttempts(c echo.Context) {
	if id := s.decoySent(c.Request()); id != "" {
		s.attempts.forget(id)
		s.cookies().Clear(c.Response(), decoyCookie)
	}
}
