package lab

import (
	"crypto/rand"
	"encoding/json"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

// What somebody can get into a browser, or out of it, who has no key and no copy of a
// cookie.

// makeUp makes a cookie of the right shape, of each name that the kind has, which
// nobody was ever given: a token under a key of one's own, a number, a ticket.
func makeUp(w *world, who *actor) error {
	switch w.setup.Kind {
	case session.JWT:
		return w.makeUpToken(who, "lectern-jwt", token.SessionUse)
	case session.Hybrid:
		family, secret := drawn(18), drawn(32)
		name := w.cookieName("lectern-refresh")
		who.jar.Replace(name, family+"."+secret)
		w.note("%s=%s, which leads nowhere.", name, shorten(who.jar.Value(name)))
		return w.makeUpToken(who, "lectern-access", token.AccessUse)
	}
	return guess(w, who)
}

func (w *world) makeUpToken(who *actor, base string, use token.Use) error {
	head, err := json.Marshal(map[string]string{"alg": w.setup.Algorithm, "kid": "made-up", "typ": use.Type()})
	if err != nil {
		return err
	}
	signed := b64.EncodeToString(head) + "." + b64.EncodeToString([]byte(`{"role":"student"}`))
	name := w.cookieName(base)
	who.jar.Replace(name, signed+"."+drawn(32))
	w.note("%s=%s, whose header says %s", name, shorten(who.jar.Value(name)), head)
	return nil
}

// drawn is so many random bytes, in base64url.
func drawn(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return b64.EncodeToString(raw)
}

// copyRead copies what a script found, as if it had sent it.
func copyRead(w *world, who *actor) error {
	if len(w.read) == 0 {
		w.note("There is nothing to copy.")
	}
	for _, c := range w.read {
		who.jar.Replace(c.Name, c.Value)
		w.note("%s has %s=%s now.", who.name, c.Name, shorten(c.Value))
	}
	return nil
}
