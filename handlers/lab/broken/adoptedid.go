package broken

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
)

// adoptedID keeps, on signing in, the session id that the visitor brought along:
// session fixation.
//
// What is wrong. The id is a secret between the browser and the site only if the
// site drew it. This backend asks whether the id in the cookie is taken, and if it
// is free, uses it.
//
// How it happens. "If there is an id already, keep it, else draw one" reads like
// thrift. PHP does it unless session.use_strict_mode is on, and its default is off:
// an id that the server has never seen becomes a session of that name (PHP manual,
// Runtime Configuration of sessions). With gorilla/sessions it happens to whoever
// signs people in by writing the user into the session they came with: the library
// has no call for a new id, and a store such as boj/redistore keeps the one from
// the cookie when the record is gone.
//
// What an attacker gets. They choose 32 characters and plant them in the victim's
// browser: by a neighbouring host that sets a cookie for the whole domain, by a
// moment at an open laptop. The victim signs in, and the attacker's browser, which
// has had the same cookie all along, is signed in as the victim. Nothing was
// stolen, so nothing is missing.
//
// The right code draws a new id on every sign-in, whatever came with the request
// (OWASP ASVS 5.0, 7.2.4): session.Manager.Start in handlers/session/manager.go
// hands the backend a session that is new, and start in
// handlers/session/serverstore/serverstore.go knows no other way to an id than
// newID.
type adoptedID struct {
	*serverstore.Backend
	config Config
}

// NewAdoptedID makes a database session whose id the visitor may bring along.
func NewAdoptedID(c Config) session.Backend {
	return &adoptedID{ids(c, c.Store, c.Random), c}
}

// Save starts a session under the id in the cookie, if that is free.
func (b *adoptedID) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if brought := b.brought(r); s.IsNew && !ends(s) && brought != nil {
		// Where a number should be drawn, this one is.
		return ids(b.config, b.config.Store, bytes.NewReader(brought)).Save(r, w, s)
	}
	return b.Backend.Save(r, w, s)
}

// brought is the id that a stranger came with and that no session has.
func (b *adoptedID) brought(r *http.Request) []byte {
	if _, in := session.VisitFrom(r.Context()).Record(); in {
		return nil
	}
	for _, id := range b.config.Cookies.Values(r, b.CookieNames()[0]) {
		raw, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(id) != 32 {
			continue
		}
		session.TraceFrom(r.Context()).Read()
		if _, taken, err := b.config.Store.Find(r.Context(), sha256.Sum256([]byte(id))); err == nil && !taken {
			return raw
		}
	}
	return nil
}
