package lab

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"lectern/handlers/token"
)

// What a program of somebody else's can do, which has nothing of the site but the
// public keys that hang out for everybody.

// calls counts the requests to the site that the last step made.
func (w *world) calls() float64 { return float64(w.sent - w.before) }

// checkElsewhere has a program check the cookie in its hands with the keys that it
// has fetched before. What comes out is an answer of the program's own: the site is
// not asked.
func checkElsewhere(m []string) (action, error) {
	every := time.Duration(0)
	if m[1] != "" {
		var err error
		if every, err = readDuration(m[1]); err != nil {
			return nil, err
		}
	}
	return func(w *world, who *actor) error {
		name, value, err := w.inHand(who)
		if err != nil {
			return err
		}
		from := w.clock.Now()
		for range mostAsked {
			wrong := doubt(value, who.published, w.base.String(), w.clock.Now())
			shown := w.cookie(name, value)
			shown.Way = Sent
			w.ended, w.page = &Exchange{Who: who.name, Response: Response{Status: http.StatusOK}, Cookies: []Cookie{shown}}, &page{}
			if wrong != "" {
				w.ended.Response.Status = http.StatusUnauthorized
			}
			switch {
			case wrong == "" && every > 0:
				w.clock.move(every)
				continue
			case wrong == "":
				w.note("%s has found %s good: signed with a published key, for this site, and not over. It asked nobody.", who.name, name)
			default:
				w.note("%s takes %s for nothing: %s. It asked nobody.", who.name, name, wrong)
			}
			if every > 0 {
				w.entry.At = w.clock.Now()
				w.went(from)
			}
			return nil
		}
		return fmt.Errorf("it was accepted %d times, and still is", mostAsked)
	}, nil
}

// audiences are the types of token that say who is signed in at the site, each with
// whom it is for. Whoever checks one has agreed with the site to take them.
var audiences = map[string]string{
	token.SessionUse.Type(): token.SessionUse.Audience(),
	token.AccessUse.Type():  token.AccessUse.Audience(),
}

// doubt returns why a cookie proves nothing to somebody who has only the keys that
// a site has published; empty if it proves who is there.
func doubt(cookie, published, site string, now time.Time) string {
	var set struct {
		Keys []struct{ Kid, X string }
	}
	if json.Unmarshal([]byte(published), &set) != nil {
		return "no keys have been fetched"
	}
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 {
		return "it is a number, and there is nothing in it to be checked"
	}
	var head struct{ Alg, Kid, Typ string }
	if !part(parts[0], &head) || head.Alg != "EdDSA" {
		return "whoever could check it could also have made it"
	}
	signature, err := b64.DecodeString(parts[2])
	if err != nil {
		return "its signature cannot be read"
	}
	for _, key := range set.Keys {
		public, err := b64.DecodeString(key.X)
		if err != nil || len(public) != ed25519.PublicKeySize || key.Kid != head.Kid {
			continue
		}
		var claims struct {
			Iss, Aud string
			Exp      int64
		}
		switch {
		case !ed25519.Verify(public, []byte(parts[0]+"."+parts[1]), signature):
			return "it has been altered, or signed by somebody else"
		case !part(parts[1], &claims) || claims.Iss != site:
			return "it is another site's"
		case audiences[head.Typ] == "" || claims.Aud != audiences[head.Typ]:
			return "it was made for another purpose"
		case now.Unix() >= claims.Exp:
			return "it is over"
		}
		return ""
	}
	return "it is signed with a key that was not published"
}

// part reads one part of a token.
func part(text string, into any) bool {
	raw, err := b64.DecodeString(text)
	return err == nil && json.Unmarshal(raw, into) == nil
}
