package db

import (
	"context"
	"errors"

	"lectern/db/school"
)

var (
	// heirOfCourses is the admin who has been here longest, can sign in, and is
	// somebody else.
	heirOfCourses = statement("heir of courses", `
	SELECT`+userColumns+`
	  FROM users AS u
	 WHERE u.role = 'admin'
	   AND u.disabled_at IS NULL
	   AND u.id <> $1
	 ORDER BY u.created_at, u.id
	 LIMIT 1`)

	countOwnCourses = statement("count own courses", `
	SELECT COUNT(*)
	  FROM courses
	 WHERE owner_id = $1
	   AND deleted_at IS NULL`)

	passCourses = statement("pass courses on", `
	UPDATE courses
	   SET owner_id = $1
	 WHERE owner_id = $2`)

	passLessons = statement("pass lessons on", `
	UPDATE lessons
	   SET updated_by = $1
	 WHERE updated_by = $2`)

	uncountStudent = statement("uncount a student", `
	UPDATE courses
	   SET students = students - 1
	 WHERE id IN (SELECT course_id
	                FROM enrolments
	               WHERE user_id = $1
	                 AND left_at IS NULL)`)

	deleteUser = statement("delete user", `
	DELETE FROM users
	 WHERE id = $1`)
)

// Legacy is what becomes of what a person owns when they go.
type Legacy struct {
	Courses int         // theirs, that are not in the bin
	Heir    school.User // who takes them over; nobody if the ID is empty
}

// LegacyOf says what would become of what a person owns.
func (d *DB) LegacyOf(ctx context.Context, id school.ID) (Legacy, error) {
	var l Legacy
	var err error
	if l.Courses, err = one(ctx, d, countOwnCourses, value[int], id); err != nil {
		return l, err
	}
	l.Heir, err = one(ctx, d, heirOfCourses, scanUser, id)
	if errors.Is(err, school.ErrNotFound) {
		err = nil
	}
	return l, err
}

// DeleteUser deletes a person with all that is theirs alone: their progress, their
// sessions, what they prove with who they are. Their courses pass to the admin who has
// been here longest. It returns [school.ErrLastAdmin] for the last admin who can sign
// in, [school.ErrDemoAccount] for an account that is everybody's, [school.ErrNoHeir] if
// there are courses and nobody to take them, and [school.ErrNotFound] for somebody who
// is not there. Lines of the audit log stay.
func (d *DB) DeleteUser(ctx context.Context, id school.ID) error {
	return d.write(ctx, func(t *tx) error {
		u, err := one(ctx, t, userByID, scanUser, id)
		if err != nil {
			return err
		}
		if u.Demo {
			return school.ErrDemoAccount
		}
		heir, err := one(ctx, t, heirOfCourses, scanUser, id)
		missing := errors.Is(err, school.ErrNotFound)
		switch {
		case missing && rules(u):
			return school.ErrLastAdmin
		case err != nil && !missing:
			return err
		}
		if err := t.passOn(ctx, id, heir); err != nil {
			return err
		}
		if _, err := t.exec(ctx, uncountStudent, id); err != nil {
			return err
		}
		t.showsInCatalogue = true
		if err := t.countUser(ctx, u, -1); err != nil {
			return err
		}
		return t.must(ctx, deleteUser, id)
	})
}

// passOn gives an heir the courses of somebody, and their name beside the lessons that
// they saved last.
func (t *tx) passOn(ctx context.Context, id school.ID, heir school.User) error {
	if heir.ID == "" {
		courses, err := one(ctx, t, countOwnCourses, value[int], id)
		if err != nil {
			return err
		}
		if courses > 0 {
			return school.ErrNoHeir
		}
		return nil
	}
	passed, err := t.exec(ctx, passCourses, heir.ID, id)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, passLessons, heir.ID, id); err != nil {
		return err
	}
	if passed == 0 {
		return nil
	}
	return t.indexCoursesOf(ctx, heir.ID)
}
