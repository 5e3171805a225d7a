package message

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"lectern/db/school"
)

// Texts carries text messages to a gateway: a form with To, From and Body, as Twilio
// takes it and others do too.
type Texts struct {
	address        *url.URL // without the password
	user, password string
	from           string
	client         *http.Client
}

// NewTexts makes a carrier out of an address such as
// https://account:token@sms.example/2010-04-01/Accounts/account/Messages.json?from=+15550006789,
// which is where the form is sent, without from and the part before the @. Only a
// gateway on this very machine may be spoken to by http. Its certificate is checked
// against roots; nil for the system's.
//
// The error says what is wrong with the address and quotes nothing of it, since it
// holds a password.
func NewTexts(address string, roots *x509.CertPool) (*Texts, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "" {
		return nil, errors.New("that is no address such as https://account:token@sms.example/messages?from=+15550006789; what is special in an account or token is written as in a URL, such as %40 for @")
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return nil, errors.New("http is for a gateway on this machine alone: localhost, 127.0.0.1 or ::1; others are reached by https")
	}
	t := &Texts{}
	if u.User != nil {
		t.user = u.User.Username()
		t.password, _ = u.User.Password()
		if t.user == "" || t.password == "" {
			return nil, errors.New("an account comes with a token, as in account:token@host")
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("what follows the question mark cannot be read")
	}
	// A plus sign in a query is a space; people write one all the same.
	t.from = query.Get("from")
	if strings.HasPrefix(t.from, " ") {
		t.from = "+" + t.from[1:]
	}
	if !senders.MatchString(t.from) {
		return nil, errors.New("it needs the number or name that messages come from, as in ?from=+15550006789 or ?from=Lectern")
	}
	query.Del("from")
	u.User, u.RawQuery = nil, query.Encode()
	t.address = u
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	t.client = &http.Client{
		Transport: transport,
		Timeout:   gatewayTime,
		// The form and the password are for the gateway that was named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return t, nil
}

// senders are what a message can come from: a number, a short one, or a name.
var senders = regexp.MustCompile(`^(\+[1-9][0-9]{7,14}|[0-9]{3,8}|[A-Za-z0-9 ]{0,10}[A-Za-z0-9])$`)

// gatewayTime is how long the gateway may take to answer.
const gatewayTime = 10 * time.Second

// String says where the gateway is, for the log.
func (t *Texts) String() string { return t.address.Host }

// Carry implements [Carrier].
func (t *Texts) Carry(ctx context.Context, m school.Message) error {
	if err := m.Check(); err != nil {
		return fmt.Errorf("%w: it makes no text message", ErrRefused)
	}
	form := url.Values{"To": {m.To}, "From": {t.from}, "Body": {m.Body}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("message: the gateway cannot be asked")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if t.user != "" {
		r.SetBasicAuth(t.user, t.password)
	}
	answer, err := t.client.Do(r)
	if err != nil {
		// The path and query of the address may hold a key.
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("message: the gateway does not answer: %w", err)
	}
	defer answer.Body.Close()
	// What it says may quote the message, so nobody looks at it. It is read so that
	// the connection can be used again.
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode == http.StatusBadRequest, answer.StatusCode == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: the gateway answers %d", ErrRefused, answer.StatusCode)
	}
	return fmt.Errorf("message: the gateway answers %d", answer.StatusCode)
}
