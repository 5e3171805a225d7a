package school

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Role is what a person is at this school. There are three, and each person
// has exactly one.
type Role string

const (
	Student    Role = "student"    // views and joins courses
	Instructor Role = "instructor" // also creates courses, and edits their own
	Admin      Role = "admin"      // also looks after all people and all courses
)

// Roles lists them from the least powerful to the most.
var Roles = []Role{Student, Instructor, Admin}

// ParseRole accepts the three names above, exactly.
func ParseRole(s string) (Role, error) {
	switch r := Role(s); r {
	case Student, Instructor, Admin:
		return r, nil
	}
	return "", &Invalid{"role", "Choose student, instructor or admin."}
}

// Email is an address that has been parsed: lower case, at most 254 bytes,
// printable ASCII. Whether it reaches anyone only a mail can tell.
type Email string

// ParseEmail parses the address a person signs in with.
func ParseEmail(s string) (Email, error) {
	bad := &Invalid{"email", "An e-mail address looks like name@school.example."}
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return "", &Invalid{"email", "An e-mail address is needed."}
	}
	if len(s) > MaxEmail || !utf8.ValidString(s) {
		return "", bad
	}
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return "", bad
		}
	}
	at, err := mail.ParseAddress(s)
	if err != nil || at.Name != "" || at.Address != s {
		return "", bad
	}
	_, domain, _ := strings.Cut(s, "@")
	if strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || strings.ContainsAny(domain, "[]@") {
		return "", bad
	}
	return Email(s), nil
}

// User is a person with an account. It holds no secret: the password's hash
// is in [Credential] alone, so that a page can never show it.
type User struct {
	ID         ID
	Email      Email
	Name       string
	Role       Role
	Demo       bool      // one of the demo accounts, whose password everybody knows
	DisabledAt time.Time // zero while the account may sign in
	// SessionsEndedAt is when all their sessions were last ended at one stroke;
	// zero if never.
	SessionsEndedAt time.Time
	// SessionsFrom is the first moment at which a session may be dated since then.
	// What is dated before is not exchanged for anything new, and counts for
	// nothing where sessions are asked for it.
	SessionsFrom time.Time
	// TokensFrom is the same for tokens alone, which are also over when their
	// person is given another role, where they can be ended at all. It is never
	// before SessionsFrom.
	TokensFrom time.Time
	CreatedAt  time.Time
}

// Disabled reports whether an admin has closed the account.
func (u User) Disabled() bool { return !u.DisabledAt.IsZero() }

// EndSessions notes that all sessions are over that began until at. Sessions are
// dated by whole seconds: all of the second of an end counts as before it, and
// what begins in the rest of that second is dated at the next. So a second end
// within that second reaches one second further, or it would miss those; up to
// AheadOfTime, so that however often sessions are ended in a moment, the next
// sign-in is possible.
func (u *User) EndSessions(at time.Time) {
	if at.After(u.SessionsEndedAt) {
		u.SessionsEndedAt = at
	}
	u.EndTokens(at)
	u.SessionsFrom = u.TokensFrom
}

// AheadOfTime is how far a session may be dated ahead of the clock: less than
// what a token's reader allows between the clocks of two servers.
const AheadOfTime = 4 * time.Second

// EndTokens notes the same of tokens alone; other sessions go on.
func (u *User) EndTokens(at time.Time) {
	second := at.Truncate(time.Second)
	from := second.Add(time.Second)
	if next := u.TokensFrom.Add(time.Second); next.After(from) {
		from = next
	}
	if last := second.Add(AheadOfTime); from.After(last) {
		from = last
	}
	if from.After(u.TokensFrom) {
		u.TokensFrom = from
	}
}

// Credential is what signing in with a password needs.
type Credential struct {
	User         User
	PasswordHash string // PHC string
}
