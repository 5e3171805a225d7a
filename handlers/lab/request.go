package lab

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/jar"
)

// errand is a request that somebody is to make.
type errand struct {
	method, path string
	form         []Field
	fetch        bool   // by a script in the page, which wants JSON
	at           string // the server; empty for the balancer's choice
	from         string // another site's origin; empty for a request of this site's
	bearer       string
}

var (
	fieldPattern = regexp.MustCompile(`^([\w-]+)=(?:"([^"]*)"|(\S*))$`)
	placeholder  = regexp.MustCompile(`\{([\w.]+)\}`)
)

// fill puts in what stands in braces.
func (w *world) fill(text string, who *actor) (string, error) {
	var failed error
	filled := placeholder.ReplaceAllStringFunc(text, func(braced string) string {
		name := braced[1 : len(braced)-1]
		if name == "password" {
			person, _ := w.site.Person("ada")
			return person.Password
		}
		if person, ok := w.site.Person(name); ok {
			return string(person.ID)
		}
		if id, ok := w.site.Lesson(name); ok {
			return string(id)
		}
		if base, ok := strings.CutSuffix(name, ".email"); ok {
			if person, ok := w.site.Person(base); ok {
				return person.Email
			}
		}
		if who != nil {
			if value, ok := who.page.field(name); ok {
				return value
			}
		}
		failed = fmt.Errorf("there is nothing to put in for {%s}", name)
		return braced
	})
	return filled, failed
}

// send makes a request, and writes it down.
func (w *world) send(who *actor, e errand) (*Exchange, error) {
	s, err := w.serverFor(who, e.at)
	if err != nil {
		return nil, err
	}
	r, sent := w.request(who, e)
	w.sent++
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, r)
	w.pause()
	return w.record(who, e, s, r, sent, answer.Result(), answer.Body.String()), nil
}

// leastRest is the shortest time worth resting: clocks wake nobody much sooner.
const leastRest = time.Millisecond

// pause lets others have the processor: for once, or, when the work since the last rest
// calls for a rest that is long enough, for that long. A run that has used up a quarter
// of its time rests no more: the machine is so slow just now that it would not finish.
func (w *world) pause() {
	now := time.Now()
	rest := time.Duration(w.bounds.Rest * float64(now.Sub(w.rested)))
	if deadline, ok := w.ctx.Deadline(); rest < leastRest || ok && deadline.Sub(now) < w.bounds.Time*3/4 {
		runtime.Gosched()
		return
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	}
	w.rested = time.Now()
}

// request makes what goes over the wire.
func (w *world) request(who *actor, e errand) (*http.Request, string) {
	form := url.Values{}
	for _, f := range e.form {
		form.Add(f.Name, f.Value)
	}
	target := w.base.JoinPath("/")
	r := httptest.NewRequestWithContext(withNumber(w.ctx), e.method, target.Scheme+"://"+target.Host+e.path, strings.NewReader(form.Encode()))
	r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(who.number)}), 40000).String()
	if e.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	from, site := jar.SameSite, "same-origin"
	switch {
	case e.from == "":
	case w.isSibling(e.from):
		site = "same-site"
	case e.method == http.MethodGet && !e.fetch:
		from, site = jar.CrossSiteLink, "cross-site"
	default:
		from, site = jar.CrossSite, "cross-site"
	}
	if who.program || e.fetch {
		r.Header.Set("Accept", "application/json")
	} else {
		r.Header.Set("Accept", "text/html")
	}
	if who.program {
		r.Header.Set("User-Agent", "curl")
	} else {
		r.Header.Set("User-Agent", "The browser of "+who.name)
		r.Header.Set("Sec-Fetch-Site", site)
		r.Header.Set("Sec-Fetch-Mode", map[bool]string{true: "cors", false: "navigate"}[e.fetch])
		if e.method == http.MethodPost {
			origin := w.base.String()
			if e.from != "" {
				origin = e.from
			}
			r.Header.Set("Origin", origin)
		}
	}
	if e.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+e.bearer)
	}
	cookies := who.jar.Header(from)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	return r, cookies
}

// isSibling reports whether an origin is a host under the site's own domain, by the
// same scheme: another origin, and to the rules of cookies the same site.
func (w *world) isSibling(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == w.base.Scheme && strings.HasSuffix(u.Host, "."+w.base.Host)
}

// shownRequest and shownResponse are the headers that say something about sessions.
var (
	shownRequest  = []string{"Accept", "Origin", "Sec-Fetch-Site"}
	shownResponse = []string{"Location", "Retry-After", "Www-Authenticate", "Clear-Site-Data", "Content-Type"}
)

// record writes an exchange down, and has the jar do what the answer asks.
func (w *world) record(who *actor, e errand, s *server, r *http.Request, sent string, answer *http.Response, body string) *Exchange {
	x := &Exchange{Who: who.name, Request: Request{Method: e.method, Path: e.path, Headers: map[string]string{}}, Response: Response{Status: answer.StatusCode, Headers: map[string]string{}}}
	if len(w.servers) > 1 {
		x.Server = s.name
	}
	for _, f := range e.form {
		if slices.Contains(secretFields, f.Name) {
			f.Value = "…"
		}
		x.Request.Form = append(x.Request.Form, f)
	}
	for _, name := range shownRequest {
		if value := r.Header.Get(name); value != "" && (name != "Sec-Fetch-Site" && name != "Origin" || e.from != "") {
			x.Request.Headers[name] = value
		}
	}
	if e.bearer != "" {
		x.Request.Headers["Authorization"] = "Bearer " + shorten(e.bearer)
	}
	for _, name := range shownResponse {
		if value := answer.Header.Get(name); value != "" {
			x.Response.Headers[name] = value
		}
	}
	x.Trace = w.traceOf(r)
	w.takeApart(x, who, s, sent, answer)
	who.page = &page{contentType: answer.Header.Get("Content-Type"), body: body}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/jwk-set+json") {
		who.published = body
	}
	w.ended, w.page, w.last = x, who.page, who
	return x
}

// secretFields are not shown as they were typed.
var secretFields = []string{"password", "current", "new"}

// traceOf is what the site noted about a request's session.
func (w *world) traceOf(r *http.Request) Trace {
	noted, ok := w.seen.LoadAndDelete(numberOf(r))
	if !ok {
		return Trace{Backend: session.None}
	}
	visit := noted.(*session.Visit)
	t := &visit.Trace
	trace := Trace{Backend: t.Backend, Bytes: t.Bytes, Reads: t.Reads, Writes: t.Writes, Reason: t.Reason}
	for _, step := range t.Steps() {
		trace.Steps = append(trace.Steps, TraceStep{step.Name, float64(step.Took) / float64(time.Microsecond)})
	}
	if rec, ok := visit.Record(); ok {
		trace.Role, trace.From = string(rec.Role), string(visit.RoleSource())
	}
	return trace
}

// waiting is a request that nobody has the answer of yet.
type waiting struct {
	line string
	who  *actor
	done chan struct{}
	// record writes it down; called when done.
	record func() *Exchange
}

// sendLater makes a request and does not wait for the answer: it comes back when
// the request is held on its way, or is over.
func (w *world) sendLater(who *actor, e errand) error {
	s, err := w.serverFor(who, e.at)
	if err != nil {
		return err
	}
	r, sent := w.request(who, e)
	w.sent++
	answer := httptest.NewRecorder()
	later := &waiting{line: w.entry.Line, who: who, done: make(chan struct{})}
	later.record = func() *Exchange {
		return w.record(who, e, s, r, sent, answer.Result(), answer.Body.String())
	}
	w.waiting = append(w.waiting, later)
	arrived := w.gate.arrived
	go func() {
		defer close(later.done)
		s.handler.ServeHTTP(answer, r)
	}()
	select {
	case <-arrived:
		w.note("The request has found its session, and is on its way to note the visit.")
	case <-later.done:
		w.note("The answer is there, and nobody has looked at it yet.")
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
	return nil
}
