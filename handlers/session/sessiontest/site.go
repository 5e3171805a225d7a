package sessiontest

import (
	"errors"
	"fmt"
	"net/http"

	"lectern/db/school"
	"lectern/handlers/session"
)

// Act is one thing that a request does to a session, after it was loaded.
// Manager.End and Manager.Renew are Acts.
type Act func(w http.ResponseWriter, r *http.Request) error

// Site is the smallest site that has sessions: it loads the visitor's session,
// does what was asked, and answers 200 to a member, 401 to a stranger, 503 when
// the store is away and 500 on other trouble, a panic among it.
type Site struct {
	Manager *session.Manager
	School  *School
	Clock   *Clock
}

// errand travels with a request: what is to be done, and what came of it.
type errand struct {
	act    Act
	answer *Answer
}

type errandKey struct{}

var errPanic = errors.New("the backend panics")

func (s Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := r.Context().Value(errandKey{}).(errand)
	defer func() {
		if p := recover(); p != nil {
			e.answer.Err = fmt.Errorf("%w: %v", errPanic, p)
			w.WriteHeader(http.StatusInternalServerError)
		}
	}()
	r, visit, err := s.Manager.Load(w, r)
	if err == nil && e.act != nil {
		err = e.act(w, r)
	}
	e.answer.Record, e.answer.SignedIn = visit.Record()
	e.answer.Trace, e.answer.Err = visit.Trace, err
	switch {
	case errors.Is(err, session.ErrUnavailable):
		w.WriteHeader(http.StatusServiceUnavailable)
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
	case !e.answer.SignedIn:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// SignIn starts a session for somebody who has just shown their password.
func (s Site) SignIn(id school.ID, o session.StartOptions) Act {
	return s.signIn(id, o, "pwd")
}

func (s Site) signIn(id school.ID, o session.StartOptions, methods ...string) Act {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.Manager.Start(w, r, session.Identity{UserID: id, Role: s.School.proved(id).Role, Methods: methods, AuthAt: s.Clock.Now()}, o)
	}
}
