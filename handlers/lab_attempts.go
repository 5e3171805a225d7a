package handlers

import (
	"crypto/rand"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/handlers/lab/othersite"
)

// attempt is a form of the lab's other site, as it came in here. It says what the
// browser did, and holds no value of any cookie.
type attempt struct {
	at        time.Time
	origin    string
	fetchSite string   // the header Sec-Fetch-Site; empty where none was sent
	cookies   []string // names of cookies of this site that came along
	refused   bool     // for where it came from
}

// What is kept of attempts: enough for a class, and gone by itself.
const (
	maxAttempts  = 1000
	attemptLives = 15 * time.Minute
)

// attemptOf is one browser's attempt from one origin.
type attemptOf struct{ id, origin string }

// attempts are the last ones of each browser, in memory. The zero value is empty
// and ready.
type attempts struct {
	mu   sync.Mutex
	kept map[attemptOf]attempt
}

func (a *attempts) add(id string, one attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = map[attemptOf]attempt{}
	}
	var oldest attemptOf
	for key, other := range a.kept {
		if one.at.Sub(other.at) > attemptLives {
			delete(a.kept, key)
		} else if oldest.id == "" || other.at.Before(a.kept[oldest].at) {
			oldest = key
		}
	}
	key := attemptOf{id, one.origin}
	if _, again := a.kept[key]; !again && len(a.kept) >= maxAttempts {
		delete(a.kept, oldest)
	}
	a.kept[key] = one
}

// last is the latest attempt of a browser from an origin.
func (a *attempts) last(id, origin string, now time.Time) (attempt, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one, ok := a.kept[attemptOf{id, origin}]
	return one, ok && now.Sub(one.at) <= attemptLives
}

func (a *attempts) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key := range a.kept {
		if key.id == id {
			delete(a.kept, key)
		}
	}
}

// isAttempt reports whether a request is the form of the lab's other site.
func (s *Server) isAttempt(r *http.Request) bool {
	origin := r.Header.Get(echo.HeaderOrigin)
	return s.OtherSite.There() && r.Method == http.MethodPost && origin != "" &&
		(origin == s.OtherSite.Apart || origin == s.OtherSite.NextDoor) && othersite.IsAttempt(r.URL.Query().Get(othersite.Query))
}

// noteAttempt remembers for a while what came in from the lab's other site, for the
// browser that sent it. The browser is known by what the form's address says: the
// cookie may have stayed away, which is the point.
func (s *Server) noteAttempt(r *http.Request, refused bool) {
	if !s.isAttempt(r) {
		return
	}
	one := attempt{at: s.Now(), origin: r.Header.Get(echo.HeaderOrigin), refused: refused}
	if said := r.Header.Get("Sec-Fetch-Site"); slices.Contains([]string{"cross-site", "same-site", "same-origin", "none"}, said) {
		one.fetchSite = said
	}
	for _, name := range append(s.Sessions.CookieNames(), s.cookies().Name(decoyCookie)) {
		if len(r.CookiesNamed(name)) > 0 {
			one.cookies = append(one.cookies, name)
		}
	}
	s.attempts.add(r.URL.Query().Get(othersite.Query), one)
}

// decoyCookie stands in for a session in the lab: it is kept as every cookie of this
// site is, and opens nothing. By it a browser finds its own attempts again.
const decoyCookie = "lectern-lab-decoy"

const decoyLives = 30 * time.Minute

// decoy is the visitor's, or a new one. It is sent again each time, so that it lasts
// from the last visit on.
func (s *Server) decoy(c echo.Context) (string, error) {
	id := s.decoySent(c.Request())
	if id == "" {
		id = rand.Text()
	}
	now := s.Now()
	return id, s.cookies().Set(c.Response(), decoyCookie, id, now, now.Add(decoyLives))
}

// decoySent is the decoy that came with a request; empty where none did.
func (s *Server) decoySent(r *http.Request) string {
	for _, value := range s.cookies().Values(r, decoyCookie) {
		if othersite.IsAttempt(value) {
			return value
		}
	}
	return ""
}
