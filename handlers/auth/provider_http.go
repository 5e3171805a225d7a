package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// Bounds of what a provider may cost. Somebody waits for it, and it is a stranger.
const (
	requestTime   = 10 * time.Second
	finishTime    = 20 * time.Second // for three requests, or four
	answerBytes   = 1 << 20
	headerBytes   = 64 << 10
	mostRedirects = 3
)

var errElsewhere = errors.New("it sends us to another place")

// newClient makes the client that speaks to one provider.
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.DialContext = (&net.Dialer{Timeout: requestTime / 2}).DialContext
		own.TLSHandshakeTimeout = requestTime / 2
		own.MaxResponseHeaderBytes = headerBytes
		transport = own
	}
	return &http.Client{
		Timeout:   requestTime,
		Transport: measured{transport},
		// A request may carry our secret, and where it goes was decided beforehand.
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host || len(via) > mostRedirects {
				return errElsewhere
			}
			return nil
		},
	}
}

// measured reads no more of an answer than is good for us, and shows it to whoever
// records the flow.
type measured struct{ base http.RoundTripper }

func (m measured) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := m.base.RoundTrip(r)
	step, _ := r.Context().Value(stepKey{}).(recorded)
	if err != nil {
		step.exchanged(r, nil, nil)
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, answer.Body, answerBytes))
	_ = answer.Body.Close() // it has been read, or is not wanted
	if err != nil {
		return nil, err
	}
	step.exchanged(r, answer, body)
	if step.name == stepKeys && answer.StatusCode >= http.StatusBadRequest {
		// go-oidc would put all that was answered into its error.
		return nil, fmt.Errorf("its keys answer %s", answer.Status)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// reach is the context of a request to the provider, of which step it is.
func (p *Provider) reach(ctx context.Context, step string) context.Context {
	ctx = context.WithValue(ctx, stepKey{}, recorded{recordingOf(ctx), step})
	return context.WithValue(ctx, oauth2.HTTPClient, p.client)
}

// isAway reports whether a request failed on its way. A provider that answers too
// much, or sends us elsewhere, is not away.
func isAway(err error) bool {
	var failed *url.Error
	var tooMuch *http.MaxBytesError
	return errors.As(err, &failed) && !errors.As(err, &tooMuch) && !errors.Is(err, errElsewhere) || errors.Is(err, context.DeadlineExceeded)
}
