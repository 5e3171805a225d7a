package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/seed"
)

type seedCommand struct {
	storage `embed:""`
}

// Run fills an empty school.
func (s *seedCommand) Run(ctx context.Context) error {
	return s.with(ctx, func(d *db.DB) error { return seed.Fill(ctx, d) })
}

type resetCommand struct {
	storage `embed:""`
}

// Run puts the demo rows back.
func (s *resetCommand) Run(ctx context.Context) error {
	return s.with(ctx, func(d *db.DB) error { return seed.Reset(ctx, d) })
}

func (s storage) with(ctx context.Context, do func(*db.DB) error) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	d, err := openSchool(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(d)
}

type userCommands struct {
	Add userAddCommand `cmd:"" help:"Open an account; the password is read from standard input."`
}

type userAddCommand struct {
	storage `embed:""`
	Email   string `required:"" placeholder:"ADDRESS" help:"The address to sign in with."`
	Name    string `required:"" placeholder:"NAME" help:"What others see the person by."`
	Role    string `required:"" placeholder:"ROLE" help:"student, instructor or admin."`
}

// Run opens an account by the same rules as the sign-up page.
func (u *userAddCommand) Run(ctx context.Context, con console) error {
	email, err := school.ParseEmail(u.Email)
	if err != nil {
		return wrongValue("email", err)
	}
	name, err := school.ParseName(u.Name)
	if err != nil {
		return wrongValue("name", err)
	}
	role, err := school.ParseRole(u.Role)
	if err != nil {
		return wrongValue("role", err)
	}
	password, err := bufio.NewReader(con.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read the password: %w", err)
	}
	if password = strings.TrimRight(password, "\r\n"); password == "" {
		return errors.New("no password on standard input; write it there, on one line")
	}
	if err := auth.CheckNew(password, name, string(email)); err != nil {
		return err
	}
	return u.with(ctx, func(d *db.DB) error {
		hash, err := auth.NewHasher(rand.Reader, 1).Hash(ctx, password)
		if err != nil {
			return err
		}
		return d.CreateUser(ctx, school.User{ID: school.MustNewID(), Email: email, Name: name, Role: role, CreatedAt: time.Now()}, hash)
	})
}

func wrongValue(setting string, err error) error {
	var invalid *school.Invalid
	if errors.As(err, &invalid) {
		return refuse(setting, "%s", invalid.Reason)
	}
	return err
}

type versionCommand struct{}

// Run says which version this is, as far as the build knows.
func (versionCommand) Run(con console) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version + " " + info.GoVersion
	}
	_, err := fmt.Fprintln(con.out, "lectern", version)
	return err
}
