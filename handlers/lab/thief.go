package lab

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lectern/handlers/token"
)

// What a thief can do with a copied cookie, and with what lay on the server. All of
// it works with the text alone, as it would on any machine.

var (
	random = rand.Reader
	b64    = base64.RawURLEncoding
)

// loot is what somebody took from the server.
type loot struct {
	keys []string // kid:secret
	kept []Kept
}

// inHand is the session cookie that somebody holds, the first there is.
func (w *world) inHand(who *actor) (name, value string, err error) {
	for _, name := range w.cookieNames {
		if value := who.jar.Value(name); value != "" {
			return name, value, nil
		}
	}
	return "", "", fmt.Errorf("%s holds no session cookie", who.name)
}

// changeCharacter changes one character in the middle of the last part, where each
// bit counts.
func changeCharacter(w *world, who *actor) error {
	name, value, err := w.inHand(who)
	if err != nil {
		return err
	}
	last := strings.LastIndexByte(value, '.') + 1
	at := last + (len(value)-last)/2
	other := byte('A')
	if value[at] == other {
		other = 'B'
	}
	who.jar.Replace(name, value[:at]+string(other)+value[at+1:])
	w.note("%s: character %d was %q, and is %q now.", name, at+1, value[at], other)
	return nil
}

// editCookie changes a claim and leaves the signature as it was.
func editCookie(m []string) action {
	return func(w *world, who *actor) error {
		name, value, err := w.inHand(who)
		if err != nil {
			return err
		}
		parts := strings.Split(value, ".")
		if len(parts) != 3 {
			return fmt.Errorf("%s is no token", name)
		}
		if parts[1], err = edited(parts[1], map[string]any{m[1]: m[2]}); err != nil {
			return err
		}
		who.jar.Replace(name, strings.Join(parts, "."))
		w.note("%s says %s %s now. The signature is the old one.", name, m[1], m[2])
		return nil
	}
}

// edited is a part of a token with other members in it.
func edited(part string, members map[string]any) (string, error) {
	raw, err := b64.DecodeString(part)
	if err != nil {
		return "", err
	}
	var all map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		return "", err
	}
	for name, value := range members {
		all[name] = value
	}
	changed, err := json.Marshal(all)
	return b64.EncodeToString(changed), err
}

// forgeries are the ways to make a token without being the site. Each is told what
// the header says, and signs.
var forgeries = map[string]func(w *world, head map[string]any) (func(signed string) []byte, error){
	// The header says that there is no signature.
	"alg none": func(_ *world, head map[string]any) (func(string) []byte, error) {
		head["alg"] = "none"
		return func(string) []byte { return nil }, nil
	},
	// The public key, which everybody has, serves as the secret of an HMAC.
	"HS256 with the public key": func(w *world, head map[string]any) (func(string) []byte, error) {
		public := w.shared.Public()
		if len(public) == 0 {
			return nil, errors.New("there is no public key")
		}
		head["alg"] = "HS256"
		key, err := json.Marshal(public[0])
		return hmacWith(key), err
	},
	// The token brings the key along by which it wants to be checked.
	"its own key in the header": func(_ *world, head map[string]any) (func(string) []byte, error) {
		public, private, err := ed25519.GenerateKey(random)
		head["alg"], head["jwk"] = "EdDSA", map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64.EncodeToString(public)}
		return func(signed string) []byte { return ed25519.Sign(private, []byte(signed)) }, err
	},
	// The name of the key is the path of a file whose content is known: an empty one.
	"a key from a file": func(_ *world, head map[string]any) (func(string) []byte, error) {
		head["alg"], head["kid"] = "HS256", "../../../../dev/null"
		return hmacWith(nil), nil
	},
	"an empty key": func(_ *world, head map[string]any) (func(string) []byte, error) {
		head["alg"] = "HS256"
		return hmacWith(nil), nil
	},
}

func hmacWith(key []byte) func(string) []byte {
	return func(signed string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}
}

// makeToken makes a token out of the one in hand: the same claims but the role.
func makeToken(m []string) (action, error) {
	way, role, ok := strings.Cut(m[1], ", role=")
	if !ok {
		return nil, errors.New("it does not say which role")
	}
	if way == "with the stolen key" {
		return func(w *world, who *actor) error { return w.signWithLoot(who, role) }, nil
	}
	forge, ok := forgeries[way]
	if !ok {
		return nil, fmt.Errorf("there is no forgery %q", way)
	}
	return func(w *world, who *actor) error {
		name, value, err := w.inHand(who)
		if err != nil {
			return err
		}
		parts := strings.Split(value, ".")
		if len(parts) != 3 {
			return fmt.Errorf("%s is no token", name)
		}
		head, err := headOf(parts[0])
		if err != nil {
			return err
		}
		sign, err := forge(w, head)
		if err != nil {
			return err
		}
		return w.show(who, name, head, parts[1], role, sign)
	}, nil
}

func headOf(part string) (map[string]any, error) {
	raw, err := b64.DecodeString(part)
	if err != nil {
		return nil, err
	}
	var head map[string]any
	return head, json.Unmarshal(raw, &head)
}

// show puts a forged token into somebody's jar.
func (w *world) show(who *actor, name string, head map[string]any, body, role string, sign func(string) []byte) error {
	raw, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if body, err = edited(body, map[string]any{"role": role}); err != nil {
		return err
	}
	signed := b64.EncodeToString(raw) + "." + body
	who.jar.Replace(name, signed+"."+b64.EncodeToString(sign(signed)))
	w.note("The header says %s", raw)
	return nil
}

// signWithLoot signs with the key that was stolen.
func (w *world) signWithLoot(who *actor, role string) error {
	if w.loot == nil {
		return errors.New("nothing was stolen yet")
	}
	name, value, err := w.inHand(who)
	if err != nil {
		return err
	}
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%s is no token", name)
	}
	head, err := headOf(parts[0])
	if err != nil {
		return err
	}
	_, secret, _ := strings.Cut(w.loot.keys[0], ":")
	key, err := b64.DecodeString(secret)
	if err != nil {
		return err
	}
	sign := hmacWith(key)
	if w.setup.Algorithm == string(token.EdDSA) {
		private := ed25519.NewKeyFromSeed(key)
		sign = func(signed string) []byte { return ed25519.Sign(private, []byte(signed)) }
	}
	return w.show(who, name, head, parts[1], role, sign)
}

// guess shows a number of the right shape that nobody was given.
func guess(w *world, who *actor) error {
	var raw [24]byte
	if _, err := random.Read(raw[:]); err != nil {
		return err
	}
	name := w.cookieName("lectern-sid")
	who.jar.Replace(name, b64.EncodeToString(raw[:]))
	w.note("%s=%s, one of 2^192 that it could be.", name, shorten(who.jar.Value(name)))
	return nil
}

// readCookie reads what anybody can read who holds the cookie.
func readCookie(w *world, who *actor) error {
	w.measured["readable"], w.measured["personal_data"] = 0, 0
	for _, name := range w.cookieNames {
		value := who.jar.Value(name)
		if value == "" {
			continue
		}
		decoded := decodeToken(value)
		if decoded == nil {
			w.note("%s: %d characters that mean nothing to anybody but the server.", name, len(value))
			continue
		}
		w.measured["readable"] = 1
		w.note("%s, header: %s", name, decoded.Header)
		w.note("%s, payload: %s", name, decoded.Payload)
		for _, person := range []string{"ada", "bea", "grace", "alan"} {
			if p, ok := w.site.Person(person); ok && (strings.Contains(string(decoded.Payload), p.Name) || strings.Contains(string(decoded.Payload), p.Email)) {
				w.measured["personal_data"] = 1
			}
		}
	}
	return nil
}

// scriptReads shows what a script in the page finds in document.cookie.
func scriptReads(w *world, who *actor) error {
	read := who.jar.Readable()
	w.measured["readable"] = 0
	for _, name := range w.cookieNames {
		if strings.Contains(read, name+"=") {
			w.measured["readable"] = 1
		}
	}
	w.read = nil
	if read == "" {
		w.note("document.cookie is empty.")
		return nil
	}
	for _, pair := range strings.Split(read, "; ") {
		name, value, _ := strings.Cut(pair, "=")
		w.read = append(w.read, Field{name, value})
	}
	w.note("document.cookie says %s.", fieldsLine(w.read))
	return nil
}

// takeAll copies the keys and the records.
func takeAll(w *world, who *actor) error {
	kept, err := w.site.Kept(w.ctx)
	if err != nil {
		return err
	}
	w.loot = &loot{keys: w.keys, kept: kept}
	w.note("%s has the key %s", who.name, shorten(w.keys[0]))
	for _, k := range kept {
		w.note("%s has, from %s: %s", who.name, k.Place, fieldsLine(k.Fields))
	}
	return nil
}

// showLoot shows the name under which a record lies as if it were the ticket.
func showLoot(w *world, who *actor) error {
	if w.loot == nil || len(w.loot.kept) == 0 {
		return errors.New("no record was stolen")
	}
	stolen := w.loot.kept[0].Fields[0].Value
	name := w.cookieName("lectern-sid")
	who.jar.Replace(name, stolen)
	w.note("%s=%s, as it stands in the record.", name, shorten(stolen))
	return nil
}

// shapeLoot gives it the shape of a ticket: as many of its bits as one has, spelt as
// one is.
func shapeLoot(w *world, who *actor) error {
	if w.loot == nil || len(w.loot.kept) == 0 {
		return errors.New("no record was stolen")
	}
	hash, err := hex.DecodeString(w.loot.kept[0].Fields[0].Value)
	if err != nil || len(hash) < 24 {
		return errors.New("what was stolen is no hash")
	}
	name := w.cookieName("lectern-sid")
	who.jar.Replace(name, b64.EncodeToString(hash[:24]))
	w.note("%s=%s, the same bits in the shape of a ticket.", name, shorten(who.jar.Value(name)))
	return nil
}
