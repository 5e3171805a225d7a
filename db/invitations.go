package db

import (
	"context"
	"errors"
	"strconv"
	"time"

	"lectern/db/school"
)

const invitationColumns = `
	SELECT i.id,
	       i.email,
	       i.name,
	       i.role,
	       i.by_id,
	       i.by_name,
	       i.made_at,
	       i.expires_at,
	       i.accepted_at,
	       i.revoked_at,
	       CASE WHEN EXISTS (SELECT 1 FROM users AS u WHERE u.id = i.by_id AND u.role = 'admin' AND u.disabled_at IS NULL) THEN 1 ELSE 0 END
	  FROM invitations AS i`

func scanInvitation(row scanner) (i school.Invitation, err error) {
	err = row.Scan(&i.ID, &i.Email, &i.Name, &i.Role, &i.By.ID, &i.By.Name, instant{&i.MadeAt}, instant{&i.ExpiresAt}, instant{&i.AcceptedAt}, instant{&i.RevokedAt}, &i.Stands)
	return i, err
}

var (
	invitationByToken = statement("invitation by token", invitationColumns+`
	 WHERE i.token_hash = $1`)

	invitationByID = statement("invitation by id", invitationColumns+`
	 WHERE i.id = $1`)

	replaceInvitations = statement("replace invitations", `
	UPDATE invitations
	   SET revoked_at = $1
	 WHERE email = $2
	   AND accepted_at IS NULL
	   AND revoked_at IS NULL`)

	insertInvitation = statement("insert invitation", `
	INSERT INTO invitations (id, token_hash, email, name, role, by_id, by_name, made_at, expires_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`)

	revokeInvitation = statement("revoke invitation", `
	UPDATE invitations
	   SET revoked_at = $1
	 WHERE id = $2
	   AND accepted_at IS NULL
	   AND revoked_at IS NULL`)

	acceptInvitation = statement("accept invitation", `
	UPDATE invitations
	   SET accepted_at = $1
	 WHERE id = $2
	   AND accepted_at IS NULL
	   AND revoked_at IS NULL`)
)

// Invite keeps an invitation, complete with its ID and times, and the hash of what
// opens it. An open one to the same address is taken back: one letter counts, the
// last. It returns [school.ErrEmailTaken] if the address has an account.
func (d *DB) Invite(ctx context.Context, i school.Invitation, tokenHash string) error {
	return d.write(ctx, func(t *tx) error {
		switch _, err := one(ctx, t, userByEmail, scanUser, i.Email); {
		case err == nil:
			return school.ErrEmailTaken
		case !errors.Is(err, school.ErrNotFound):
			return err
		}
		if _, err := t.exec(ctx, replaceInvitations, stamp(i.MadeAt), i.Email); err != nil {
			return err
		}
		return t.must(ctx, insertInvitation, i.ID, tokenHash, i.Email, i.Name, i.Role, i.By.ID, i.By.Name, stamp(i.MadeAt), stamp(i.ExpiresAt))
	})
}

// Invitation reads the open invitation that something opens, by its hash. It returns
// [school.ErrNotFound] if there is none, or it is not open any more.
func (d *DB) Invitation(ctx context.Context, tokenHash string, now time.Time) (school.Invitation, error) {
	return openInvitation(ctx, d, tokenHash, now)
}

func openInvitation(ctx context.Context, from source, tokenHash string, now time.Time) (school.Invitation, error) {
	i, err := one(ctx, from, invitationByToken, scanInvitation, tokenHash)
	if err == nil && i.State(now) != school.InvitationOpen {
		return school.Invitation{}, school.ErrNotFound
	}
	return i, err
}

// AcceptInvitation uses up an open invitation and opens the account that it is to, both
// or neither: with its address, name and role, whatever u says of them. It returns the
// account, [school.ErrNotFound] where the invitation is not open any more (of two who
// accept it at once, one finds it so), and [school.ErrEmailTaken] if the address has an
// account meanwhile; the invitation stays open then.
func (d *DB) AcceptInvitation(ctx context.Context, tokenHash string, u school.User, passwordHash string) (school.User, error) {
	err := d.write(ctx, func(t *tx) error {
		i, err := openInvitation(ctx, t, tokenHash, u.CreatedAt)
		if err != nil {
			return err
		}
		u.Email, u.Name, u.Role = i.Email, i.Name, i.Role
		if err := t.createUser(ctx, u, passwordHash); err != nil {
			return err
		}
		return t.must(ctx, acceptInvitation, stamp(u.CreatedAt), i.ID)
	})
	return u, err
}

// RevokeInvitation takes an invitation back and returns it. It returns
// [school.ErrNotFound] for one that is not there, was accepted, or was taken back.
func (d *DB) RevokeInvitation(ctx context.Context, id school.ID, now time.Time) (i school.Invitation, err error) {
	err = d.write(ctx, func(t *tx) error {
		if i, err = one(ctx, t, invitationByID, scanInvitation, id); err != nil {
			return err
		}
		return t.must(ctx, revokeInvitation, stamp(now), id)
	})
	return i, err
}

// InvitationPage is one page of the invitations.
type InvitationPage struct {
	Invitations []school.Invitation
	Next        string // what to ask for next; empty on the last page
}

// Invitations lists them all, the newest first. A cursor that is none begins at the
// first page.
func (d *DB) Invitations(ctx context.Context, after string) (InvitationPage, error) {
	var b builder
	b.add(invitationColumns + " WHERE 1 = 1")
	if after, ok := parseCursor(after, orderByTime); ok {
		if at, ok := after.number(); ok {
			b.add(" AND (i.made_at, i.id) < (?, ?)", at, after.id)
		}
	}
	b.add(" ORDER BY i.made_at DESC, i.id DESC LIMIT ?", pageLength+1)
	rows, err := all(ctx, d, b.query("list invitations"), scanInvitation, b.args...)
	if err != nil {
		return InvitationPage{}, err
	}
	var page InvitationPage
	var last *school.Invitation
	if page.Invitations, last = cutPage(rows, pageLength); last != nil {
		page.Next = cursor{orderByTime, strconv.FormatInt(last.MadeAt.UnixMilli(), 10), last.ID}.String()
	}
	return page, nil
}
