package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"lectern/db/school"
)

// The numbers of RFC 6238, as every authenticator app has them. SHA-1 is the app's
// choice and no weakness here: nothing is known that breaks HMAC-SHA-1, and apps
// ignore a request for anything else.
const (
	appStep       = 30 * time.Second
	appDigits     = 6
	appSecretSize = 20 // bytes, as RFC 4226 §4 advises
	// appSkew is how many steps a clock may be off, either way (RFC 6238 §5.2 advises
	// one at most).
	appSkew = 1
)

// AppStore keeps the sealed secrets of authenticator apps.
type AppStore interface {
	// Authenticator returns [school.ErrNotFound] for somebody who has none.
	Authenticator(ctx context.Context, id school.ID) (sealed string, err error)
	// PutAuthenticator keeps one, with the step of the code that showed it to work.
	PutAuthenticator(ctx context.Context, id school.ID, sealed string, step int64, at time.Time, open school.WaysOpen) error
	// UseAuthenticator uses a step up; [school.ErrNotFound] where it, or a later
	// one, was used before.
	UseAuthenticator(ctx context.Context, id school.ID, sealed string, step int64, at time.Time) error
}

// Apps is the way by an authenticator app: it and the site share a secret, and both
// count half minutes (TOTP, RFC 6238). Whoever shows the number of this half minute
// has the secret.
//
// A number is good once. The library that computes it would take it three times over
// for a minute and a half, and does not say which step it belongs to; so the steps are
// gone through here, and the last one that was used is kept.
type Apps struct {
	store  AppStore
	seal   *Seal
	site   string // as the app lists it
	random io.Reader
	now    func() time.Time
}

// NewApps puts the parts together.
func NewApps(store AppStore, seal *Seal, site string, random io.Reader, now func() time.Time) *Apps {
	return &Apps{store: store, seal: seal, site: site, random: random, now: now}
}

// NewApp is an authenticator that is being set up.
type NewApp struct {
	// Secret is what is typed into an app that cannot read the picture: base32, in
	// groups of four.
	Secret string
	// Address is what the picture says: an otpauth address.
	Address string
}

// Draw makes a secret for somebody and returns it sealed, to be kept in a flow until
// the app has shown that it works.
func (a *Apps) Draw(id school.ID) (sealed string, err error) {
	secret := make([]byte, appSecretSize)
	if _, err := io.ReadFull(a.random, secret); err != nil {
		return "", fmt.Errorf("auth: random numbers: %w", err)
	}
	return a.seal.Close(secret, sealedFor(id))
}

// Show says how the secret gets into an app.
func (a *Apps) Show(id school.ID, email school.Email, sealed string) (NewApp, error) {
	secret, err := a.seal.Open(sealed, sealedFor(id))
	if err != nil {
		return NewApp{}, err
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	query := url.Values{"secret": {text}, "issuer": {a.site}}
	address := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + a.site + ":" + string(email), RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20")}
	return NewApp{Secret: grouped(text), Address: address.String()}, nil
}

// Add keeps an app that has shown a code of this step. The code is used up by that. It may
// return [school.ErrLastWay].
func (a *Apps) Add(ctx context.Context, id school.ID, sealed string, step int64, open school.WaysOpen) error {
	return a.store.PutAuthenticator(ctx, id, sealed, step, a.now(), open)
}

// Check takes a code of somebody's app. The error is ErrWrongCode for a wrong one, for
// one that was used before, and for somebody who has no app.
func (a *Apps) Check(ctx context.Context, id school.ID, typed string) error {
	sealed, err := a.store.Authenticator(ctx, id)
	if errors.Is(err, school.ErrNotFound) {
		return ErrWrongCode
	}
	if err != nil {
		return err
	}
	step, err := a.Step(id, sealed, typed)
	if err != nil {
		return err
	}
	err = a.store.UseAuthenticator(ctx, id, sealed, step, a.now())
	if errors.Is(err, school.ErrNotFound) {
		return ErrWrongCode
	}
	return err
}

// Step is the step whose code was typed: this one, the one before or the next. All
// three are compared, whichever it is. The time is the site's (ASVS 6.5.8). The error is
// ErrWrongCode for any other code.
func (a *Apps) Step(id school.ID, sealed, typed string) (int64, error) {
	secret, err := a.seal.Open(sealed, sealedFor(id))
	if err != nil {
		return 0, err
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	code := digitsOf(typed, appDigits)
	now := a.now().Unix() / int64(appStep/time.Second)
	found := int64(-1)
	for step := now - appSkew; step <= now+appSkew; step++ {
		want, err := hotp.GenerateCodeCustom(text, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("auth: authenticator: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = step
		}
	}
	if found < 0 {
		return 0, ErrWrongCode
	}
	return found, nil
}

func sealedFor(id school.ID) string { return "authenticator of " + string(id) }

// grouped is a text in groups of four.
func grouped(text string) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
