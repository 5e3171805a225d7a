package lab

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/handlers/token"
)

// verb is one thing that a script can say.
type verb struct {
	who     bool // somebody does it
	pattern *regexp.Regexp
	make    func(m []string) (action, error)
}

// always makes a verb that cannot be said wrongly.
func always(do func(m []string) action) func([]string) (action, error) {
	return func(m []string) (action, error) { return do(m), nil }
}

// verbs are all of them. FORMAT.md lists them for people.
var verbs = sync.OnceValue(func() []verb {
	said := func(who bool, pattern string, make func([]string) (action, error)) verb {
		return verb{who, regexp.MustCompile("^" + pattern + "$"), make}
	}
	return []verb{
		said(true, `signs in as (\w+)(, to be remembered)?`, always(signIn)),
		said(true, `(GET|POST|PUT|DELETE|fetch) (/[^\s,]*)(.*)`, request),
		said(true, `copies the cookies of (\w+)`, always(copyCookies)),
		said(true, `is given the cookies of (\w+)`, always(copyCookies)),
		said(true, `copies what the script read`, always(func([]string) action { return copyRead })),
		said(true, `closes the browser and opens it again`, always(reopen)),
		said(true, `throws away ([\w-]+)`, always(throwAway)),
		said(true, `changes a character of the cookie`, always(func([]string) action { return changeCharacter })),
		said(true, `edits the cookie, (\w+)=(\w+)`, always(editCookie)),
		said(true, `makes a token, (.+)`, makeToken),
		said(true, `checks the cookie with the published keys(?: until refused, every (\w+))?`, checkElsewhere),
		said(true, `makes up a cookie`, always(func([]string) action { return makeUp })),
		said(true, `guesses a number`, always(func([]string) action { return guess })),
		said(true, `reads the cookie without a key`, always(func([]string) action { return readCookie })),
		said(true, `a script on the page reads the cookies`, always(func([]string) action { return scriptReads })),
		said(true, `takes all that the server keeps`, always(func([]string) action { return takeAll })),
		said(true, `gives it the shape of a ticket`, always(func([]string) action { return shapeLoot })),
		said(true, `shows what lay on the server as a ticket`, always(func([]string) action { return showLoot })),

		said(false, `clock \+(\w+)`, moveClock),
		said(false, `server (\w): (stops|starts|restarts)`, always(serverDoes)),
		said(false, `store: (goes away|comes back|holds the next write|lets go)`, always(storeDoes)),
		said(false, `keys: (a new one signs|the old ones are dropped)`, always(keysDo)),
		said(false, `school: puts (\d+) courses into each session`, putCourses),
		said(false, `server: shows what it keeps`, always(func([]string) action { return showKept })),
	}
})

// signIn posts the form that everybody posts.
func signIn(m []string) action {
	return func(w *world, who *actor) error {
		person, ok := w.site.Person(m[1])
		if !ok {
			return fmt.Errorf("there is nobody called %s", m[1])
		}
		form := []Field{{"email", person.Email}, {"password", person.Password}}
		if m[2] != "" {
			form = append(form, Field{"remember", "1"})
		}
		if w.issued.IsZero() {
			w.issued = w.clock.Now()
		}
		return w.ask(who, errand{method: http.MethodPost, path: "/signin", form: form})
	}
}

// ask makes a request that stands in the transcript.
func (w *world) ask(who *actor, e errand) error {
	x, err := w.send(who, e)
	w.entry.Exchange = x
	return err
}

var (
	untilRefused = regexp.MustCompile(` until refused, every (\w+)$`)
	asOften      = regexp.MustCompile(` (\d+) times(?:, every (\w+))?$`)
	atServer     = regexp.MustCompile(` at (\w)$`)
	fromSite     = regexp.MustCompile(` from (https?://\S+)$`)
	noWaiting    = regexp.MustCompile(`,? without waiting$`)
)

// request reads the rest of a request's line.
func request(m []string) (action, error) {
	e := errand{method: m[1], path: m[2]}
	if e.method == "fetch" {
		e.method, e.fetch = http.MethodGet, true
	}
	rest := m[3]
	cut := func(pattern *regexp.Regexp) []string {
		found := pattern.FindStringSubmatch(rest)
		if found != nil {
			rest = strings.TrimSuffix(rest, found[0])
		}
		return found
	}
	var every time.Duration
	if found := cut(untilRefused); found != nil {
		var err error
		if every, err = readDuration(found[1]); err != nil {
			return nil, err
		}
	}
	times, pause := 0, time.Duration(0)
	if found := cut(asOften); found != nil {
		times, _ = strconv.Atoi(found[1])
		if found[2] != "" {
			var err error
			if pause, err = readDuration(found[2]); err != nil {
				return nil, err
			}
		}
	}
	later := cut(noWaiting) != nil
	if found := cut(fromSite); found != nil {
		e.from = found[1]
	}
	if found := cut(atServer); found != nil {
		e.at = found[1]
	}
	var fields []Field
	for _, text := range cutOutsideQuotes(strings.TrimSpace(rest), " ") {
		if text == "" {
			continue
		}
		f := fieldPattern.FindStringSubmatch(text)
		if f == nil {
			return nil, fmt.Errorf("%q is no field", text)
		}
		fields = append(fields, Field{f[1], f[2] + f[3]})
	}
	return func(w *world, who *actor) error {
		e, err := w.filled(e, fields, who)
		switch {
		case err != nil:
			return err
		case every > 0:
			return w.askUntilRefused(who, e, every)
		case times > 0:
			return w.askOften(who, e, times, pause)
		case later:
			return w.sendLater(who, e)
		}
		return w.ask(who, e)
	}, nil
}

// readDuration also knows days.
func readDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

func (w *world) filled(e errand, fields []Field, who *actor) (errand, error) {
	path, err := w.fill(e.path, who)
	if err != nil {
		return e, err
	}
	e.path, e.form = path, nil
	for _, f := range fields {
		value, err := w.fill(f.Value, who)
		if err != nil {
			return e, err
		}
		e.form = append(e.form, Field{f.Name, value})
	}
	return e, nil
}

// mostAsked bounds how often one step asks.
const mostAsked = 5000

// askUntilRefused asks again and again while the clock moves, and measures how long
// it was accepted: since the verdict, or since now where there is none.
func (w *world) askUntilRefused(who *actor, e errand, every time.Duration) error {
	from := w.decided
	if from.IsZero() {
		from = w.clock.Now()
	}
	for asked := range mostAsked {
		x, err := w.send(who, e)
		if err != nil {
			return err
		}
		if verdictOf(x.Response.Status) != Accepted {
			w.entry.Exchange, w.entry.Again, w.entry.At = x, asked, w.clock.Now()
			w.went(from)
			return nil
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		w.clock.move(every)
	}
	return fmt.Errorf("it was accepted %d times, and still is", mostAsked)
}

// went notes that what was good for a while is not accepted any more.
func (w *world) went(from time.Time) {
	w.measured["valid_for_seconds"] = w.clock.Now().Sub(from).Seconds()
	w.column.Life = &Life{Issued: w.issued, Ended: from, Refused: w.clock.Now()}
}

// askOften asks the same many times, and measures what it costs in the middle.
func (w *world) askOften(who *actor, e errand, times int, pause time.Duration) error {
	if times > mostAsked {
		return fmt.Errorf("%d times is too often", times)
	}
	costs := make([]float64, 0, times)
	reads, writes := 0, 0
	for range times {
		x, err := w.send(who, e)
		if err != nil {
			return err
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		reads, writes = reads+x.Trace.Reads, writes+x.Trace.Writes
		micros := 0.0
		for _, step := range x.Trace.Steps {
			micros += step.Micros
		}
		costs = append(costs, micros)
		w.entry.Exchange = x
		w.clock.move(pause)
	}
	w.entry.Again = times - 1
	w.measured["micros"] = median(costs)
	w.measured["reads_in_all"], w.measured["writes_in_all"] = float64(reads), float64(writes)
	w.note("The same %d times over; in the middle it took %.1f µs to find out who was asking.", times, w.measured["micros"])
	return nil
}

func copyCookies(m []string) action {
	return func(w *world, who *actor) error {
		whose := w.actors[m[1]]
		if whose == nil {
			return fmt.Errorf("there is no %s", m[1])
		}
		// A thief who has the text of a cookie keeps it, whatever dates it came with.
		for _, name := range whose.jar.Names() {
			who.jar.Replace(name, whose.jar.Value(name))
			w.note("%s has %s=%s now.", who.name, name, shorten(whose.jar.Value(name)))
		}
		return nil
	}
}

func reopen([]string) action {
	return func(w *world, who *actor) error {
		who.jar.Restart()
		w.note("Cookies with a date are still there: %s.", orNone(who.jar.Names()))
		return nil
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func throwAway(m []string) action {
	return func(w *world, who *actor) error {
		who.jar.Receive(&http.Cookie{Name: w.cookieName(m[1]), MaxAge: -1, Path: "/", Secure: w.setup.HTTPS})
		return nil
	}
}

func moveClock(m []string) (action, error) {
	by, err := readDuration(m[1])
	return func(w *world, _ *actor) error {
		w.clock.move(by)
		w.entry.At = w.clock.Now()
		return nil
	}, err
}

func serverDoes(m []string) action {
	return func(w *world, _ *actor) error {
		s := w.server(m[1])
		if s == nil {
			return fmt.Errorf("there is no server %s", m[1])
		}
		s.handler = nil
		if m[2] == "stops" {
			return nil
		}
		return w.boot(s)
	}
}

func storeDoes(m []string) action {
	return func(w *world, _ *actor) error {
		switch m[1] {
		case "goes away":
			w.gate.close()
		case "holds the next write":
			w.gate.holdNext()
		default:
			w.gate.open()
			return w.letGo()
		}
		return nil
	}
}

// letGo waits for the requests that were held, and writes them down.
func (w *world) letGo() error {
	for _, later := range w.waiting {
		select {
		case <-later.done:
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
		w.entry.Exchange = later.record()
		w.note("The answer to: %s: %s", later.who.name, later.line)
	}
	w.waiting = nil
	return nil
}

// newRing makes keys, the first of which signs, and those before it verify.
func (w *world) newRing() (*token.Keyring, error) {
	key, err := token.NewKey(random)
	if err != nil {
		return nil, err
	}
	w.keys = append([]string{key}, w.keys...)
	keys, err := token.ParseKeys(token.Algorithm(w.setup.Algorithm), key)
	if err != nil {
		return nil, err
	}
	return token.NewKeyring(keys), nil
}

func keysDo(m []string) action {
	return func(w *world, _ *actor) error {
		if m[1] == "a new one signs" {
			key, err := token.NewKey(random)
			if err != nil {
				return err
			}
			w.keys = append([]string{key}, w.keys...)
		} else {
			w.keys = w.keys[:1]
		}
		keys, err := token.ParseKeys(token.Algorithm(w.setup.Algorithm), strings.Join(w.keys, ","))
		if err != nil {
			return err
		}
		w.shared.Replace(keys)
		for _, info := range keys.Infos() {
			does := "verifies only"
			if info.Signs {
				does = "signs and verifies"
			}
			w.note("key %s %s", info.ID, does)
		}
		return nil
	}
}

func showKept(w *world, _ *actor) error {
	kept, err := w.site.Kept(w.ctx)
	if err != nil {
		return err
	}
	if len(kept) == 0 {
		w.note("Nothing: there is no record of any session.")
	}
	for _, k := range kept {
		w.note("%s: %s", k.Place, fieldsLine(k.Fields))
	}
	return nil
}

func fieldsLine(fields []Field) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name + "=" + shorten(f.Value)
	}
	return strings.Join(parts, " ")
}
