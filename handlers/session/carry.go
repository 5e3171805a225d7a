package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// carry exchanges a good session of a backend that the site has left for one
// of the visitor's backend. Someone who is not in the school any more, or may
// not sign in, is not carried. A browser that sends several requests at once
// gets the same new session with each of them.
func (m *Manager) carry(w http.ResponseWriter, r *http.Request, v *Visit, carryFrom []string) error {
	to, refused := v.backend, v.Trace.Reason
	if adopted, err := m.adopt(w, r, v, v.Trace.handle, carryFrom[0]); adopted || err != nil {
		return err
	}
	for _, name := range carryFrom {
		from := m.backend(name)
		if from == nil || from == to {
			continue
		}
		// It is not exchanged for another of its kind, because it ends in this request.
		if err := m.find(r, v, from); err != nil {
			return err
		}
		if v.record != nil {
			return m.carryFrom(w, r, v, from)
		}
		// It may be another request of this browser that is just being carried.
		m.carrying.Do(from.Name()+" "+v.Trace.handle, func() (any, error) { return nil, nil })
		if adopted, err := m.adopt(w, r, v, v.Trace.handle, name); adopted || err != nil {
			return err
		}
	}
	if v.Trace.Reason == "" {
		v.Trace.Reason = refused
	}
	return nil
}

func (m *Manager) carryFrom(w http.ResponseWriter, r *http.Request, v *Visit, from Backend) error {
	to, handle := v.backend, v.record.Handle
	if adopted, err := m.adopt(w, r, v, handle, from.Name()); adopted || err != nil {
		return err
	}
	v.backend = from
	first := false
	_, err, _ := m.carrying.Do(from.Name()+" "+handle, func() (any, error) {
		if m.exchanged.has(handle, m.now()) {
			return nil, nil
		}
		first = true
		if err := m.reissue(w, r.WithContext(context.WithoutCancel(r.Context())), v, to); err != nil {
			return nil, err
		}
		m.exchanged.add(handle, setting(w, m.cookies, to), m.now())
		m.carried.Add(1)
		return nil, nil
	})
	if err == nil && !first {
		v.backend, v.record = to, nil
		adopted, err := m.adopt(w, r, v, handle, from.Name())
		if !adopted && err == nil {
			v.Forget(Unknown)
		}
		return err
	}
	switch {
	case err == nil:
		v.Trace.CarriedFrom, v.Trace.Reason = from.Name(), ""
		v.Trace.Done(&Work{"Carry over to " + to.Name(), CPU, "handlers/session/carry.go"})
		return nil
	case errors.Is(err, errClosed):
		v.Forget(Closed)
	case errors.Is(err, errNoSuchUser):
		v.Forget(NoSuchUser)
	case errors.Is(err, ErrEnded):
		v.Forget(Unknown)
	default:
		v.backend, v.record = to, nil
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	v.backend = to
	return nil
}

// adopt gives a request that still came with the old session the successor that
// an earlier one was given a moment ago. It reports false where there is none,
// or none that is still good.
func (m *Manager) adopt(w http.ResponseWriter, r *http.Request, v *Visit, handle, from string) (bool, error) {
	lines, ok := m.exchanged.find(handle, m.now())
	if !ok || lines == nil {
		return false, nil
	}
	late := r.Clone(r.Context())
	late.Header.Del("Cookie")
	for _, line := range lines {
		if cookie, err := http.ParseSetCookie(line); err == nil {
			late.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	v.record = nil
	// The lines come first, so that what loading sends for the same cookie is the
	// later word.
	sent := slices.Clone(w.Header()["Set-Cookie"])
	w.Header()["Set-Cookie"] = append(w.Header()["Set-Cookie"], lines...)
	if err := m.load(w, late, v, v.backend); err != nil || v.record == nil {
		w.Header()["Set-Cookie"] = sent
		return false, err
	}
	v.Trace.CarriedFrom, v.Trace.Reason = from, ""
	return true, nil
}

// setting returns the lines of a response that set the cookies of a backend.
func setting(w http.ResponseWriter, cookies Cookies, b Backend) []string {
	var lines []string
	for _, line := range w.Header()["Set-Cookie"] {
		if slices.ContainsFunc(b.CookieNames(), func(name string) bool { return strings.HasPrefix(line, cookies.Name(name)+"=") }) {
			lines = append(lines, line)
		}
	}
	return lines
}

// mayBeCarried reports whether a ticket that leads nowhere may have been
// exchanged a moment ago, here or on another server, so that to clear its cookie
// would take the new one from the browser.
func (m *Manager) mayBeCarried(v *Visit) bool {
	return m.exchanged.has(v.Trace.handle, m.now()) || v.Trace.Reason == Unknown && len(m.Site().CarryFrom) > 0
}
