package broken

import (
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
)

// mixedUpKeys seals the cookie of a database session with gorilla/securecookie, and
// passes its list of keys on as it is.
//
// What is wrong. CodecsFromPairs, like sessions.NewCookieStore, takes keys in pairs:
// one to sign with, one to encrypt with, and then the pair before. A list of signing
// keys, the newest first, is the same type and compiles. The first key signs. The
// second, which should go on reading what is out there, encrypts.
//
// How it happens. With one key the list is right: a pair may lack its second half.
// So it works in development, in the tests, and in production for years, and fails
// on the day of the first change of keys. Ory Kratos passed its secrets.cookie
// through like that while the documentation promised that all but the first are
// there to read older cookies (ory/kratos#2272).
//
// What an attacker gets. Nothing directly: whoever is signed in is signed out, all
// at once, and no cookie from before can be read by anybody. What is lost is the
// planned change of keys. A site that signs everybody out by it does not do it, and
// one that answers a cookie it cannot read with an error shuts them out for good.
//
// The right code gives each key its own pair, (new, nil), (old, nil). This site has
// no such list: a database session's number needs no seal, and tokens name the key
// that they are signed with, which is looked up among those that still verify: Keys
// in handlers/token/keys.go.
type mixedUpKeys struct {
	*serverstore.Backend
	cookies session.Cookies
	now     func() time.Time
	codecs  []securecookie.Codec
}

// NewMixedUpKeys makes a database session that does not survive a change of keys.
func NewMixedUpKeys(c Config) session.Backend {
	return sealing(c, securecookie.CodecsFromPairs(c.Secrets...))
}

// sealing makes a database session whose number is sealed.
func sealing(c Config, codecs []securecookie.Codec) *mixedUpKeys {
	for _, codec := range codecs {
		// How long a session lasts is the record's to say.
		codec.(*securecookie.SecureCookie).MaxAge(0)
	}
	return &mixedUpKeys{ids(c, c.Store, c.Random), c.Cookies, c.Now, codecs}
}

// Get returns the request's session, looked up once.
func (b *mixedUpKeys) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New opens the seal and looks up the session of the number in it.
func (b *mixedUpKeys) New(r *http.Request, name string) (*sessions.Session, error) {
	trace := session.TraceFrom(r.Context())
	s := sessions.NewSession(b, name)
	s.IsNew = true
	for _, value := range b.cookies.Values(r, b.CookieNames()[0]) {
		id := ""
		if err := securecookie.DecodeMulti(name, value, &id, b.codecs...); err != nil {
			trace.Present(name, len(name)+len(value))
			trace.Refuse(session.BadSignature)
			continue
		}
		found, err := b.Backend.New(alone(r.Context(), r, name, id), name)
		trace.Present(name, len(name)+len(value))
		if s = own(b, found); err != nil || !s.IsNew {
			return s, err
		}
	}
	return s, nil
}

// Save starts a session and seals its number.
func (b *mixedUpKeys) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if err := b.Backend.Save(r, w, s); err != nil {
		return err
	}
	rec, ok := session.RecordOf(s)
	if !ok || !s.IsNew || ends(s) {
		return nil
	}
	base := b.CookieNames()[0]
	name := b.cookies.Name(base)
	value, err := securecookie.EncodeMulti(name, s.ID, b.codecs...)
	if err != nil {
		return err
	}
	var until time.Time
	if rec.Remember {
		until = rec.ExpiresAt
	}
	session.TraceFrom(r.Context()).Present(name, len(name)+len(value))
	return b.cookies.Set(w, base, value, b.now(), until)
}
