package hybrid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"lectern/handlers/session/serverstore"
)

const (
	familyBytes = 18 // 144 random bits (ASVS 7.2.3 asks for 128)
	secretBytes = sha256.Size
	saltBytes   = sha256.Size
)

// ticket is what the refresh cookie holds: the number of a family and a secret of
// it, in base64url, joined by a full stop.
type ticket struct {
	family [familyBytes]byte
	secret [secretBytes]byte
}

// spelling is base64url in the one way that each value can be written: a secret
// that could be spelled in several ways would count as another one.
var spelling = base64.RawURLEncoding.Strict()

func newTicket(random io.Reader) (ticket, error) {
	var t ticket
	for _, part := range [][]byte{t.family[:], t.secret[:]} {
		if _, err := io.ReadFull(random, part); err != nil {
			return t, fmt.Errorf("session: cannot draw a ticket: %w", err)
		}
	}
	return t, nil
}

func newSalt(random io.Reader) ([]byte, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, fmt.Errorf("session: cannot draw a salt: %w", err)
	}
	return salt, nil
}

// parseTicket reads what String wrote, and nothing else.
func parseTicket(text string) (ticket, bool) {
	var t ticket
	family, secret, _ := strings.Cut(text, ".")
	return t, decode(t.family[:], family) && decode(t.secret[:], secret)
}

// decode fills into, if text is as long as it takes and written in the alphabet
// alone; encoding/base64 would pass over line breaks.
func decode(into []byte, text string) bool {
	if len(text) != spelling.EncodedLen(len(into)) || strings.ContainsAny(text, "\r\n") {
		return false
	}
	n, err := spelling.Decode(into, []byte(text))
	return err == nil && n == len(into)
}

func (t ticket) String() string {
	return spelling.EncodeToString(t.family[:]) + "." + spelling.EncodeToString(t.secret[:])
}

// successor is the ticket that this one is exchanged for. It takes both this
// secret and the salt to make it.
func (t ticket) successor(salt []byte) ticket {
	mac := hmac.New(sha256.New, t.secret[:])
	mac.Write(salt)
	next := ticket{family: t.family}
	mac.Sum(next.secret[:0])
	return next
}

// familyHash is what the family is kept under.
func (t ticket) familyHash() serverstore.Hash { return sha256.Sum256(t.family[:]) }

// secretHash is what is kept of the secret.
func (t ticket) secretHash() serverstore.Hash { return sha256.Sum256(t.secret[:]) }
