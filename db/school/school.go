// Package school holds the nouns of the course site and the rules that
// belong to them, free of any database, framework or clock.
//
// There are people ([User]) with one of three roles; courses made of chapters
// made of lessons; and what people do with them: they enrol, and they complete
// lessons. Everything that a person types is parsed here, once, into a value
// that cannot be wrong afterwards ([ParseEmail], [ParseTitle], …), so that the
// layers behind the door never check again. What does not parse comes back as
// an [Invalid] whose sentence may be shown to the person who typed it.
package school

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"io"
	"strings"
)

// The errors that callers tell apart. Each says in its comment what a caller
// makes of it.
var (
	// ErrNotFound: there is no such row, or it has been deleted (404).
	ErrNotFound = errors.New("school: not found")
	// ErrEmailTaken: another account has this e-mail address.
	ErrEmailTaken = errors.New("school: e-mail address is taken")
	// ErrBusy: something else is writing to the database, and nothing was changed
	// (503).
	ErrBusy = errors.New("school: the database is busy")
	// ErrStale: somebody saved between the reader's reading and writing (409).
	ErrStale = errors.New("school: changed meanwhile")
	// ErrNotEnrolled: the person has not joined the course (403).
	ErrNotEnrolled = errors.New("school: not enrolled")
	// ErrNotPublished: the course or lesson is a draft, so nobody joins or finishes it (409).
	ErrNotPublished = errors.New("school: not published")
	// ErrEmpty: a course without a published lesson cannot be published (409).
	ErrEmpty = errors.New("school: nothing to publish")
	// ErrLastAdmin: the school would be left without an admin who can sign in (409).
	ErrLastAdmin = errors.New("school: last admin")
	// ErrNoFactor: nothing is set up that could be a second step (409).
	ErrNoFactor = errors.New("school: no second factor")
	// ErrIdentityTaken: it opens another account (409).
	ErrIdentityTaken = errors.New("school: identity is taken")
	// ErrLastWay: without it nobody could sign in to the account (409).
	ErrLastWay = errors.New("school: last way to sign in")
	// ErrNoHeir: there are courses, and no admin who could take them over (409).
	ErrNoHeir = errors.New("school: nobody to take the courses over")
	// ErrDemoAccount: demo accounts keep their password (403).
	ErrDemoAccount = errors.New("school: demo account")
)

// Invalid says which field of a form cannot be accepted, and why, in a
// sentence for the person who typed it.
type Invalid struct {
	Field  string
	Reason string
}

func (e *Invalid) Error() string { return "school: " + e.Field + ": " + e.Reason }

// ID names a row in URLs and tokens. It is opaque: 130 random bits in
// lower-case base32, so that neither its neighbours nor the number of rows
// can be guessed from it (ASVS 8.2.2, 14.2.1).
type ID string

const idLength = 26

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID draws an ID from random, which is [crypto/rand.Reader] outside tests.
func NewID(random io.Reader) (ID, error) {
	var raw [17]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", err
	}
	return ID(idEncoding.EncodeToString(raw[:])[:idLength]), nil
}

// MustNewID draws an ID from the system's randomness, which does not fail.
func MustNewID() ID {
	id, err := NewID(rand.Reader)
	if err != nil {
		panic(err)
	}
	return id
}

// ParseID accepts what NewID makes and nothing else, so that a handler can
// answer 404 to a malformed address without asking the database.
func ParseID(s string) (ID, error) {
	if len(s) != idLength || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return "", ErrNotFound
	}
	return ID(s), nil
}
