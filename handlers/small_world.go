package handlers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/bearer"
	"lectern/handlers/lab"
	"lectern/handlers/message"
	"lectern/handlers/session"
	"lectern/handlers/session/kinds"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// SmallWorlds makes the sites that the lab runs its experiments on: this very
// application, on a school in memory. With a Redis, which may be nil, their
// sessions of that kind lie in it, apart from everybody else's.
func SmallWorlds(redis *serverstore.Redis) lab.Builder {
	return func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		w := &smallWorld{plan: plan, people: smallPeople, redis: redisOf(redis, plan)}
		if err := w.fill(ctx, smallSchool(plan.Now())); err != nil {
			return nil, err
		}
		return w, nil
	}
}

// redisOf is a world's own part of a Redis; nil where there is none.
func redisOf(redis *serverstore.Redis, plan lab.Plan) *serverstore.Redis {
	if redis == nil {
		return nil
	}
	return redis.Apart(plan.Name + "-" + hex.EncodeToString(randomBytes(6)))
}

// fill gives the world its school.
func (w *smallWorld) fill(ctx context.Context, data db.SeedData) error {
	var err error
	if w.db, err = db.OpenMemory(ctx, w.plan.Name); err != nil {
		return err
	}
	if _, err := w.db.Seed(ctx, data); err != nil {
		return errors.Join(err, w.db.Close())
	}
	return nil
}

func randomBytes(n int) []byte {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return raw
}

// smallWorld is a lab.Site.
type smallWorld struct {
	plan  lab.Plan
	db    *db.DB
	redis *serverstore.Redis
	// people are those of its school.
	people []school.User
	// whole makes a server have what one of an experiment has not: the lab, and what
	// there is in a demonstration only. It is nil for an experiment's.
	whole func(*Config)
	// servers are those that run, by name.
	servers map[string]*smallServer
}

type smallServer struct {
	kinds   kinds.Kinds
	manager *session.Manager
}

// Boot starts a server on the world's school.
func (w *smallWorld) Boot(ctx context.Context, name string, keys *token.Keyring) (http.Handler, error) {
	plan := w.plan
	cookies := session.Cookies{Secure: plan.Base.Scheme == "https"}
	tokens := token.NewIssuer(token.Config{Keys: keys, Site: plan.Base.String(), Now: plan.Now, Random: rand.Reader})
	config := kinds.Config{
		Reader: w.db.Reader(), Writer: w.db.Writer(), People: w.db,
		Tokens: tokens, Cookies: cookies, Lifetimes: plan.Lifetimes, Now: plan.Now, Random: rand.Reader,
		Records: plan.Records, Families: plan.Families,
	}
	if w.redis != nil {
		config.Redis = w.redis
	}
	all, err := kinds.New(ctx, config)
	if err != nil {
		return nil, err
	}
	if plan.Break != nil {
		broken, err := plan.Break(all, config)
		if err != nil {
			return nil, err
		}
		all.Replace(broken)
	}
	manager, err := session.NewManager(ctx, session.Config{
		Backends: all.Offered, Default: plan.Setup.Kind, Ladder: all.Ladder, Revocation: plan.Setup.Revocation,
		Cookies: cookies, Lifetimes: plan.Lifetimes, People: w.db, Settings: w.db, Choose: w.whole != nil, Now: plan.Now,
	})
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	seal, err := auth.NewSeal(randomBytes(auth.SealKeyBytes), rand.Reader)
	if err != nil {
		return nil, err
	}
	settings := Config{
		DB: w.db, Sessions: manager, Keys: keys, Log: log, Now: plan.Now, Random: rand.Reader, BaseURL: plan.Base,
		Ways: auth.NewWays(auth.WaysConfig{
			Store: w.db, Hasher: auth.NewPlayHasher(rand.Reader), Counts: auth.NewMemory(), BaseURL: plan.Base, Seal: seal, Random: rand.Reader, Now: plan.Now, Log: log,
		}),
		Messages:    message.New(message.Config{Store: w.db, Keep: true, Log: log, Now: plan.Now}),
		SignUps:     auth.NewLimiter(auth.SignUpByAddress, plan.Now),
		Tokens:      bearer.New(tokens, plan.Now),
		PasskeyAsks: auth.NewLimiter(auth.Limit{Name: "passkeys", Burst: 100, Per: time.Minute}, plan.Now),
		Watch:       plan.Watch,
	}
	if w.whole != nil {
		w.whole(&settings)
	}
	site, err := New(settings)
	if err != nil {
		return nil, err
	}
	if w.servers == nil {
		w.servers = map[string]*smallServer{}
	}
	w.servers[name] = &smallServer{all, manager}
	return site, nil
}

// Close takes the world down. What lies in Redis of it is cleared away.
func (w *smallWorld) Close() error {
	var err error
	if w.redis != nil && w.plan.Setup.Kind == session.Redis {
		// The run may be over because its time was; the clearing has time of its own.
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err = w.redis.DeleteAll(ctx, serverstore.Hash{})
	}
	return errors.Join(err, w.db.Close())
}

// Person finds somebody by first name.
func (w *smallWorld) Person(name string) (lab.Person, bool) {
	for _, p := range w.people {
		if first, _, _ := strings.Cut(p.Name, " "); strings.EqualFold(first, name) {
			return lab.Person{ID: p.ID, Name: p.Name, Email: string(p.Email), Password: smallPassword}, true
		}
	}
	return lab.Person{}, false
}

// Lesson finds a lesson's id by its slug.
func (w *smallWorld) Lesson(slug string) (school.ID, bool) {
	return smallLesson, slug == "bowline"
}

// smallLesson is the id of the lesson of every small world's course.
const smallLesson = "lessonlessonlessonlessonle"

// smallPassword is everybody's.
const smallPassword = "open sesame please"

// smallPeople are the people of every small world. Their ids say nothing about them,
// because a token is shown as it is, and must not give a name away.
var smallPeople = []school.User{
	{ID: "64cfsuosg2wpizzxxn7epgwzqx", Name: "Ada Byron", Email: "ada@lectern.example", Role: school.Student},
	{ID: "qc2sbl5vliinv5vz43f3a7icmf", Name: "Bea Okoye", Email: "bea@lectern.example", Role: school.Student},
	{ID: "2r7h63uzgrsqlvqknwnnysb4j4", Name: "Grace Murray", Email: "grace@lectern.example", Role: school.Instructor},
	{ID: "w33rgazcuizj4ofgircdc5adiq", Name: "Alan Mathison", Email: "alan@lectern.example", Role: school.Admin},
}

var smallHash = sync.OnceValue(func() string {
	hash, err := auth.NewPlayHasher(rand.Reader).Hash(context.Background(), smallPassword)
	if err != nil {
		panic(fmt.Sprintf("handlers: the small school's password: %v", err)) // no random numbers: nothing works
	}
	return hash
})

// smallSchool has four people and a course, since two months ago.
func smallSchool(now time.Time) db.SeedData {
	since := now.AddDate(0, -2, 0)
	var data db.SeedData
	for _, p := range smallPeople {
		p.CreatedAt = since
		data.Users = append(data.Users, db.SeedUser{User: p, PasswordHash: smallHash})
	}
	grace := school.Person{ID: smallPeople[2].ID, Name: smallPeople[2].Name}
	course := db.SeedCourse{Course: school.Course{
		ID: "knotsknotsknotsknotsknotsk", Slug: "knots", Title: "Knots", Summary: "Four knots and what each is for.", Description: "For everybody with a rope.",
		Topic: school.Topics[0], Level: school.Levels[0], Number: 1, Status: school.Published, Outcomes: []string{"Tie a bowline."},
		Owner: grace, Version: 1, CreatedAt: since, UpdatedAt: since, PublishedAt: since,
	}}
	chapter := db.SeedChapter{Chapter: school.Chapter{ID: "chapterchapterchapterchapt", CourseID: course.ID, Title: "Loops"}}
	chapter.Lessons = []school.Lesson{{
		LessonHead: school.LessonHead{ID: smallLesson, Slug: "bowline", Title: "The bowline", Kind: school.Reading, Status: school.Published, Preview: true, Minutes: 5},
		CourseID:   course.ID, ChapterID: chapter.ID, Body: "Make a small loop. The end comes up through it, round the back, and down again.", Version: 1, UpdatedAt: since, UpdatedBy: grace,
	}}
	course.Chapters = []db.SeedChapter{chapter}
	data.Courses = append(data.Courses, course)
	data.Enrolments = append(data.Enrolments, db.SeedEnrolment{User: smallPeople[0].ID, Course: course.ID, JoinedAt: since})
	return data
}
