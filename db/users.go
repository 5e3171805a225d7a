package db

import (
	"context"
	"errors"
	"time"

	"lectern/db/school"
)

const userColumns = `
	       u.id,
	       u.email,
	       u.name,
	       u.role,
	       u.demo,
	       u.disabled_at,
	       u.sessions_ended_at,
	       u.sessions_from,
	       u.tokens_from,
	       u.created_at`

// userFields are where userColumns are scanned to.
func userFields(u *school.User) []any {
	return []any{&u.ID, &u.Email, &u.Name, &u.Role, &u.Demo, instant{&u.DisabledAt}, instant{&u.SessionsEndedAt}, instant{&u.SessionsFrom}, instant{&u.TokensFrom}, instant{&u.CreatedAt}}
}

func scanUser(row scanner) (u school.User, err error) {
	err = row.Scan(userFields(&u)...)
	return u, err
}

func scanCredential(row scanner) (c school.Credential, err error) {
	err = row.Scan(append(userFields(&c.User), &c.PasswordHash)...)
	return c, err
}

var (
	userByID = statement("user by id", `
	SELECT`+userColumns+`
	  FROM users AS u
	 WHERE u.id = $1`)

	credentialByEmail = statement("credential by e-mail", `
	SELECT`+userColumns+`,
	       u.password_hash
	  FROM users AS u
	 WHERE u.email = $1`)
)

// User reads a person's account. It returns [school.ErrNotFound] if there is
// none.
func (d *DB) User(ctx context.Context, id school.ID) (school.User, error) {
	return one(ctx, d, userByID, scanUser, id)
}

// CredentialByEmail reads what signing in with a password needs, of accounts
// that are disabled too. It returns [school.ErrNotFound] if nobody has the
// address.
func (d *DB) CredentialByEmail(ctx context.Context, email school.Email) (school.Credential, error) {
	return one(ctx, d, credentialByEmail, scanCredential, email)
}

var insertUser = statement("insert user", `
	INSERT INTO users (id, email, name, name_key, role, password_hash, demo, created_at, disabled_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (email) DO NOTHING`)

// CreateUser adds an account, complete with its ID and the time of its making, without
// a password where the hash is empty, and with what other sites say who it is. It
// returns [school.ErrEmailTaken] if another has the address, and
// [school.ErrIdentityTaken] if another has such an identity.
func (d *DB) CreateUser(ctx context.Context, u school.User, passwordHash string, identities ...school.Identity) error {
	return d.write(ctx, func(t *tx) error { return t.createUser(ctx, u, passwordHash, identities...) })
}

func (t *tx) createUser(ctx context.Context, u school.User, passwordHash string, identities ...school.Identity) error {
	added, err := t.exec(ctx, insertUser,
		u.ID, u.Email, u.Name, school.Fold(u.Name), u.Role, passwordHash, bit(u.Demo), stamp(u.CreatedAt), stamp(u.DisabledAt))
	if err != nil {
		return err
	}
	if added == 0 {
		return school.ErrEmailTaken
	}
	if err := t.countUser(ctx, u, +1); err != nil {
		return err
	}
	for _, identity := range identities {
		if err := t.addIdentity(ctx, u.ID, identity); err != nil {
			return err
		}
	}
	return t.indexUsers(ctx, u)
}

var (
	updateName = statement("update name", `
	UPDATE users
	   SET name = $1,
	       name_key = $2
	 WHERE id = $3`)

	deleteUserWords = statement("delete words of user", `
	DELETE FROM user_words
	 WHERE user_id = $1`)
)

// UpdateName changes the name that a person goes by, also where it stands
// beside the courses that they teach. It returns [school.ErrNotFound] if there
// is no such account.
func (d *DB) UpdateName(ctx context.Context, id school.ID, name string) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.must(ctx, updateName, name, school.Fold(name), id); err != nil {
			return err
		}
		u, err := one(ctx, t, userByID, scanUser, id)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, deleteUserWords, id); err != nil {
			return err
		}
		if err := t.indexUsers(ctx, u); err != nil {
			return err
		}
		return t.indexCoursesOf(ctx, id)
	})
}

var (
	userByEmail = statement("user by e-mail", `
	SELECT`+userColumns+`
	  FROM users AS u
	 WHERE u.email = $1`)

	updateEmail = statement("update e-mail", `
	UPDATE users
	   SET email = $1
	 WHERE id = $2`)
)

// UpdateEmail changes the address that a person signs in with. It returns
// [school.ErrEmailTaken] if another account has it, [school.ErrDemoAccount] for an
// account whose address everybody knows, and [school.ErrNotFound] if there is no such
// account.
func (d *DB) UpdateEmail(ctx context.Context, id school.ID, email school.Email) error {
	return d.write(ctx, func(t *tx) error {
		u, err := one(ctx, t, userByID, scanUser, id)
		if err != nil {
			return err
		}
		if u.Demo {
			return school.ErrDemoAccount
		}
		switch _, err := one(ctx, t, userByEmail, scanUser, email); {
		case err == nil:
			return school.ErrEmailTaken
		case !errors.Is(err, school.ErrNotFound):
			return err
		}
		if err := t.must(ctx, updateEmail, email, id); err != nil {
			return err
		}
		u.Email = email
		if _, err := t.exec(ctx, deleteUserWords, id); err != nil {
			return err
		}
		return t.indexUsers(ctx, u)
	})
}

var (
	updatePassword = statement("update password", `
	UPDATE users
	   SET password_hash = $1
	 WHERE id = $2`)

	addPassword = statement("add password", `
	UPDATE users
	   SET password_hash = $1
	 WHERE id = $2
	   AND password_hash = ''`)

	rehashPassword = statement("rehash password", `
	UPDATE users
	   SET password_hash = $1
	 WHERE id = $2
	   AND password_hash = $3`)
)

// UpdatePassword gives a person another password. It returns
// [school.ErrNotFound] if there is no such account, and
// [school.ErrDemoAccount] for one whose password everybody knows.
func (d *DB) UpdatePassword(ctx context.Context, id school.ID, hash string) error {
	return d.write(ctx, func(t *tx) error {
		u, err := one(ctx, t, userByID, scanUser, id)
		if err != nil {
			return err
		}
		if u.Demo {
			return school.ErrDemoAccount
		}
		return t.must(ctx, updatePassword, hash, id)
	})
}

// AddPassword gives a person a password who has none. It returns [school.ErrStale] for
// somebody who has one by now.
func (d *DB) AddPassword(ctx context.Context, id school.ID, hash string) error {
	return d.write(ctx, func(t *tx) error {
		added, err := t.exec(ctx, addPassword, hash, id)
		if err == nil && added == 0 {
			return school.ErrStale
		}
		return err
	})
}

// RehashPassword replaces the hash of a password by another of the same
// password. If the account's hash is no longer oldHash, the password was
// changed meanwhile, and nothing happens.
func (d *DB) RehashPassword(ctx context.Context, id school.ID, oldHash, newHash string) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, rehashPassword, newHash, id, oldHash)
		return err
	})
}

var updateStanding = statement("update role and standing", `
	UPDATE users
	   SET role = $1,
	       disabled_at = $2
	 WHERE id = $3`)

// SetRole makes a person student, instructor or admin and returns what they
// were before. It returns [school.ErrNotFound] if there is no such account,
// and [school.ErrLastAdmin] if no admin who can sign in would remain.
func (d *DB) SetRole(ctx context.Context, id school.ID, role school.Role) (old school.Role, err error) {
	before, err := d.changeStanding(ctx, id, func(u *school.User) { u.Role = role })
	return before.Role, err
}

// Disable keeps a person from signing in. Doing it again changes nothing. It
// returns [school.ErrNotFound] if there is no such account, and
// [school.ErrLastAdmin] if no admin who can sign in would remain.
func (d *DB) Disable(ctx context.Context, id school.ID, now time.Time) error {
	_, err := d.changeStanding(ctx, id, func(u *school.User) {
		if !u.Disabled() {
			u.DisabledAt = now
		}
	})
	return err
}

// Enable lets a person sign in again. Doing it again changes nothing. It
// returns [school.ErrNotFound] if there is no such account.
func (d *DB) Enable(ctx context.Context, id school.ID) error {
	_, err := d.changeStanding(ctx, id, func(u *school.User) { u.DisabledAt = time.Time{} })
	return err
}

var endSessions = statement("end sessions of user", `
	UPDATE users
	   SET sessions_ended_at = $1,
	       sessions_from = $2,
	       tokens_from = $3
	 WHERE id = $4`)

// EndSessions notes that all of a person's sessions that began until at are
// over (school.User.EndSessions). It returns the person as they were before, and
// [school.ErrNotFound] for somebody who is not there.
func (d *DB) EndSessions(ctx context.Context, id school.ID, at time.Time) (before school.User, err error) {
	return d.end(ctx, id, func(u *school.User) { u.EndSessions(at) })
}

// EndTokens notes the same of a person's tokens alone (school.User.EndTokens).
func (d *DB) EndTokens(ctx context.Context, id school.ID, at time.Time) error {
	_, err := d.end(ctx, id, func(u *school.User) { u.EndTokens(at) })
	return err
}

func (d *DB) end(ctx context.Context, id school.ID, end func(*school.User)) (before school.User, err error) {
	err = d.write(ctx, func(t *tx) error {
		if before, err = one(ctx, t, userByID, scanUser, id); err != nil {
			return err
		}
		after := before
		end(&after)
		return t.must(ctx, endSessions, stamp(after.SessionsEndedAt), stamp(after.SessionsFrom), stamp(after.TokensFrom), id)
	})
	return before, err
}

// changeStanding changes a person's role or whether they may sign in, keeps the
// numbers of people right, and returns the person as they were. The transaction
// holds the write lock from its beginning, so that of two admins who demote
// each other at once one is the last.
func (d *DB) changeStanding(ctx context.Context, id school.ID, change func(*school.User)) (before school.User, err error) {
	err = d.write(ctx, func(t *tx) error {
		before, err = one(ctx, t, userByID, scanUser, id)
		if err != nil {
			return err
		}
		after := before
		change(&after)
		if rules(before) && !rules(after) {
			admins, err := one(ctx, t, countAdmins, value[int])
			if err != nil {
				return err
			}
			if admins == 1 {
				return school.ErrLastAdmin
			}
		}
		if err := t.must(ctx, updateStanding, after.Role, stamp(after.DisabledAt), id); err != nil {
			return err
		}
		if err := t.countUser(ctx, before, -1); err != nil {
			return err
		}
		return t.countUser(ctx, after, +1)
	})
	return before, err
}

// rules reports whether u is an admin who can sign in.
func rules(u school.User) bool { return u.Role == school.Admin && !u.Disabled() }
