package session

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
)

// reissue starts a session in b that continues the visitor's sign-in, unless
// that was ended meanwhile.
func (m *Manager) reissue(w http.ResponseWriter, r *http.Request, v *Visit, b Backend) error {
	return m.proceed(w, r, v, b, v.record.before, func(*Record) {})
}

// Confirm gives the visitor a new id for the same session after they have proved once
// more who they are (ASVS 7.2.4, 7.5.1): by which methods, and as of when, stands in it
// from then on, in place of what stood there. The session may last as long as one that
// begins with a sign-in at that moment. Like Renew it returns ErrEnded for a session
// that has been ended meanwhile.
func (m *Manager) Confirm(w http.ResponseWriter, r *http.Request, methods []string, at time.Time) error {
	v := VisitFrom(r.Context())
	if v == nil || v.record == nil {
		return ErrNoSession
	}
	return m.proceed(w, r, v, v.backend, v.record.before, func(rec *Record) {
		rec.Methods, rec.AuthAt = methods, at
	})
}

// proceed starts a session in b that continues the visitor's sign-in: by the
// same person, with the role that they have now and what change makes of it. It asks
// over whether the end of the person's sessions concerns this one.
func (m *Manager) proceed(w http.ResponseWriter, r *http.Request, v *Visit, b Backend, over func(school.User) bool, change func(*Record)) error {
	rec := *v.record
	if recaller, ok := v.backend.(Recaller); ok {
		if err := recaller.Recall(r.Context(), &rec); err != nil {
			return err
		}
	}
	change(&rec)
	if err := m.begin(r.Context(), &rec, over); err != nil {
		return err
	}
	return m.replace(w, r, v, b, &rec, true)
}

// replace starts rec in b and then ends the session that the visitor came
// with, in this order: whoever cannot get the new one keeps the old one. It
// also clears the cookie of a kind that is not theirs any more.
//
// Where rec continues the old session, only the request that ended the old one
// may keep the new one. A slow request would otherwise continue a session that
// has been ended meanwhile.
func (m *Manager) replace(w http.ResponseWriter, r *http.Request, v *Visit, b Backend, rec *Record, continues bool) error {
	fresh := sessions.NewSession(b, m.cookies.Name(b.CookieNames()[0]))
	fresh.IsNew = true
	SetRecord(fresh, rec)
	sent := slices.Clone(w.Header()["Set-Cookie"])
	if err := b.Save(r, w, fresh); err != nil {
		return err
	}
	err := m.stands(r.Context(), rec)
	if err == nil && v.record != nil && !endsAllAlike(v.backend) {
		if err = discard(r, v.session); !continues && errors.Is(err, ErrEnded) {
			err = nil
		}
	}
	if err != nil {
		w.Header()["Set-Cookie"] = sent
		if endsAllAlike(b) {
			return err // nobody has the new one, and to end it would end all others
		}
		return errors.Join(err, discard(r, fresh))
	}
	if v.record != nil {
		m.exchanged.add(v.record.Handle, nil, m.now())
	}
	for _, other := range m.backends() {
		m.clear(w, r, other, b.CookieNames()...)
	}
	v.backend, v.session, v.record = b, fresh, rec
	v.Trace.Backend = b.Name()
	return nil
}

// endsAllAlike reports whether a backend can end a person's sessions, but not
// one of them alone.
func endsAllAlike(b Backend) bool {
	_, heeds := b.(Heeder)
	_, ends := b.(Ender)
	return heeds && !ends
}

// discard ends a session in its backend. The cookies are the Manager's own
// affair, so what the backend does about its cookie is sent nowhere.
func discard(r *http.Request, s *sessions.Session) error {
	over := *s
	over.Options = &sessions.Options{MaxAge: -1}
	return s.Store().Save(r, nowhere{}, &over)
}

// nowhere is a response that nobody gets.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
