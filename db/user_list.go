package db

import (
	"context"
	"time"

	"lectern/db/school"
)

// UserQuery says which people to list.
type UserQuery struct {
	Words string      // the beginnings of words of their name or e-mail address
	Role  school.Role // empty for any
	State string      // "enabled", "disabled", or anything else for both
	Steps string      // "two" for those asked for a second step, "one" for the others, or anything else for both
	After string      // the Next of the page before; empty for the first
	Limit int         // rows of a page; 24 if not given, at most 100
}

// UserRow is one line of the list of people.
type UserRow struct {
	school.User
	Courses int // that they have joined and not left
	Proof   school.Factors
	SeenAt  time.Time // when they last signed in, by whatever way; zero for never
}

// UserPage is one page of the list of people, by name.
type UserPage struct {
	Users     []UserRow
	Next      string // what to ask for next; empty on the last page
	Total     int    // people on all pages
	TotalMore bool   // whether there are more than Total
}

const orderByName = "name"

// Users lists people by name. Totals of searches, and of those who sign in in one step
// or in two, stop at 200. A cursor that
// is none begins at the first page.
func (d *DB) Users(ctx context.Context, q UserQuery) (UserPage, error) {
	found, err := d.search(ctx, userWords, school.QueryWords(q.Words))
	if err != nil {
		return UserPage{}, err
	}
	b := q.list(found)
	rows, err := all(ctx, d, b.query("list users"), scanUserRow, b.args...)
	if err != nil {
		return UserPage{}, err
	}
	var page UserPage
	var last *UserRow
	if page.Users, last = cutPage(rows, pageLimit(q.Limit)); last != nil {
		page.Next = cursor{orderByName, school.Fold(last.Name), last.ID}.String()
	}
	page.Total, page.TotalMore, err = d.totalUsers(ctx, q, found)
	return page, err
}

// list reads one person more than the page has.
func (q UserQuery) list(found search) *builder {
	var b builder
	b.add("SELECT" + userColumns + `,
	       (SELECT COUNT(*) FROM enrolments AS e WHERE e.user_id = u.id AND e.left_at IS NULL),
	       CASE WHEN u.password_hash <> '' THEN 1 ELSE 0 END,
	       u.two_step,
	       (SELECT a.added_at FROM authenticators AS a WHERE a.user_id = u.id),
	       COALESCE((SELECT t.number FROM phones AS t WHERE t.user_id = u.id), ''),
	       (SELECT COUNT(*) FROM identities AS i WHERE i.user_id = u.id),
	       (SELECT COUNT(*) FROM passkeys AS p WHERE p.user_id = u.id AND p.warned_at IS NULL),
	       (SELECT MAX(k.seen_at) FROM known_places AS k WHERE k.user_id = u.id)`)
	q.match(&b, found)
	if after, ok := parseCursor(q.After, orderByName); ok {
		b.add(" AND (u.name_key, u.id) > (?, ?)", after.key, after.id)
	}
	b.add(" ORDER BY u.name_key, u.id LIMIT ?", pageLimit(q.Limit)+1)
	return &b
}

func scanUserRow(row scanner) (u UserRow, err error) {
	f := &u.Proof
	err = row.Scan(append(userFields(&u.User), &u.Courses,
		&f.HasPassword, &f.TwoStep, instant{&f.AuthenticatorAt}, &f.Phone, &f.Identities, &f.Passkeys, instant{&u.SeenAt})...)
	return u, err
}

// match adds which people q asks for.
func (q UserQuery) match(b *builder, found search) {
	found.from(b, "users", "u")
	b.add(" WHERE 1 = 1")
	found.where(b, "u")
	if q.Role != "" {
		b.add(" AND u.role = ?", q.Role)
	}
	switch q.State {
	case "enabled":
		b.add(" AND u.disabled_at IS NULL")
	case "disabled":
		b.add(" AND u.disabled_at IS NOT NULL")
	}
	switch q.Steps {
	case "one":
		b.add(" AND u.two_step = 0")
	case "two":
		b.add(" AND u.two_step = 1")
	}
}

// bySteps reports whether only those are wanted who sign in in one step, or in two.
func (q UserQuery) bySteps() bool { return q.Steps == "one" || q.Steps == "two" }

var sumUsers = statement("sum users", `
	SELECT COALESCE(SUM(people), 0)
	  FROM user_counts
	 WHERE ($1 = '' OR role = $1)
	   AND ($2 < 0 OR disabled = $2)`)

// totalUsers takes the total from the kept counts, or counts what a search finds that
// they do not know of.
func (d *DB) totalUsers(ctx context.Context, q UserQuery, found search) (total int, more bool, err error) {
	if len(found.words) == 0 && !q.bySteps() {
		disabled := -1 // both
		switch q.State {
		case "enabled":
			disabled = 0
		case "disabled":
			disabled = 1
		}
		total, err = one(ctx, d, sumUsers, value[int], q.Role, disabled)
		return total, false, err
	}
	var b builder
	b.add("SELECT COUNT(*) FROM (SELECT 1")
	q.match(&b, found)
	b.add(" LIMIT ?) AS matches", maxTotal+1)
	counted, err := one(ctx, d, b.query("count users"), value[int], b.args...)
	total, more = cutTotal(counted)
	return total, more, err
}
