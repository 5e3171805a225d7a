package sessiontest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"lectern/db/school"
)

// Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts on a Monday morning, at a full second.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)}
}

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock, back if d is negative.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// The people of a School.
const (
	Ada   school.ID = "adaadaadaadaadaadaadaadaad" // a student
	Grace school.ID = "gracegracegracegracegraceg" // an instructor
	Alan  school.ID = "alanalanalanalanalanalanal" // an admin
)

// School is as much of the school as a session.Manager asks for: its people
// and its settings, in memory.
type School struct {
	mu   sync.Mutex
	away bool
	// beforeEnd happens once, before the next end.
	beforeEnd func()
	users     map[school.ID]school.User
	settings  map[string]string
}

// NewSchool has three people in it: Ada, Grace and Alan.
func NewSchool() *School {
	s := &School{users: map[school.ID]school.User{}, settings: map[string]string{}}
	for _, u := range []school.User{
		{ID: Ada, Email: "ada@lectern.example", Name: "Ada Lovelace", Role: school.Student},
		{ID: Grace, Email: "grace@lectern.example", Name: "Grace Hopper", Role: school.Instructor},
		{ID: Alan, Email: "alan@lectern.example", Name: "Alan Turing", Role: school.Admin},
	} {
		s.users[u.ID] = u
	}
	return s
}

// Users lists the people by id, for a store that wants to know them first.
func (s *School) Users() []school.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := make([]school.User, 0, len(s.users))
	for _, id := range slices.Sorted(maps.Keys(s.users)) {
		users = append(users, s.users[id])
	}
	return users
}

// SetAway takes the people away, or brings them back: nobody can be asked for
// while they are.
func (s *School) SetAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

var errAway = errors.New("the school is away")

// User returns a person, or school.ErrNotFound.
func (s *School) User(_ context.Context, id school.ID) (school.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return school.User{}, errAway
	}
	u, ok := s.users[id]
	if !ok {
		return school.User{}, school.ErrNotFound
	}
	return u, nil
}

// EndSessions notes when a person's sessions were last ended. It returns the
// person as they were before.
func (s *School) EndSessions(_ context.Context, id school.ID, at time.Time) (school.User, error) {
	return s.end(id, func(u *school.User) { u.EndSessions(at) })
}

// EndTokens notes when a person's tokens were last ended.
func (s *School) EndTokens(_ context.Context, id school.ID, at time.Time) error {
	_, err := s.end(id, func(u *school.User) { u.EndTokens(at) })
	return err
}

// BeforeEnd has something happen once, just before the next end is noted.
func (s *School) BeforeEnd(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beforeEnd = do
}

func (s *School) end(id school.ID, end func(*school.User)) (school.User, error) {
	s.mu.Lock()
	first := s.beforeEnd
	s.beforeEnd = nil
	s.mu.Unlock()
	if first != nil {
		first()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return school.User{}, errAway
	}
	u, ok := s.users[id]
	if !ok {
		return school.User{}, school.ErrNotFound
	}
	before := u
	end(&u)
	s.users[id] = u
	return before, nil
}

// proved returns a person who has just shown their password, whether or not the
// people can be asked for now.
func (s *School) proved(id school.ID) school.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[id]
}

// Change changes a person.
func (s *School) Change(id school.ID, change func(*school.User)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	change(&u)
	s.users[id] = u
}

// Remove takes a person out of the school.
func (s *School) Remove(id school.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users, id)
}

// Setting returns what was set, or school.ErrNotFound.
func (s *School) Setting(_ context.Context, key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.settings[key]
	if !ok {
		return "", school.ErrNotFound
	}
	return value, nil
}

// SetSetting sets it.
func (s *School) SetSetting(_ context.Context, key, value string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings[key] = value
	return nil
}
