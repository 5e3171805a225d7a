package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"lectern/db/school"
)

// Most ways to prove who one is take more than one request: the site asks, something
// happens elsewhere (a mail arrives, an app counts, a key signs, another site
// vouches), and the answer comes back. A [Flow] is what the site remembers in
// between. Four rules hold for every flow, whatever is asked, and whatever kind of
// session comes out of it:
//
//  1. It lies on the server. What may be used once has to be remembered by somebody;
//     a challenge in a signed cookie can be answered twice with the same answer.
//  2. It belongs to the browser that began it. Its id stands in forms and addresses
//     and opens nothing by itself: beside it comes a cookie with a secret of which
//     the row has a hash. So a code that is read over a shoulder, and an address that
//     is sent to somebody else, are of no use in another browser (ASVS 6.6.2,
//     10.1.2).
//  3. It ends: after ten minutes (ASVS 6.5.5), after five wrong answers (6.6.3), and
//     when it is used (6.5.1). Of two right answers at once, one is first.
//  4. It says what has been proved so far and by whom. A step cannot be skipped,
//     because the next one is another flow, which only the step before begins
//     (ASVS 2.3.1).

// The bounds of flows.
const (
	// FlowLife is how long an answer is waited for (ASVS 6.5.5).
	FlowLife = 10 * time.Minute
	// FlowTries is how many wrong answers a flow bears (ASVS 6.6.3).
	FlowTries = 5
)

// ErrNoFlow: what was answered is over, was used, had too many wrong answers, or was
// begun in another browser (400). Which of them is not said.
var ErrNoFlow = errors.New("auth: no such flow")

// ErrWrongCode: the code is not the one that was sent, or shown (422).
var ErrWrongCode = errors.New("auth: wrong code")

// ErrNotACode: what was typed has not the digits of a code. It is an [ErrWrongCode], of
// which there is no end, since none is counted.
var ErrNotACode = fmt.Errorf("%w: not so many digits", ErrWrongCode)

// Purpose is what a flow is to lead to.
type Purpose string

// The purposes of flows.
const (
	ToSignIn      Purpose = "sign-in"
	ToSignUp      Purpose = "sign-up"
	ToConfirm     Purpose = "confirm"      // of somebody signed in, before something that matters
	ToReset       Purpose = "reset"        // of a forgotten password
	ToChangeEmail Purpose = "change-email" // the new address shows itself
	ToAddApp      Purpose = "add-authenticator"
	ToAddIdentity Purpose = "add-identity"
	ToWatch       Purpose = "watch" // what a sign-in by another site was made of
	ToAddPhone    Purpose = "add-phone"
	ToAddPasskey  Purpose = "add-passkey"
	ToSecond      Purpose = "second" // a passkey is the second step of another flow
)

// Awaited is what a flow waits for.
type Awaited string

// What flows wait for.
const (
	AwaitCode     Awaited = "code"         // one that was sent
	AwaitSecond   Awaited = "second"       // whatever the person has as a second step
	AwaitPassword Awaited = "new-password" // chosen by somebody who has proved who they are
	AwaitProvider Awaited = "provider"     // the answer of another site
	AwaitNewcomer Awaited = "newcomer"     // a name and an address for an account that is to be opened
	AwaitNothing  Awaited = "nothing"      // it is there to be looked at
	AwaitApp      Awaited = "app"          // the first code of a new authenticator
	AwaitPasskey  Awaited = "passkey"      // the answer of a passkey, or a new one
)

// FlowID names a flow in forms and addresses: 160 random bits, base64url. It is no
// secret; see [Flow].
type FlowID string

// Browser is the secret of a browser, from its cookie: 256 random bits, base64url.
type Browser string

const (
	flowIDBytes  = 20
	browserBytes = 32
)

// ParseBrowser reads the value of a cookie. Whatever is not of our making is refused.
func ParseBrowser(s string) (Browser, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return Browser(s), err == nil && len(raw) == browserBytes
}

// Hash is what rows keep of a browser, by which they are found again.
func (b Browser) Hash() string { return hashOf("browser", string(b)) }

// Hash is what a row keeps of a flow's id.
func (id FlowID) Hash() string { return hashOf("flow", string(id)) }

func hashOf(what, secret string) string {
	sum := sha256.Sum256([]byte(what + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}

func drawn(random io.Reader, bytes int) (string, error) {
	raw := make([]byte, bytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("auth: random numbers: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Flow is a proof that takes more than one request, between two of them.
type Flow struct {
	ID      FlowID
	Purpose Purpose
	Step    Awaited
	// User is who it is about: empty where nobody has the address that was typed,
	// which the page must not let on.
	User school.ID
	// BeganAt is when the flow began, ExpiresAt when its time is over.
	BeganAt, ExpiresAt time.Time
	// Tries is how many answers were given, this one included.
	Tries int
	FlowState
}

// FlowState is what a flow carries along, for all of them together. It is kept as JSON.
type FlowState struct {
	// Proved are the ways by which the person has proved who they are so far, and
	// ProvedAt when the first of them was asked for.
	Proved   []school.Method `json:"proved,omitempty"`
	ProvedAt time.Time       `json:"proved_at,omitzero"`
	// Signed is how the passkey among them was used, as [PasskeyUse] has it.
	Signed []string `json:"signed,omitempty"`
	// Sent is where a code went, Code its hash; see [Flows.Check].
	Sent *Destination `json:"sent,omitempty"`
	Code string       `json:"code,omitempty"`
	// Reached is the address at which the person has read a code.
	Reached school.Email `json:"reached,omitempty"`
	// Secret is the sealed secret of an authenticator that is being set up.
	Secret string `json:"secret,omitempty"`
	// Name and PasswordHash are those of an account that waits for its address.
	Name         string `json:"name,omitempty"`
	PasswordHash string `json:"password_hash,omitempty"`
	// Pending is what is remembered of a sign-in by another site while the person is
	// there; Steps are what was recorded of it for somebody who watches.
	Pending *Pending `json:"pending,omitempty"`
	Steps   []Step   `json:"steps,omitempty"`
	Watched bool     `json:"watched,omitempty"`
	// Question is what a passkey was asked, and SecondOf the flow of which its answer
	// is the second step.
	Question *PasskeyPending `json:"question,omitempty"`
	SecondOf FlowID          `json:"second_of,omitempty"`
	// Identity is what the other site said, where it is to become a way in.
	Identity *school.Identity `json:"identity,omitempty"`
	// What the form wanted that began it.
	Next     string `json:"next,omitempty"`
	Backend  string `json:"backend,omitempty"`
	Remember bool   `json:"remember,omitempty"`
}

// Destination is where a code is sent.
type Destination struct {
	// Email is the address; for a text message the one that was typed, whose owner's
	// telephone it is.
	Email school.Email `json:"email,omitempty"`
	// ByText: it goes to a telephone; to none where the owner has none, which the page
	// must not let on.
	ByText bool         `json:"by_text,omitempty"`
	Phone  school.Phone `json:"phone,omitempty"`
}

// Channel is the way on which it goes there.
func (d Destination) Channel() school.Channel {
	if d.ByText || d.Phone != "" {
		return school.ByText
	}
	return school.ByMail
}

// FlowStore keeps flows for all servers of a site. What it does not find is
// [school.ErrNotFound]: one that is over, or of another browser, is not found.
type FlowStore interface {
	CreateFlow(ctx context.Context, f school.StoredFlow) error
	Flow(ctx context.Context, idHash, browserHash string, now time.Time) (school.StoredFlow, error)
	// TryFlow counts a try, unless most were made, and reads the flow, in one.
	TryFlow(ctx context.Context, idHash, browserHash string, now time.Time, most int) (school.StoredFlow, error)
	// TakeFlow reads a flow and deletes it, in one.
	TakeFlow(ctx context.Context, idHash, browserHash string, now time.Time) (school.StoredFlow, error)
}

// Flows begins flows and takes answers to them. It is safe for concurrent use.
type Flows struct {
	store  FlowStore
	random io.Reader
	now    func() time.Time
}

// NewFlows puts the parts together.
func NewFlows(store FlowStore, random io.Reader, now func() time.Time) *Flows {
	return &Flows{store: store, random: random, now: now}
}

// NewBrowser draws the secret of a browser that has none yet.
func (f *Flows) NewBrowser() (Browser, error) {
	secret, err := drawn(f.random, browserBytes)
	return Browser(secret), err
}

// NewID draws the id of a flow that has to be known before the flow can begin.
func (f *Flows) NewID() (FlowID, error) {
	id, err := drawn(f.random, flowIDBytes)
	return FlowID(id), err
}

// Begin keeps a new flow for a browser. Its id, times and tries are set here.
func (f *Flows) Begin(ctx context.Context, browser Browser, flow Flow) (Flow, error) {
	id, err := f.NewID()
	if err != nil {
		return Flow{}, err
	}
	flow.ID = id
	return f.BeginAs(ctx, browser, flow)
}

// BeginAs is Begin with an id that NewID drew.
func (f *Flows) BeginAs(ctx context.Context, browser Browser, flow Flow) (Flow, error) {
	flow.Tries = 0
	return f.create(ctx, browser, flow)
}

// BeginWithCode keeps a new flow that waits for eight digits, and returns them. The
// row has nothing that they could be guessed from: their hash is keyed with the
// browser's secret, which is in the browser alone.
func (f *Flows) BeginWithCode(ctx context.Context, browser Browser, flow Flow) (Flow, Code, error) {
	id, err := f.NewID()
	if err != nil {
		return Flow{}, "", err
	}
	code, err := newCode(f.random)
	if err != nil {
		return Flow{}, "", err
	}
	flow.ID, flow.Step, flow.Tries = id, AwaitCode, 0
	flow.Code = code.hash(browser, flow.ID)
	flow, err = f.create(ctx, browser, flow)
	return flow, code, err
}

func (f *Flows) create(ctx context.Context, browser Browser, flow Flow) (Flow, error) {
	flow.BeganAt = f.now()
	flow.ExpiresAt = flow.BeganAt.Add(FlowLife)
	state, err := json.Marshal(flow.FlowState)
	if err != nil {
		return Flow{}, fmt.Errorf("auth: flow: %w", err)
	}
	return flow, f.store.CreateFlow(ctx, school.StoredFlow{
		IDHash: flow.ID.Hash(), BrowserHash: browser.Hash(), Purpose: string(flow.Purpose), Step: string(flow.Step),
		User: flow.User, BeganAt: flow.BeganAt, ExpiresAt: flow.ExpiresAt, State: string(state),
	})
}

// Look reads a flow to show the page that asks for its answer. The error is ErrNoFlow
// for one that this browser does not have, and for one that waits for another step.
func (f *Flows) Look(ctx context.Context, browser Browser, id FlowID, step Awaited) (Flow, error) {
	stored, err := f.store.Flow(ctx, id.Hash(), browser.Hash(), f.now())
	return readFlow(id, step, stored, err)
}

// Try counts an answer and reads the flow that it is to. It is called before the
// answer is looked at.
func (f *Flows) Try(ctx context.Context, browser Browser, id FlowID, step Awaited) (Flow, error) {
	stored, err := f.store.TryFlow(ctx, id.Hash(), browser.Hash(), f.now(), FlowTries)
	return readFlow(id, step, stored, err)
}

// Check counts an answer to a flow that waits for a code. The error is ErrWrongCode
// where it is not the one that was sent; then flow.Tries says how many were given. What
// could be no code at all, as when a digit was left out, is not counted: nobody guesses
// with it. It is an ErrNotACode.
func (f *Flows) Check(ctx context.Context, browser Browser, id FlowID, typed string) (Flow, error) {
	code := parseCode(typed)
	if code == "" {
		flow, err := f.Look(ctx, browser, id, AwaitCode)
		if err == nil {
			err = ErrNotACode
		}
		return flow, err
	}
	flow, err := f.Try(ctx, browser, id, AwaitCode)
	if err != nil {
		return Flow{}, err
	}
	if !code.matches(flow.Code, browser, flow.ID) {
		return flow, ErrWrongCode
	}
	return flow, nil
}

// Take uses a flow up, once its answer was right. Of two right answers at once one
// gets nil and the other ErrNoFlow.
func (f *Flows) Take(ctx context.Context, browser Browser, flow Flow) error {
	stored, err := f.store.TakeFlow(ctx, flow.ID.Hash(), browser.Hash(), f.now())
	_, err = readFlow(flow.ID, flow.Step, stored, err)
	return err
}

func readFlow(id FlowID, step Awaited, stored school.StoredFlow, err error) (Flow, error) {
	if errors.Is(err, school.ErrNotFound) || err == nil && stored.Step != string(step) {
		return Flow{}, ErrNoFlow
	}
	if err != nil {
		return Flow{}, err
	}
	flow := Flow{
		ID: id, Purpose: Purpose(stored.Purpose), Step: Awaited(stored.Step), User: stored.User,
		BeganAt: stored.BeganAt, ExpiresAt: stored.ExpiresAt, Tries: stored.Tries,
	}
	if err := json.Unmarshal([]byte(stored.State), &flow.FlowState); err != nil {
		return Flow{}, fmt.Errorf("auth: flow: %w", err)
	}
	return flow, nil
}
