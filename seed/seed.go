// Package seed fills an empty school with the demo courses and the demo
// people.
//
// The courses are folders of Markdown under courses, one for each, embedded in
// the program; package courseware says how they are written. The people stand
// in people.go. Ids are made from names by a hash, and times are fixed, so that
// the same program always makes the same rows, and can put them back.
package seed

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"lectern/db"
	"lectern/db/courseware"
	"lectern/db/school"
	"lectern/handlers/auth"
)

//go:embed all:courses
var files embed.FS

// opened is the day on which the demo school says it opened. Everything else in
// it is dated from there.
var opened = time.Date(2026, time.September, 1, 9, 0, 0, 0, time.UTC)

// Fill seeds a school that was never seeded, and changes nothing in one that
// was.
func Fill(ctx context.Context, d *db.DB) error {
	data, err := Data(ctx)
	if err != nil {
		return err
	}
	_, err = d.Seed(ctx, data)
	return err
}

// Reset puts the seeded rows back to their first state and leaves what others
// did as it is.
func Reset(ctx context.Context, d *db.DB) error {
	data, err := Data(ctx)
	if err != nil {
		return err
	}
	return d.Reset(ctx, data)
}

// Data is the demo school.
func Data(ctx context.Context) (db.SeedData, error) {
	folders, err := fs.Sub(files, "courses")
	if err != nil {
		return db.SeedData{}, err
	}
	courses, err := courseware.ReadAll(folders)
	if err != nil {
		return db.SeedData{}, fmt.Errorf("seed: %w", err)
	}
	var data db.SeedData
	// Everybody has the same password, so one hash does for all.
	hash := sync.OnceValues(func() (string, error) {
		return auth.NewHasher(rand.Reader, 1).Hash(ctx, Password)
	})
	if _, err := hash(); err != nil {
		return db.SeedData{}, err
	}
	for _, p := range people {
		data.Users = append(data.Users, db.SeedUser{
			User: school.User{
				ID: id("user", p.email), Email: school.Email(p.email), Name: p.name, Role: p.role,
				Demo: true, CreatedAt: opened,
			},
			PasswordHash: func() string { phc, _ := hash(); return phc },
		})
	}
	for _, c := range courses {
		course, err := seedCourse(c)
		if err != nil {
			return db.SeedData{}, err
		}
		data.Courses = append(data.Courses, course)
	}
	data.Enrolments = enrolments(data.Courses)
	return data, nil
}

// id is the opaque id of a seeded row: as long and as unreadable as a drawn
// one, but always the same.
func id(parts ...string) school.ID {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	text := base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil))
	return school.ID(text[:26])
}
