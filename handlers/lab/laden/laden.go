// Package laden makes kinds of session that carry more than who somebody is.
//
// It is tempting to keep in a session what every page needs: the list of somebody's
// courses, say. Here it can be tried with any kind. Each session that begins is given
// what there is to carry, and everything else about it is as it was.
//
// What is carried goes where a session has a list already: with the ways in which
// somebody proved who they are. So a token has it among its claims, and a record on
// the server has it in its row, as they would if it had a place of its own.
//
// Nothing but the lab imports this package.
package laden

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
)

// mark begins each thing that is carried, and no way to prove who one is.
const mark = "course-"

// New makes a kind of session carry what things returns, by name, when it begins.
// What it can do beside reading and writing cookies stays as it is for the kinds of
// this site; any other kind keeps no more than that.
func New(b session.Backend, things func() []string) session.Backend {
	switch b := b.(type) {
	case *cookiejwt.Backend:
		return token{b, things}
	case *serverstore.Backend:
		return ticket{b, things}
	case *hybrid.Backend:
		return both{b, things}
	}
	return other{b, things}
}

type (
	token struct {
		*cookiejwt.Backend
		things func() []string
	}
	ticket struct {
		*serverstore.Backend
		things func() []string
	}
	both struct {
		*hybrid.Backend
		things func() []string
	}
	other struct {
		session.Backend
		things func() []string
	}
)

// Save loads a session that begins.
func (b token) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	return b.Backend.Save(r, w, load(s, b.things))
}

// Save loads a session that begins.
func (b ticket) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	return b.Backend.Save(r, w, load(s, b.things))
}

// Save loads a session that begins.
func (b both) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	return b.Backend.Save(r, w, load(s, b.things))
}

// Save loads a session that begins.
func (b other) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	return b.Backend.Save(r, w, load(s, b.things))
}

// load puts the things into a session that begins, in place of those that it had
// when it went by another name.
func load(s *sessions.Session, things func() []string) *sessions.Session {
	rec, ok := session.RecordOf(s)
	if !ok || !s.IsNew {
		return s
	}
	rec.Methods = slices.DeleteFunc(slices.Clone(rec.Methods), func(m string) bool { return strings.HasPrefix(m, mark) })
	for _, thing := range things() {
		rec.Methods = append(rec.Methods, mark+thing)
	}
	return s
}
