package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"lectern/db/school"
)

// Site is what an admin has chosen for everybody.
type Site struct {
	Backend string `json:"backend"`
	// CarryFrom names the backends whose sessions are exchanged for one of
	// Backend when their owners next come by.
	CarryFrom []string `json:"carry_from,omitempty"`
	// EndedAt is when an admin last ended everybody's sessions; zero if never.
	EndedAt time.Time `json:"ended_at,omitzero"`
	// SwitchedAt is when Backend was chosen; zero while it is the configured one.
	SwitchedAt time.Time `json:"switched_at,omitzero"`
	// Configured is the setting that was in force at the time. When the
	// operator changes the setting, the setting is the later word and wins.
	Configured string `json:"configured"`
}

// Settings is where the choice survives a restart.
type Settings interface {
	// Setting returns school.ErrNotFound for a key that was never set.
	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string, now time.Time) error
}

// cut is the moment before which tokens are refused. Tokens carry whole
// seconds, so it lies at the next one, and tokens issued from EndedAt on are
// dated there.
func (s Site) cut() time.Time { return s.EndedAt.Truncate(time.Second).Add(time.Second) }

// endedFor is the moment before which records of a backend are over, even if
// the one who ended them was stopped halfway. A Cutter sees to its own.
func (s Site) endedFor(b Backend) time.Time {
	if _, ok := b.(Cutter); ok {
		return time.Time{}
	}
	return s.EndedAt
}

const siteKey = "sessions"

// Existing says what becomes of people who are signed in when the site is
// switched.
type Existing string

const (
	Carry   Existing = "carry" // they get the new kind on their next request
	EndThem Existing = "end"   // they are signed out
)

// Switched says what a switch of the site did.
type Switched struct {
	Ended   int // server-side sessions that were ended
	Waiting int // server-side sessions that wait to be carried over
	// Tokens: there may be tokens out there, which nobody counts. They were all
	// refused at one stroke, or will be carried over, as was chosen.
	Tokens bool
}

// Site is the present choice.
func (m *Manager) Site() Site { return *m.site.Load() }

// Carried counts the sessions that were carried over since the last switch, as
// far as this server has seen them.
func (m *Manager) Carried() int { return int(m.carried.Load()) }

// Counts returns the number of sessions in each backend that can count.
func (m *Manager) Counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	for _, b := range m.backends {
		if counter, ok := b.(Counter); ok {
			n, err := counter.Count(ctx)
			if err != nil {
				return nil, err
			}
			counts[b.Name()] = n
		}
	}
	return counts, nil
}

// SwitchSite makes a backend the site's default. The admin who asks stays
// signed in, in the new kind, in this same response. With Carry, everyone
// whose session is of the old default keeps it until their next request and
// gets the new kind then; visitors who chose a backend of their own keep it.
// With EndThem, everybody else is signed out, whatever their kind.
func (m *Manager) SwitchSite(w http.ResponseWriter, r *http.Request, name string, existing Existing) (Switched, error) {
	b := m.backend(name)
	if b == nil {
		return Switched{}, ErrUnknownBackend
	}
	m.switching.Lock()
	defer m.switching.Unlock()
	// An admin who does not wait for the answer leaves nothing half done.
	ctx := context.WithoutCancel(r.Context())
	r = r.WithContext(ctx)
	now, before, v := m.now(), m.Site(), VisitFrom(ctx)
	next := Site{Backend: name, EndedAt: before.EndedAt, SwitchedAt: now, Configured: before.Configured}
	if existing == EndThem {
		next.EndedAt = now
	} else {
		next.CarryFrom = slices.DeleteFunc(append(slices.Clone(before.CarryFrom), before.Backend),
			func(from string) bool { return from == name })
		slices.Sort(next.CarryFrom)
		next.CarryFrom = slices.Compact(next.CarryFrom)
	}
	if err := m.saveSite(ctx, next); err != nil {
		return Switched{}, err
	}
	m.carried.Store(0)
	own := ""
	if v != nil && v.record != nil {
		own = v.record.Handle
	}
	result, err := m.settle(ctx, next, existing, own)
	if err != nil {
		return result, err
	}
	if own != "" {
		// The admin's own does not wait: it is exchanged in this request.
		if _, counted := v.backend.(Counter); counted && slices.Contains(next.CarryFrom, v.backend.Name()) {
			result.Waiting--
		}
		if err := m.reissue(w, r, v, b); err != nil {
			return result, err
		}
		m.remember(w, r, b)
	}
	return result, nil
}

// settle ends or counts the sessions there are, all but the admin's own.
func (m *Manager) settle(ctx context.Context, site Site, existing Existing, own string) (Switched, error) {
	var result Switched
	for _, b := range m.backends {
		if existing == EndThem {
			if cutter, ok := b.(Cutter); ok {
				cutter.RefuseBefore(site.cut())
				result.Tokens = true
			}
			if revoker, ok := b.(Revoker); ok {
				n, err := revoker.EndAll(ctx, own)
				if err != nil {
					return result, err
				}
				result.Ended += n
			}
			continue
		}
		if !slices.Contains(site.CarryFrom, b.Name()) {
			continue
		}
		counter, ok := b.(Counter)
		if !ok {
			result.Tokens = true
			continue
		}
		n, err := counter.Count(ctx)
		if err != nil {
			return result, err
		}
		result.Waiting += n
	}
	return result, nil
}

// carry exchanges a good session of a backend that the site has left for one
// of the visitor's backend. Someone who is not in the school any more, or may
// not sign in, is not carried.
func (m *Manager) carry(w http.ResponseWriter, r *http.Request, v *Visit) error {
	to, refused := v.backend, v.Trace.Reason
	for _, name := range m.Site().CarryFrom {
		from := m.backend(name)
		if from == nil || from == to {
			continue
		}
		if err := m.load(r, v, from); err != nil {
			return err
		}
		if v.record == nil {
			continue
		}
		v.backend = from
		if err := m.reissue(w, r, v, to); err != nil {
			v.backend, v.record = to, nil
			switch {
			case errors.Is(err, errClosed):
				v.Forget(Closed)
			case errors.Is(err, errNoSuchUser):
				v.Forget(NoSuchUser)
			case errors.Is(err, ErrEnded):
				v.Forget(Unknown)
			default:
				return fmt.Errorf("%w: %w", ErrUnavailable, err)
			}
			return nil
		}
		v.Trace.CarriedFrom, v.Trace.Reason = name, ""
		v.Trace.Done(&Work{"Carry over to " + to.Name(), CPU, "handlers/session/site.go"})
		m.carried.Add(1)
		return nil
	}
	if v.Trace.Reason == "" {
		v.Trace.Reason = refused
	}
	return nil
}

// Refresh reads the choice anew, for a server beside which another one has
// changed it.
func (m *Manager) Refresh(ctx context.Context) error {
	m.switching.Lock()
	defer m.switching.Unlock()
	return m.loadSite(ctx, m.Site().Configured)
}

func (m *Manager) loadSite(ctx context.Context, configured string) error {
	site := Site{Backend: configured, Configured: configured}
	value, err := m.settings.Setting(ctx, siteKey)
	switch {
	case errors.Is(err, school.ErrNotFound):
	case err != nil:
		return err
	default:
		var saved Site
		if err := json.Unmarshal([]byte(value), &saved); err != nil {
			return fmt.Errorf("session: saved setting %q: %w", siteKey, err)
		}
		site.EndedAt = saved.EndedAt
		if saved.Configured == configured && m.backend(saved.Backend) != nil {
			site = saved
		} else if err := m.saveSite(ctx, site); err != nil {
			return err
		}
	}
	for _, b := range m.backends {
		if cutter, ok := b.(Cutter); ok && !site.EndedAt.IsZero() {
			cutter.RefuseBefore(site.cut())
		}
	}
	m.site.Store(&site)
	return nil
}

func (m *Manager) saveSite(ctx context.Context, site Site) error {
	value, err := json.Marshal(site)
	if err != nil {
		return err
	}
	if err := m.settings.SetSetting(ctx, siteKey, string(value), m.now()); err != nil {
		return err
	}
	m.site.Store(&site)
	return nil
}
