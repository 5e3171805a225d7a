package lab

import (
	"encoding/json"
	"time"

	"lectern/handlers/session"
)

// Verdict is what the site said to the deciding request.
type Verdict string

const (
	Accepted      Verdict = "accepted"       // a status of 200 to 399
	Refused       Verdict = "refused"        // 400 to 499
	Unavailable   Verdict = "unavailable"    // 500 and above: nobody can tell
	NotApplicable Verdict = "not-applicable" // nothing was asked
)

// verdictOf reads the verdict off a status.
func verdictOf(status int) Verdict {
	switch {
	case status == 0:
		return NotApplicable
	case status >= 500:
		return Unavailable
	case status >= 400:
		return Refused
	}
	return Accepted
}

// Run is an experiment that was carried out: what each column came to.
type Run struct {
	Experiment string        `json:"experiment"`
	At         time.Time     `json:"at"`
	Took       time.Duration `json:"took"`
	Machine    string        `json:"machine"`
	Columns    []Column      `json:"columns"`
}

// Broken reports whether the program did not do what the experiment says of it,
// in any column. Then the explanation is not to be believed.
func (r *Run) Broken() bool {
	for _, c := range r.Columns {
		if len(c.Wrongs) > 0 {
			return true
		}
	}
	return false
}

// Column is what one kind of session came to.
type Column struct {
	Name   string `json:"name"`
	Label  string `json:"label"`
	Kind   string `json:"kind"`   // the kind of session, as in session.Kinds
	Family string `json:"family"` // JWT, Server or Hybrid
	// Verdict and Status are those of the deciding exchange; of the first that
	// was accepted, where there are several.
	Verdict Verdict `json:"verdict"`
	Status  int     `json:"status"`
	// Outcome is the prediction that comes true: Accepted or Refused; empty where
	// nothing was asked.
	Outcome  Verdict            `json:"outcome,omitempty"`
	Measured map[string]float64 `json:"measured"`
	// Headline and Sentence say it in words.
	Headline string `json:"headline,omitempty"`
	Sentence string `json:"sentence,omitempty"`
	// Note says why there is nothing in this column.
	Note string `json:"note,omitempty"`
	// Life tells, for a verdict that holds for a while, how long what was issued
	// had been good and how long it went on.
	Life       *Life   `json:"life,omitempty"`
	Transcript []Entry `json:"transcript"`
	// Wrongs are the expectations that did not hold, a sentence each.
	Wrongs []string `json:"wrongs,omitempty"`
}

// Life is the time line of a credential: from its issue until it was taken
// back, and on until the site refused it.
type Life struct {
	Issued  time.Time `json:"issued"`
	Ended   time.Time `json:"ended"`   // when somebody ended it
	Refused time.Time `json:"refused"` // when it stopped working
}

// Entry is one line of a column's transcript.
type Entry struct {
	// Line is the step as the script has it, and At the time in the small world.
	Line string    `json:"line"`
	At   time.Time `json:"at"`
	// Exchange is the request that the step made; nil where it made none.
	Exchange *Exchange `json:"exchange,omitempty"`
	// Notes say what else happened: a clock that moved, what lies on the server.
	Notes []string `json:"notes,omitempty"`
	// Decides marks the exchange off which the verdict is read.
	Decides bool `json:"decides,omitempty"`
	// Differs says what is not the same in the other columns.
	Differs Difference `json:"differs,omitzero"`
	// Again counts how often the same was asked once more, with the same answer.
	Again int `json:"again,omitempty"`
}

// Difference is in what an exchange is unlike the same one in another column.
type Difference struct {
	Status bool `json:"status,omitempty"` // of the answer
	Reason bool `json:"reason,omitempty"` // why the cookie was refused
	Role   bool `json:"role,omitempty"`   // and where it was read
	Store  bool `json:"store,omitempty"`  // how often it was asked
}

// Exchange is a request with its answer.
type Exchange struct {
	Who      string   `json:"who"`
	Server   string   `json:"server,omitempty"` // where there are several
	Request  Request  `json:"request"`
	Response Response `json:"response"`
	Trace    Trace    `json:"trace"`
	// Cookies are the session cookies that were sent or set, taken apart.
	Cookies []Cookie `json:"cookies,omitempty"`
}

// Request is what was sent.
type Request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Form    []Field           `json:"form,omitempty"`
}

// Field is a name and a value of a form.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Response is what came back.
type Response struct {
	Status    int               `json:"status"`
	Headers   map[string]string `json:"headers"`
	SetCookie []string          `json:"set_cookie,omitempty"`
	Excerpt   string            `json:"excerpt"`
}

// Trace is what the site did to find out who was asking.
type Trace struct {
	Backend string         `json:"backend"`
	Bytes   int            `json:"cookie_bytes"`
	Reads   int            `json:"store_reads"`
	Writes  int            `json:"store_writes"`
	Reason  session.Reason `json:"reason,omitempty"`
	Role    string         `json:"role,omitempty"`
	From    string         `json:"role_from,omitempty"`
	Steps   []TraceStep    `json:"steps,omitempty"`
}

// TraceStep is one step of it.
type TraceStep struct {
	Name   string  `json:"name"`
	Micros float64 `json:"micros"`
}

// Direction says which way a cookie went.
type Direction string

const (
	Sent    Direction = "sent"    // by the browser
	Set     Direction = "set"     // by the site
	Cleared Direction = "cleared" // by the site, which has the browser forget it
	Dropped Direction = "dropped" // by the site, and the browser did not keep it
)

// Cookie is a session cookie, taken apart.
type Cookie struct {
	Name  string    `json:"name"`
	Way   Direction `json:"way"`
	Bytes int       `json:"bytes"` // name and value
	Value string    `json:"value"` // shortened in the middle where it is long
	// Token is what a JWT says; nil for a number that says nothing.
	Token *Token `json:"token,omitempty"`
	// State tells a good one from an expired and from a forged one; empty where
	// nobody looked.
	State CookieState `json:"state,omitempty"`
}

// CookieState is what a site that knows the keys would say of a cookie.
type CookieState string

const (
	Good    CookieState = "good"
	Expired CookieState = "expired"
	Forged  CookieState = "forged"  // not signed by us, or altered since
	Unknown CookieState = "unknown" // a number that leads nowhere (any more)
	Foreign CookieState = "foreign" // signed with a key that this server does not have
)

// Token is a JWT in its three parts, as they travel and decoded.
type Token struct {
	Raw       [3]string       `json:"raw"` // shortened where long
	Header    json.RawMessage `json:"header"`
	Payload   json.RawMessage `json:"payload"`
	Signature int             `json:"signature_bytes"`
}
