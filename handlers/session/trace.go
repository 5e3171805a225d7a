package session

import "time"

// StepKind says what a step spends: the processor's time or a wait for a store.
type StepKind string

const (
	CPU   StepKind = "cpu"
	Store StepKind = "store"
)

// Work is something that is done to find out who is asking, as it is called
// each time.
type Work struct {
	Name string
	Kind StepKind
	// Where is the source file that does it, from the top of the repository.
	Where string
}

// Step is a piece of work that one request did.
type Step struct {
	Work
	Took time.Duration
}

// Trace notes what one request did to its session. A nil Trace notes nothing,
// so that backends need not ask whether anybody is looking.
//
// It is always on, so it must cost next to nothing. For each step it keeps a
// pointer to what was done, which is written down once for all requests, and
// one reading of a clock that tells only how long the program has run, which is
// half the price of asking for the time of day.
type Trace struct {
	// Backend is the kind of session that the request was read with; None
	// without a good cookie.
	Backend string
	// Cookie is the name of the cookie that decided, and Bytes the length of its
	// name and value. Cookies has it and what else of the same kind came along.
	Cookie string
	Bytes  int
	// Reads and Writes count the calls of the session store.
	Reads, Writes int
	// Reason says why a cookie that was presented was refused; empty when none
	// was presented or it was good.
	Reason Reason
	// CarriedFrom names the backend whose session was exchanged in this request
	// after the site had been switched.
	CarriedFrom string

	handle string // what a ticket that leads nowhere would have led to
	sizes  [2]CookieSize
	notes  [12]note
	last   time.Duration
	count  uint8 // of notes
	shown  uint8 // of sizes
}

// note is a step as it is kept.
type note struct {
	work *Work
	took time.Duration
}

// started is when the clock of all traces stood at zero.
var started = time.Now()

// Begin starts the watch.
func (t *Trace) Begin() {
	if t != nil {
		t.last = time.Since(started)
	}
}

// Done notes that a piece of work took the time since the last one. The work
// must not be changed afterwards.
func (t *Trace) Done(work *Work) {
	if t == nil || int(t.count) == len(t.notes) {
		return
	}
	now := time.Since(started)
	t.notes[t.count] = note{work, now - t.last}
	t.count++
	t.last = now
}

// Read counts a read of the session store.
func (t *Trace) Read() {
	if t != nil {
		t.Reads++
	}
}

// Wrote counts a write to the session store.
func (t *Trace) Wrote() {
	if t != nil {
		t.Writes++
	}
}

// CookieSize is a cookie's name with the length of name and value, in bytes:
// what is sent with every request.
type CookieSize struct {
	Name  string
	Bytes int
}

// Present notes the cookie that is being looked at, or has just been set.
func (t *Trace) Present(name string, bytes int) {
	if t == nil {
		return
	}
	t.Cookie, t.Bytes = name, bytes
	t.Alongside(name, bytes)
}

// Alongside notes a cookie that is sent beside the one that decides.
func (t *Trace) Alongside(name string, bytes int) {
	if t == nil {
		return
	}
	for i := range t.shown {
		if t.sizes[i].Name == name {
			t.sizes[i].Bytes = bytes
			return
		}
	}
	if int(t.shown) < len(t.sizes) {
		t.sizes[t.shown] = CookieSize{name, bytes}
		t.shown++
	}
}

// Cookies returns the session cookies that were looked at or set, in order.
func (t *Trace) Cookies() []CookieSize {
	if t == nil {
		return nil
	}
	return t.sizes[:t.shown]
}

// Refuse notes why the cookie is no good.
func (t *Trace) Refuse(reason Reason) {
	if t != nil {
		t.Reason = reason
	}
}

// LeadsTo notes the handle of the session that a ticket stood for, which is not
// there.
func (t *Trace) LeadsTo(handle string) {
	if t != nil {
		t.handle = handle
	}
}

// Steps returns what was noted, in order.
func (t *Trace) Steps() []Step {
	if t == nil {
		return nil
	}
	steps := make([]Step, t.count)
	for i, n := range t.notes[:t.count] {
		steps[i] = Step{*n.work, n.took}
	}
	return steps
}

// Reason is a word for the log and the strip that says why a cookie was
// refused. The visitor's page says the same for all of them.
type Reason string

const (
	Malformed    Reason = "malformed"     // not in the shape that this site issues
	BadAlgorithm Reason = "algorithm"     // signed in a way that this site does not (RFC 8725 §3.1)
	BadType      Reason = "type"          // a token, but for another purpose (RFC 8725 §3.11)
	UnknownKey   Reason = "key"           // signed with a key that is not, or no longer, ours
	BadSignature Reason = "signature"     // altered, or not signed by us
	BadClaims    Reason = "claims"        // signed by us, but it does not say what it must
	WrongIssuer  Reason = "issuer"        // for another site
	NotYet       Reason = "not-yet"       // issued in the future
	Expired      Reason = "expired"       // its time is over
	Idle         Reason = "idle"          // nobody came for too long
	Unknown      Reason = "unknown-id"    // no record: signed out, ended, or never issued
	EndedForAll  Reason = "ended-for-all" // an admin has ended all sessions since
	CutOff       Reason = "cut-off"       // all sessions of this person were ended since
	Denied       Reason = "denied"        // this very token was ended
	Reused       Reason = "reused"        // a refresh token that had been exchanged before; its family is ended
	NoSuchUser   Reason = "no-such-user"  // the person is not in the school any more
	Closed       Reason = "closed"        // the account was disabled
)
