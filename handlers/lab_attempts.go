package handlers

import (
	"container/list"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/handlers/auth"
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

// What is kept of attempts: enough for a class behind one address, and for others
// beside it, and gone by itself.
const (
	maxAttempts        = 4000
	attemptsPerNetwork = 500
	attemptLives       = 15 * time.Minute
)

// attempts are the last ones of each browser, in memory. The zero value is empty
// and ready. Whatever happens takes as long, however many are kept.
type attempts struct {
	mu       sync.Mutex
	kept     map[string]*attempter
	order    list.List // of *attempter, whoever was heard of longest ago first
	networks map[netip.Prefix]*list.List
}

// attempter is a browser, with its last attempt from each origin.
type attempter struct {
	id       string
	network  netip.Prefix
	at       time.Time // of the last
	last     map[string]attempt
	all, own *list.Element // in the order of all, and of its network
}

func (a *attempts) add(id string, network netip.Prefix, one attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for first := a.order.Front(); first != nil; first = a.order.Front() {
		if one.at.Sub(first.Value.(*attempter).at) <= attemptLives {
			break
		}
		a.drop(first)
	}
	last := map[string]attempt{}
	if known := a.kept[id]; known != nil {
		last = known.last
		a.drop(known.all)
	}
	own := a.networks[network]
	switch {
	case own != nil && own.Len() >= attemptsPerNetwork:
		a.drop(own.Front().Value.(*attempter).all)
	case len(a.kept) >= maxAttempts:
		a.drop(a.order.Front())
	}
	if a.kept == nil {
		a.kept, a.networks = map[string]*attempter{}, map[netip.Prefix]*list.List{}
	}
	if own = a.networks[network]; own == nil {
		own = list.New()
		a.networks[network] = own
	}
	last[one.origin] = one
	who := &attempter{id: id, network: network, at: one.at, last: last}
	who.all, who.own = a.order.PushBack(who), own.PushBack(who)
	a.kept[id] = who
}

// drop forgets a browser. The lock is held.
func (a *attempts) drop(of *list.Element) {
	who := of.Value.(*attempter)
	a.order.Remove(of)
	delete(a.kept, who.id)
	own := a.networks[who.network]
	if own.Remove(who.own); own.Len() == 0 {
		delete(a.networks, who.network)
	}
}

// last is the latest attempt of a browser from an origin.
func (a *attempts) last(id, origin string, now time.Time) (attempt, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	who := a.kept[id]
	if who == nil {
		return attempt{}, false
	}
	one, ok := who.last[origin]
	return one, ok && now.Sub(one.at) <= attemptLives
}

func (a *attempts) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if who := a.kept[id]; who != nil {
		a.drop(who.all)
	}
}

// attemptNames are the names of attempts that this server hands out: half of a name
// is drawn, and the other half says that it was drawn here. So what others make up
// is noted nowhere, and nothing has to be remembered for that.
type attemptNames struct{ key [32]byte }

// attemptHalf is how many signs a half has: 65 bits.
const attemptHalf = 13

func (n *attemptNames) draw() string {
	half := rand.Text()[:attemptHalf]
	return half + n.other(half)
}

func (n *attemptNames) handedOut(id string) bool {
	return othersite.IsAttempt(id) && hmac.Equal([]byte(id[attemptHalf:]), []byte(n.other(id[:attemptHalf])))
}

func (n *attemptNames) other(half string) string {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write([]byte(half)) // never fails
	return base32.StdEncoding.EncodeToString(mac.Sum(nil))[:attemptHalf]
}

func newAttemptNames() *attemptNames {
	n := &attemptNames{}
	rand.Read(n.key[:]) // never fails
	return n
}

// isAttempt reports whether a request is the form of the lab's other site.
func (s *Server) isAttempt(r *http.Request) bool {
	origin := r.Header.Get(echo.HeaderOrigin)
	return s.OtherSite.There() && r.Method == http.MethodPost && origin != "" &&
		(origin == s.OtherSite.Apart || origin == s.OtherSite.NextDoor) && othersite.IsAttempt(r.URL.Query().Get(othersite.Query))
}

// noteAttempt remembers for a while what came in from the lab's other site, for the
// browser that sent it. The browser is known by what the form's address says: the
// cookie may have stayed away, which is the point. Anybody can say that they come
// from there, so only what was handed out here is noted.
func (s *Server) noteAttempt(c echo.Context, refused bool) {
	r := c.Request()
	id := r.URL.Query().Get(othersite.Query)
	if !s.isAttempt(r) || !s.attemptNames.handedOut(id) {
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
	s.attempts.add(id, auth.NetworkOf(address(c)), one)
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
		id = s.attemptNames.draw()
	}
	now := s.Now()
	return id, s.cookies().Set(c.Response(), decoyCookie, id, now, now.Add(decoyLives))
}

// decoySent is the decoy that came with a request; empty where none did that this
// server has handed out since it runs.
func (s *Server) decoySent(r *http.Request) string {
	for _, value := range s.cookies().Values(r, decoyCookie) {
		if s.attemptNames.handedOut(value) {
			return value
		}
	}
	return ""
}
