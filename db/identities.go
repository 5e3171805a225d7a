package db

import (
	"context"
	"time"

	"lectern/db/school"
)

var (
	identityUser = statement("user of identity", `
	SELECT`+userColumns+`
	  FROM identities AS i
	  JOIN users AS u ON u.id = i.user_id
	 WHERE i.issuer = $1
	   AND i.subject = $2`)

	identitiesOf = statement("identities of a person", `
	SELECT id, provider, issuer, subject, email, added_at, used_at
	  FROM identities
	 WHERE user_id = $1
	 ORDER BY added_at, id`)

	addIdentity = statement("add identity", `
	INSERT INTO identities (id, user_id, provider, issuer, subject, email, added_at, used_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
	ON CONFLICT (issuer, subject) DO NOTHING`)

	useIdentity = statement("use identity", `
	UPDATE identities
	   SET used_at = $1,
	       email = $2
	 WHERE issuer = $3
	   AND subject = $4`)

	removeIdentity = statement("remove identity", `
	DELETE FROM identities
	 WHERE id = $1
	   AND user_id = $2`)
)

func scanIdentity(row scanner) (i school.Identity, err error) {
	err = row.Scan(&i.ID, &i.Provider, &i.Issuer, &i.Subject, &i.Email, instant{&i.AddedAt}, instant{&i.UsedAt})
	return i, err
}

// UserOfIdentity reads whose an identity at a provider is. It returns
// [school.ErrNotFound] where it is nobody's.
func (d *DB) UserOfIdentity(ctx context.Context, issuer, subject string) (school.User, error) {
	return one(ctx, d, identityUser, scanUser, issuer, subject)
}

// Identities lists what a person has at providers.
func (d *DB) Identities(ctx context.Context, user school.ID) ([]school.Identity, error) {
	return all(ctx, d, identitiesOf, scanIdentity, user)
}

// AddIdentity makes an identity a way in for a person. It returns
// [school.ErrIdentityTaken] where it is somebody's already.
func (d *DB) AddIdentity(ctx context.Context, user school.ID, i school.Identity) error {
	return d.write(ctx, func(t *tx) error { return t.addIdentity(ctx, user, i) })
}

func (t *tx) addIdentity(ctx context.Context, user school.ID, i school.Identity) error {
	added, err := t.exec(ctx, addIdentity, i.ID, user, i.Provider, i.Issuer, i.Subject, i.Email, stamp(i.AddedAt))
	if err == nil && added == 0 {
		return school.ErrIdentityTaken
	}
	return err
}

// UseIdentity notes that somebody came in by an identity, and the address that the
// provider says is theirs.
func (d *DB) UseIdentity(ctx context.Context, issuer, subject, email string, at time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.must(ctx, useIdentity, stamp(at), email, issuer, subject) })
}

// RemoveIdentity closes that way in. It returns [school.ErrNotFound] for one that the
// person does not have, and [school.ErrLastWay] where nothing else lets them in.
func (d *DB) RemoveIdentity(ctx context.Context, user, id school.ID, open school.WaysOpen) error {
	return d.leavingAWay(ctx, user, open, func(t *tx) error { return t.must(ctx, removeIdentity, id, user) })
}
