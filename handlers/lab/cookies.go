package lab

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

// numberKey is under which a request has its number, by which its session is found
// again.
type numberKey struct{}

var numbers atomic.Int64

func withNumber(ctx context.Context) context.Context {
	return context.WithValue(ctx, numberKey{}, numbers.Add(1))
}

func numberOf(r *http.Request) int64 {
	n, _ := r.Context().Value(numberKey{}).(int64)
	return n
}

// takeApart writes down which session cookies went which way, and gives the jar
// what came back.
func (w *world) takeApart(x *Exchange, who *actor, s *server, sent string, answer *http.Response) {
	for _, pair := range strings.Split(sent, "; ") {
		if name, value, ok := strings.Cut(pair, "="); ok && slices.Contains(w.cookieNames, name) {
			c := w.cookie(name, value)
			c.Way, c.State = Sent, w.stateOf(name, value, s, x.Trace)
			x.Cookies = append(x.Cookies, c)
		}
	}
	for _, set := range answer.Cookies() {
		kept := who.jar.Receive(set)
		if !slices.Contains(w.cookieNames, set.Name) {
			continue
		}
		x.Response.SetCookie = append(x.Response.SetCookie, lineOf(set))
		c := w.cookie(set.Name, set.Value)
		switch {
		case set.MaxAge < 0:
			c.Way = Cleared
		case kept:
			c.Way, c.State = Set, Good
		default:
			c.Way = Dropped
		}
		x.Cookies = append(x.Cookies, c)
	}
}

// lineOf is a Set-Cookie line with a shortened value.
func lineOf(c *http.Cookie) string {
	return strings.Replace(c.String(), c.Value, shorten(c.Value), 1)
}

// shorten leaves out the middle of what is long.
func shorten(value string) string {
	const begin, end = 10, 8
	if len(value) <= begin+end+6 {
		return value
	}
	return value[:begin] + "…" + value[len(value)-end:]
}

// cookie takes one apart.
func (w *world) cookie(name, value string) Cookie {
	return Cookie{Name: name, Bytes: len(name) + len(value), Value: shorten(value), Token: decodeToken(value)}
}

// decodeToken takes a JWT apart, without a key, as anybody can; nil for what is
// none.
func decodeToken(value string) *Token {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return nil
	}
	head, err := base64.RawURLEncoding.DecodeString(parts[0])
	body, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || err2 != nil || !json.Valid(head) || !json.Valid(body) {
		return nil
	}
	return &Token{
		Raw:    [3]string{shorten(parts[0]), shorten(parts[1]), shorten(parts[2])},
		Header: head, Payload: body, Signature: base64.RawURLEncoding.DecodedLen(len(parts[2])),
	}
}

// stateOf is what a site that looks at a cookie thinks of it. A token is read once
// more with the server's keys; of a number it is known from the trace.
func (w *world) stateOf(name, value string, s *server, t Trace) CookieState {
	if strings.Count(value, ".") == 2 {
		use := token.SessionUse
		if name == w.cookieName("lectern-access") {
			use = token.AccessUse
		}
		issuer := token.NewIssuer(token.Config{Keys: s.ring, Site: w.base.String(), Now: w.clock.Now})
		switch _, problem := issuer.Read(use, value, w.lifetimes.Remember, nil); problem {
		case "":
			return Good
		case token.Expired:
			return Expired
		case token.UnknownKey:
			return Foreign
		}
		return Forged
	}
	if name == w.cookieName("lectern-refresh") && t.Reads == 0 {
		return "" // nobody looked
	}
	switch t.Reason {
	case "":
		if t.Backend == session.None {
			return ""
		}
		return Good
	case session.Idle, session.Expired:
		return Expired
	case session.Malformed:
		return Forged
	}
	return Unknown
}
