package auth_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
)

var here = virtualwebauthn.RelyingParty{ID: "school.example", Name: "Lectern", Origin: "https://school.example"}

// passkeyDoor is the way in by passkey with Ada and Bob, whose passkeys are kept in a
// real database, and with questions kept as a caller keeps them: as JSON, and for one
// answer each.
type passkeyDoor struct {
	*auth.Passkeys
	t        *testing.T
	db       *db.DB
	clock    *clock
	ada, bob school.User
	asked    [][]byte
}

func newPasskeyDoor(t *testing.T) *passkeyDoor {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	door := &passkeyDoor{t: t, db: d, clock: newClock()}
	door.Passkeys = auth.NewPasskeys(address(t, here.Origin), here.Name, d, rand.Reader, door.clock.Now)
	for who, email := range map[*school.User]school.Email{&door.ada: "ada@lectern.example", &door.bob: "bob@lectern.example"} {
		*who = school.User{ID: school.MustNewID(), Email: email, Name: string(email[:3]), Role: school.Student, CreatedAt: door.clock.Now()}
		if err := d.CreateUser(t.Context(), *who, ""); err != nil {
			t.Fatal(err)
		}
	}
	return door
}

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// keep is what a caller does with a question, and take gives it for the answer, once.
func (d *passkeyDoor) keep(pending auth.PasskeyPending) int {
	d.t.Helper()
	row, err := json.Marshal(pending)
	if err != nil {
		d.t.Fatal(err)
	}
	d.asked = append(d.asked, row)
	return len(d.asked) - 1
}

func (d *passkeyDoor) take(question int) (pending auth.PasskeyPending) {
	d.t.Helper()
	row := d.asked[question]
	d.asked[question] = nil
	if row == nil {
		return pending
	}
	if err := json.Unmarshal(row, &pending); err != nil {
		d.t.Fatal(err)
	}
	return pending
}

// device is an authenticator with one passkey.
type device struct {
	virtualwebauthn.Authenticator
	key virtualwebauthn.Credential
}

// coseKey is the length of a public key on P-256 as a device writes it (RFC 9053 §7.1).
const coseKey = 77

// newPair is a key pair. The library writes a coordinate that begins with a nought
// shorter than it has to be, which no real device does; such a pair is drawn anew.
func newPair() virtualwebauthn.Credential {
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == coseKey {
			return c
		}
	}
}

// newDevice makes a device that asks its owner for a PIN, and whose passkeys stay in
// it and count from 1.
func newDevice(of school.User) *device {
	d := &device{virtualwebauthn.NewAuthenticator(), newPair()}
	d.Options.UserHandle = []byte(of.ID)
	d.key.Counter = 1
	return d
}

func (d *device) id() string { return base64.RawURLEncoding.EncodeToString(d.key.ID) }

func (d *device) make(t *testing.T, rp virtualwebauthn.RelyingParty, options []byte) []byte {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(rp, d.Authenticator, d.key, *asked))
}

// sign answers a question, and counts on.
func (d *device) sign(t *testing.T, rp virtualwebauthn.RelyingParty, options []byte) []byte {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	if d.key.Counter > 0 {
		d.key.Counter++
	}
	return []byte(virtualwebauthn.CreateAssertionResponse(rp, d.Authenticator, d.key, *asked))
}

func (d *passkeyDoor) beginAdd(user school.User) (options []byte, question int) {
	d.t.Helper()
	options, pending, err := d.BeginAdd(d.t.Context(), user)
	if err != nil {
		d.t.Fatal(err)
	}
	return options, d.keep(pending)
}

func (d *passkeyDoor) beginSignIn() (options []byte, question int) {
	d.t.Helper()
	options, pending, err := d.BeginSignIn()
	if err != nil {
		d.t.Fatal(err)
	}
	return options, d.keep(pending)
}

func (d *passkeyDoor) beginSecond(user school.User) (options []byte, question int) {
	d.t.Helper()
	options, pending, err := d.BeginSecond(d.t.Context(), user)
	if err != nil {
		d.t.Fatal(err)
	}
	return options, d.keep(pending)
}

// add makes a passkey on a device and adds it.
func (d *passkeyDoor) add(user school.User, on *device, name string) school.Passkey {
	d.t.Helper()
	options, question := d.beginAdd(user)
	p, err := d.FinishAdd(d.t.Context(), user.ID, d.take(question), on.make(d.t, here, options), name)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// signIn signs in with a device's passkey, as it is.
func (d *passkeyDoor) signIn(with *device) (auth.PasskeyUse, error) {
	d.t.Helper()
	options, question := d.beginSignIn()
	return d.FinishSignIn(d.t.Context(), d.take(question), with.sign(d.t, here, options))
}

func (d *passkeyDoor) credential(user school.User) school.PasskeyCredential {
	d.t.Helper()
	all, err := d.db.PasskeyCredentials(d.t.Context(), user.ID)
	if err != nil || len(all) != 1 {
		d.t.Fatalf("%d passkeys, %v", len(all), err)
	}
	return all[0]
}

func refusedWith(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestPasskeys_addressesWhereTheyCannotWork(t *testing.T) {
	for base, sentence := range map[string]string{
		"http://127.0.0.1:8080":   "by a number, 127.0.0.1",
		"https://[2001:db8::1]/":  "by a number, 2001:db8::1",
		"http://school.example":   "over https",
		"https://intranet":        "make none for “intranet”",
		"https://school..example": "make none for",
	} {
		p := auth.NewPasskeys(address(t, base), "Lectern", nil, rand.Reader, time.Now)
		if p.Available() || !strings.Contains(p.WhyNot(), sentence) {
			t.Errorf("%s: available %t, and says %q; want %q", base, p.Available(), p.WhyNot(), sentence)
		}
		_, _, err := p.BeginSignIn()
		refusedWith(t, base+": sign in", err, auth.ErrNoPasskeys)
		_, _, err = p.BeginAdd(t.Context(), school.User{})
		refusedWith(t, base+": add", err, auth.ErrNoPasskeys)
		_, _, err = p.BeginSecond(t.Context(), school.User{})
		refusedWith(t, base+": second", err, auth.ErrNoPasskeys)
		_, err = p.FinishSignIn(t.Context(), auth.PasskeyPending{Step: auth.PasskeySignIn}, nil)
		refusedWith(t, base+": finish", err, auth.ErrNoPasskeys)
	}
	for base, id := range map[string]string{
		"http://localhost:8080":         "localhost",
		"http://lectern.localhost:8080": "lectern.localhost",
		"https://School.Example":        "school.example",
		"https://school.example:8443":   "school.example",
	} {
		p := auth.NewPasskeys(address(t, base), "Lectern", nil, rand.Reader, time.Now)
		options, _, err := p.BeginSignIn()
		if err != nil || !p.Available() || p.WhyNot() != "" || !bytes.Contains(options, []byte(`"rpId":"`+id+`"`)) {
			t.Errorf("%s: %v, %q, %s; want %q", base, err, p.WhyNot(), options, id)
		}
	}
}

func TestPasskeys_askForWhatTheRulesSay(t *testing.T) {
	t.Attr("asvs", "6.7.2")
	d := newPasskeyDoor(t)
	on := newDevice(d.ada)
	d.add(d.ada, on, "Telephone")

	type options struct {
		Challenge []byte `json:"-"`
		Encoded   string `json:"challenge"`
		Timeout   int
		RPID      string
		RP        struct{ ID, Name string }
		User      struct{ ID, Name, DisplayName string }
		Verify    string `json:"userVerification"`
		Allow     []struct{ ID string }
		Exclude   []struct{ ID string } `json:"excludeCredentials"`
		Selection struct {
			ResidentKey      string
			UserVerification string
		} `json:"authenticatorSelection"`
		Attestation string
	}
	read := func(raw []byte) (o options) {
		t.Helper()
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		challenge, err := base64.RawURLEncoding.DecodeString(o.Encoded)
		if err != nil || len(challenge) < 16 {
			t.Errorf("a challenge of %d bytes, %v", len(challenge), err)
		}
		o.Challenge = challenge
		if o.Timeout != int(auth.PasskeyTime/time.Millisecond) {
			t.Errorf("the browser has %d ms", o.Timeout)
		}
		return o
	}
	raw, _ := d.beginAdd(d.ada)
	add := read(raw)
	if add.Selection.ResidentKey != "required" || add.Selection.UserVerification != "required" || add.Attestation != "none" {
		t.Errorf("a new passkey is asked for with %+v, attestation %q", add.Selection, add.Attestation)
	}
	if add.RP.ID != here.ID || add.RP.Name != here.Name || add.User.Name != string(d.ada.Email) || add.User.DisplayName != d.ada.Name {
		t.Errorf("it is for %+v at %+v", add.User, add.RP)
	}
	if handle, err := base64.RawURLEncoding.DecodeString(add.User.ID); err != nil || string(handle) != string(d.ada.ID) || len(handle) > 64 {
		t.Errorf("the handle is %q, %v", handle, err)
	}
	if len(add.Exclude) != 1 || add.Exclude[0].ID != on.id() {
		t.Errorf("left out are %v, want the one that is there", add.Exclude)
	}
	raw, _ = d.beginSignIn()
	signIn := read(raw)
	if signIn.Verify != "required" || signIn.RPID != here.ID || bytes.Contains(raw, []byte("allowCredentials")) {
		t.Errorf("signing in asks %s", raw)
	}
	raw, _ = d.beginSecond(d.ada)
	second := read(raw)
	if second.Verify != "preferred" || !bytes.Contains(raw, []byte(`"id":"`+on.id()+`"`)) {
		t.Errorf("the second step asks %s", raw)
	}

	// ASVS 6.7.2: at least 64 bits, and no two alike.
	seen := map[string]bool{string(add.Challenge): true, string(signIn.Challenge): true, string(second.Challenge): true}
	for range 100 {
		raw, _ := d.beginSignIn()
		seen[string(read(raw).Challenge)] = true
	}
	if len(seen) != 103 {
		t.Errorf("103 questions have %d challenges", len(seen))
	}
}

func TestPasskeys_drawFromWhatTheyAreGiven(t *testing.T) {
	t.Attr("asvs", "6.5.3")
	drawn := bytes.Repeat([]byte{7}, 32)
	p := auth.NewPasskeys(address(t, here.Origin), here.Name, nil, bytes.NewReader(drawn), time.Now)
	options, _, err := p.BeginSignIn()
	if err != nil || !bytes.Contains(options, []byte(base64.RawURLEncoding.EncodeToString(drawn))) {
		t.Errorf("%s, %v", options, err)
	}
	if _, _, err := p.BeginSignIn(); err == nil {
		t.Error("a question without a challenge")
	}
}

func TestPasskeys_refuseWhatMakesNone(t *testing.T) {
	other := func(change func(*virtualwebauthn.RelyingParty)) virtualwebauthn.RelyingParty {
		rp := here
		change(&rp)
		return rp
	}
	for _, tt := range []struct {
		name string
		want error
		make func(d *passkeyDoor, on *device) (school.Passkey, error)
	}{
		{"made for another origin", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, other(func(rp *virtualwebauthn.RelyingParty) { rp.Origin = "https://schoo1.example" }), options), "Key")
		}},
		{"made for another port", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, other(func(rp *virtualwebauthn.RelyingParty) { rp.Origin = "https://school.example:8443" }), options), "Key")
		}},
		{"made for another name", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, other(func(rp *virtualwebauthn.RelyingParty) { rp.ID = "example" }), options), "Key")
		}},
		{"made by a device that did not ask its owner", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			on.Options.UserNotVerified = true
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"made with nobody there", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			on.Options.UserNotPresent = true
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"backed up, and not made to be", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			on.Options.BackupState = true
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"an answer to another question", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, _ := d.beginAdd(d.ada)
			_, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"an answer to a question that was answered", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			d.take(question)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"asked for somebody else in this browser", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.bob)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"asked for something else", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			pending := d.take(question)
			pending.Step = auth.PasskeySecond
			return d.FinishAdd(t.Context(), d.ada.ID, pending, on.make(t, here, options), "Key")
		}},
		{"too late", auth.ErrPasskeyExpired, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			d.clock.pass(auth.PasskeyTime)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
		{"nothing", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			_, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), nil, "Key")
		}},
		{"a mountain", auth.ErrPasskeyUnfit, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), append(on.make(t, here, options), bytes.Repeat([]byte(" "), 1<<16)...), "Key")
		}},
		{"one that somebody else has", school.ErrPasskeyTaken, func(d *passkeyDoor, on *device) (school.Passkey, error) {
			d.add(d.bob, on, "Bob's")
			options, question := d.beginAdd(d.ada)
			return d.FinishAdd(t.Context(), d.ada.ID, d.take(question), on.make(t, here, options), "Key")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newPasskeyDoor(t)
			_, err := tt.make(d, newDevice(d.ada))
			refusedWith(t, "add", err, tt.want)
			if got, err := d.db.Passkeys(t.Context(), d.ada.ID); err != nil || len(got) != 0 {
				t.Errorf("Ada has %v, %v", got, err)
			}
		})
	}
	t.Run("without a name", func(t *testing.T) {
		d := newPasskeyDoor(t)
		options, question := d.beginAdd(d.ada)
		_, err := d.FinishAdd(t.Context(), d.ada.ID, d.take(question), newDevice(d.ada).make(t, here, options), " ")
		var invalid *school.Invalid
		if !errors.As(err, &invalid) || invalid.Field != "name" {
			t.Errorf("%v", err)
		}
	})
	t.Run("one more than there may be", func(t *testing.T) {
		d := newPasskeyDoor(t)
		late, question := d.beginAdd(d.ada)
		for range school.MaxPasskeys {
			d.add(d.ada, newDevice(d.ada), "Key")
		}
		_, _, err := d.BeginAdd(t.Context(), d.ada)
		refusedWith(t, "ask for it", err, school.ErrTooManyPasskeys)
		_, err = d.FinishAdd(t.Context(), d.ada.ID, d.take(question), newDevice(d.ada).make(t, here, late), "Key")
		refusedWith(t, "answer what was asked before", err, school.ErrTooManyPasskeys)
	})
}

// TestPasskeys_refuseAtTheDoor has Ada's passkey on a device, and something wrong.
// Each row is tried as the only step, and most as the second one.
func TestPasskeys_refuseAtTheDoor(t *testing.T) {
	t.Attr("asvs", "6.5.6 6.5.7")
	away := here
	away.Origin = "https://schoo1.example"
	other := here
	other.ID = "example"
	for _, tt := range []struct {
		name   string
		want   error
		before func(d *passkeyDoor, on *device)
		at     virtualwebauthn.RelyingParty
		alone  bool // it is only wrong for somebody who has not said who they are
	}{
		{name: "for another origin", want: auth.ErrRefused, at: away},
		{name: "for another name", want: auth.ErrRefused, at: other},
		{name: "too late", want: auth.ErrPasskeyExpired, before: func(d *passkeyDoor, _ *device) { d.clock.pass(auth.PasskeyTime) }},
		{name: "a device that did not ask its owner", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.UserNotVerified = true }, alone: true},
		{name: "nobody there", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.UserNotPresent = true }},
		{name: "another key under the same id", want: auth.ErrRefused, before: func(d *passkeyDoor, on *device) { on.key.Key = newDevice(d.ada).key.Key }},
		{name: "a passkey that nobody knows", want: auth.ErrRefused, before: func(d *passkeyDoor, on *device) { *on = *newDevice(d.ada) }},
		{name: "another's passkey under Ada's name", want: auth.ErrRefused, before: func(d *passkeyDoor, on *device) {
			*on = *newDevice(d.bob)
			d.add(d.bob, on, "Bob's")
			on.Options.UserHandle = []byte(d.ada.ID)
		}},
		{name: "Ada's passkey under another's name", want: auth.ErrRefused, before: func(d *passkeyDoor, on *device) { on.Options.UserHandle = []byte(d.bob.ID) }},
		{name: "Ada's passkey under the name of nobody", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.UserHandle = []byte(school.MustNewID()) }},
		{name: "a name that is none", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.UserHandle = []byte("ada@lectern.example") }},
		{name: "no name", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.UserHandle = nil }, alone: true},
		{name: "a passkey that was removed", want: auth.ErrRefused, before: func(d *passkeyDoor, _ *device) {
			if _, err := d.db.RemovePasskey(t.Context(), d.ada.ID, d.credential(d.ada).ID, school.WaysOpen{Mail: true}); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "one that can be copied now, and could not", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.BackupEligible = true }},
		{name: "one that was copied, and cannot be", want: auth.ErrRefused, before: func(_ *passkeyDoor, on *device) { on.Options.BackupState = true }},
		{name: "a closed account", want: auth.ErrRefused, before: func(d *passkeyDoor, _ *device) {
			if err := d.db.Disable(t.Context(), d.ada.ID, d.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "a count that stands still", want: school.ErrPasskeyCloned, before: func(_ *passkeyDoor, on *device) { on.key.Counter-- }},
		{name: "a count that goes back to nothing", want: school.ErrPasskeyCloned, before: func(_ *passkeyDoor, on *device) { on.key.Counter = 0 }},
	} {
		if tt.at.ID == "" {
			tt.at = here
		}
		steps := map[string]func(d *passkeyDoor) ([]byte, func([]byte) (auth.PasskeyUse, error)){
			"alone": func(d *passkeyDoor) ([]byte, func([]byte) (auth.PasskeyUse, error)) {
				options, question := d.beginSignIn()
				return options, func(answer []byte) (auth.PasskeyUse, error) {
					return d.FinishSignIn(t.Context(), d.take(question), answer)
				}
			},
			"second": func(d *passkeyDoor) ([]byte, func([]byte) (auth.PasskeyUse, error)) {
				options, question := d.beginSecond(d.ada)
				return options, func(answer []byte) (auth.PasskeyUse, error) {
					return d.FinishSecond(t.Context(), d.ada.ID, d.take(question), answer)
				}
			},
		}
		for step, begin := range steps {
			t.Run(tt.name+"/"+step, func(t *testing.T) {
				d := newPasskeyDoor(t)
				on := newDevice(d.ada)
				d.add(d.ada, on, "Key")
				options, finish := begin(d)
				if tt.before != nil {
					tt.before(d, on)
				}
				use, err := finish(on.sign(t, tt.at, options))
				if tt.alone && step == "second" {
					if err != nil || use.User.ID != d.ada.ID {
						t.Errorf("%v, want it accepted", err)
					}
					return
				}
				refusedWith(t, "answer", err, tt.want)
				if use.User.ID != "" || use.Passkey.ID != "" || use.Methods != nil {
					t.Errorf("and still it says %+v", use)
				}
				if errors.Is(tt.want, school.ErrPasskeyCloned) {
					refusedWith(t, "answer", err, auth.ErrRefused)
				}
			})
		}
	}
}

func TestPasskeys_refuseWhatWasAskedForSomethingElse(t *testing.T) {
	t.Attr("asvs", "2.3.1")
	d := newPasskeyDoor(t)
	on := newDevice(d.ada)
	d.add(d.ada, on, "Key")
	d.add(d.bob, newDevice(d.bob), "Bob's")

	options, question := d.beginSignIn()
	answer := on.sign(t, here, options)
	pending := d.take(question)
	_, err := d.FinishSecond(t.Context(), d.ada.ID, pending, answer)
	refusedWith(t, "signing in, as a second step", err, auth.ErrRefused)
	if _, err = d.FinishSignIn(t.Context(), pending, answer); err != nil {
		t.Errorf("what it was asked for: %v", err)
	}

	options, question = d.beginSecond(d.ada)
	answer = on.sign(t, here, options)
	pending = d.take(question)
	_, err = d.FinishSignIn(t.Context(), pending, answer)
	refusedWith(t, "a second step, as signing in", err, auth.ErrRefused)
	_, err = d.FinishSecond(t.Context(), d.bob.ID, pending, answer)
	refusedWith(t, "one's second step, as another's", err, auth.ErrRefused)
	stray := pending
	stray.User = d.bob.ID
	_, err = d.FinishSecond(t.Context(), d.bob.ID, stray, answer)
	refusedWith(t, "another's passkey, as one's own", err, auth.ErrRefused)
	_, err = d.FinishSecond(t.Context(), d.ada.ID, auth.PasskeyPending{}, answer)
	refusedWith(t, "no question", err, auth.ErrRefused)
	if _, err = d.FinishSecond(t.Context(), d.ada.ID, pending, answer); err != nil {
		t.Errorf("what it was asked for: %v", err)
	}

	late := newDevice(d.ada)
	_, question = d.beginSecond(d.ada)
	pending = d.take(question)
	d.add(d.ada, late, "Added since")
	if _, err := d.db.RemovePasskey(t.Context(), d.ada.ID, d.passkeyOf(d.ada, "Key"), school.WaysOpen{Mail: true}); err != nil {
		t.Fatal(err)
	}
	asked := virtualwebauthn.AssertionOptions{RelyingPartyID: here.ID}
	if asked.Challenge, err = base64.RawURLEncoding.DecodeString(pending.Asked.Challenge); err != nil {
		t.Fatal(err)
	}
	late.key.Counter++
	_, err = d.FinishSecond(t.Context(), d.ada.ID, pending, []byte(virtualwebauthn.CreateAssertionResponse(here, late.Authenticator, late.key, asked)))
	refusedWith(t, "a passkey that was not asked, when none that was is left", err, auth.ErrRefused)
}

// passkeyOf is the ID of the passkey that somebody calls by a name.
func (d *passkeyDoor) passkeyOf(user school.User, name string) school.ID {
	d.t.Helper()
	all, err := d.db.Passkeys(d.t.Context(), user.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range all {
		if p.Name == name {
			return p.ID
		}
	}
	d.t.Fatalf("no passkey %q among %v", name, all)
	return ""
}

// TestPasskeys_anAnswerIsGoodOnce shows what the library leaves to us: it believes an
// answer as often as it is shown its question. Passkeys that count are refused all the
// same; for those that do not, the question has to be gone.
func TestPasskeys_anAnswerIsGoodOnce(t *testing.T) {
	d := newPasskeyDoor(t)
	on := newDevice(d.ada)
	on.key.Counter = 0
	on.Options.BackupEligible = true
	d.add(d.ada, on, "Password manager")
	options, question := d.beginSignIn()
	answer := on.sign(t, here, options)
	if _, err := d.FinishSignIn(t.Context(), d.take(question), answer); err != nil {
		t.Fatal(err)
	}
	_, err := d.FinishSignIn(t.Context(), d.take(question), answer)
	refusedWith(t, "the same answer again", err, auth.ErrRefused)
	_, other := d.beginSignIn()
	_, err = d.FinishSignIn(t.Context(), d.take(other), answer)
	refusedWith(t, "the same answer to another question", err, auth.ErrRefused)
}

func TestPasskeys_aCopyIsNoticedAndOpensNothingFromThenOn(t *testing.T) {
	d := newPasskeyDoor(t)
	on := newDevice(d.ada)
	d.add(d.ada, on, "Key")
	spare := newDevice(d.ada)
	d.add(d.ada, spare, "Spare")
	stolen := *on
	for range 2 {
		if _, err := d.signIn(on); err != nil {
			t.Fatal(err)
		}
	}

	d.clock.pass(time.Hour)
	use, err := d.signIn(&stolen)
	var cloned *auth.PasskeyClonedError
	if !errors.As(err, &cloned) || !errors.Is(err, auth.ErrRefused) || use.User.ID != "" {
		t.Fatalf("%v, %+v", err, use)
	}
	if cloned.Owner.ID != d.ada.ID || cloned.Passkey.Name != "Key" || !cloned.First || !cloned.Passkey.WarnedAt.Equal(d.clock.Now()) {
		t.Errorf("what its owner would be told: %+v", cloned)
	}
	marked := d.clock.Now()

	d.clock.pass(time.Hour)
	_, err = d.signIn(on)
	if !errors.As(err, &cloned) || cloned.First || !cloned.Passkey.WarnedAt.Equal(marked) {
		t.Errorf("the one that counts on: %v, %+v", err, cloned)
	}
	options, question := d.beginSecond(d.ada)
	if !bytes.Contains(options, []byte(spare.id())) || bytes.Contains(options, []byte(on.id())) {
		t.Errorf("the second step asks for %s", options)
	}
	_, err = d.FinishSecond(t.Context(), d.ada.ID, d.take(question), on.sign(t, here, options))
	refusedWith(t, "as the second step", err, auth.ErrRefused)
	if options, _ := d.beginAdd(d.ada); !bytes.Contains(options, []byte(on.id())) {
		t.Errorf("a passkey would be made beside the marked one: %s", options)
	}
	if _, err := d.signIn(spare); err != nil {
		t.Errorf("the other passkey: %v", err)
	}
}

func TestPasskeys_ofTwoUsesAtOnceWithOneCountOneIsBelieved(t *testing.T) {
	t.Attr("asvs", "15.4.2")
	d := newPasskeyDoor(t)
	on := newDevice(d.ada)
	d.add(d.ada, on, "Key")
	copied := *on
	var answers [2][]byte
	var pending [2]auth.PasskeyPending
	for i, device := range []*device{on, &copied} {
		options, question := d.beginSignIn()
		answers[i], pending[i] = device.sign(t, here, options), d.take(question)
	}
	var errs [2]error
	var done sync.WaitGroup
	for i := range answers {
		done.Go(func() { _, errs[i] = d.FinishSignIn(t.Context(), pending[i], answers[i]) })
	}
	done.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("%v and %v", errs[0], errs[1])
	}
	refusedWith(t, "one of them", errors.Join(errs[:]...), school.ErrPasskeyCloned)
}

func TestPasskeys_letInWhoHasOne(t *testing.T) {
	for _, tt := range []struct {
		name          string
		change        func(*device)
		alone, second []string
		synced        bool
	}{
		{"a key that stays in its device", func(*device) {}, []string{"hwk", "user", "mfa"}, []string{"hwk", "user", "mfa"}, false},
		{"a key that is copied between devices, and does not count", func(on *device) {
			on.Options.BackupEligible, on.Options.BackupState, on.key.Counter = true, true, 0
		}, []string{"swk", "user", "mfa"}, []string{"swk", "user", "mfa"}, true},
		{"an RSA key", func(on *device) {
			on.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA)
		}, []string{"hwk", "user", "mfa"}, []string{"hwk", "user", "mfa"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newPasskeyDoor(t)
			on := newDevice(d.ada)
			tt.change(on)
			added := d.add(d.ada, on, "  My   telephone ")
			if added.Name != "My telephone" || added.User != d.ada.ID || added.Synced != tt.synced || !added.CreatedAt.Equal(d.clock.Now()) || !added.UsedAt.IsZero() {
				t.Errorf("added is %+v", added)
			}
			kept := d.credential(d.ada)
			if kept.CredentialID != on.id() || kept.SignCount != on.key.Counter || kept.ID != added.ID {
				t.Errorf("kept is %+v", kept)
			}
			for range 3 {
				d.clock.pass(time.Minute)
				use, err := d.signIn(on)
				if err != nil || use.User.ID != d.ada.ID || use.User.Email != d.ada.Email || use.Passkey.ID != added.ID || !slices.Equal(use.Methods, tt.alone) {
					t.Errorf("alone: %+v, %v", use, err)
				}
				options, question := d.beginSecond(d.ada)
				use, err = d.FinishSecond(t.Context(), d.ada.ID, d.take(question), on.sign(t, here, options))
				if err != nil || use.User.ID != d.ada.ID || use.Passkey.ID != added.ID || !slices.Equal(use.Methods, tt.second) {
					t.Errorf("second: %+v, %v", use, err)
				}
				kept := d.credential(d.ada)
				if kept.SignCount != on.key.Counter || !kept.UsedAt.Equal(d.clock.Now()) || kept.Synced != tt.synced || kept.BackedUp != tt.synced {
					t.Errorf("kept is %+v, want the count %d", kept, on.key.Counter)
				}
			}
		})
	}
	t.Run("a second step on a device that did not ask its owner", func(t *testing.T) {
		d := newPasskeyDoor(t)
		on := newDevice(d.ada)
		d.add(d.ada, on, "Key")
		on.Options.UserNotVerified = true
		options, question := d.beginSecond(d.ada)
		use, err := d.FinishSecond(t.Context(), d.ada.ID, d.take(question), on.sign(t, here, options))
		if err != nil || !slices.Equal(use.Methods, []string{"hwk", "user"}) {
			t.Errorf("%+v, %v", use, err)
		}
	})
	t.Run("just in time", func(t *testing.T) {
		d := newPasskeyDoor(t)
		on := newDevice(d.ada)
		d.add(d.ada, on, "Key")
		options, question := d.beginSignIn()
		d.clock.pass(auth.PasskeyTime - time.Millisecond)
		if _, err := d.FinishSignIn(t.Context(), d.take(question), on.sign(t, here, options)); err != nil {
			t.Error(err)
		}
	})
	t.Run("one of several, when another is removed meanwhile", func(t *testing.T) {
		d := newPasskeyDoor(t)
		on, gone := newDevice(d.ada), newDevice(d.ada)
		d.add(d.ada, on, "Stays")
		d.add(d.ada, gone, "Goes")
		options, question := d.beginSecond(d.ada)
		if _, err := d.db.RemovePasskey(t.Context(), d.ada.ID, d.passkeyOf(d.ada, "Goes"), school.WaysOpen{Mail: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.FinishSecond(t.Context(), d.ada.ID, d.take(question), on.sign(t, here, options)); err != nil {
			t.Error(err)
		}
	})
	t.Run("somebody who has none", func(t *testing.T) {
		d := newPasskeyDoor(t)
		_, _, err := d.BeginSecond(t.Context(), d.ada)
		refusedWith(t, "second", err, auth.ErrNoPasskeys)
	})
}
