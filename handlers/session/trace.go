package session

import "time"

// StepKind says what a step spends: the processor's time or a wait for a store.
type StepKind string

const (
	CPU   StepKind = "cpu"
	Store StepKind = "store"
)

// Step is one thing that was done to find out who is asking.
type Step struct {
	Name string
	Kind StepKind
	Took time.Duration
	// Where is the source file that did it, from the top of the repository.
	Where string
}

// Trace notes what one request did to its session. A nil Trace notes nothing,
// so that backends need not ask whether anybody is looking.
//
// It is kept cheap enough to be always on: one reading of the clock for each
// step, no allocation after the first.
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
	shown  int
	steps  [12]Step
	count  int
	last   time.Time
}

// Begin starts the watch.
func (t *Trace) Begin() {
	if t != nil {
		t.last = time.Now()
	}
}

// Done notes a step that took the time since the last one.
func (t *Trace) Done(name string, kind StepKind, where string) {
	if t == nil || t.count == len(t.steps) {
		return
	}
	now := time.Now()
	t.steps[t.count] = Step{Name: name, Kind: kind, Took: now.Sub(t.last), Where: where}
	t.count++
	t.last = now
}

// Computed notes a step that took nothing but the processor's time.
func (t *Trace) Computed(step, where string) { t.Done(step, CPU, where) }

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
	if t.shown < len(t.sizes) {
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
	return t.steps[:t.count]
}

// Total is the time of all steps together.
func (t *Trace) Total() time.Duration {
	var total time.Duration
	for _, step := range t.Steps() {
		total += step.Took
	}
	return total
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
