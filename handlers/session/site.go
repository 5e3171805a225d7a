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
	// Revocation is the rung of the ladder on which tokens stand; empty without
	// a ladder.
	Revocation string `json:"revocation,omitempty"`
	// Configured and ConfiguredRevocation are the settings that were in force at
	// the time. When the operator changes a setting, the setting is the later
	// word and wins.
	Configured           string `json:"configured"`
	ConfiguredRevocation string `json:"configured_revocation,omitempty"`
}

// Settings is where the choice survives a restart.
type Settings interface {
	// Setting returns school.ErrNotFound for a key that was never set.
	Setting(ctx context.Context, key string) (string, error)
	SetSetting(ctx context.Context, key, value string, now time.Time) error
}

// From is the moment before which tokens are refused, because everybody's
// sessions were ended; tokens issued from EndedAt on are dated there. It is zero
// if they never were.
func (s Site) From() time.Time {
	if s.EndedAt.IsZero() {
		return time.Time{}
	}
	return wholeSecond(s.EndedAt)
}

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
	// Unreached names the backends in use whose store could not be asked.
	Unreached []string
}

// Site is the present choice.
func (m *Manager) Site() Site { return *m.site.Load() }

// Carried counts the sessions that were carried over since the last switch, as
// far as this server has seen them.
func (m *Manager) Carried() int { return int(m.carried.Load()) }

// Counts returns the number of sessions in each backend that can count. One
// whose store cannot be asked is left out.
func (m *Manager) Counts(ctx context.Context) map[string]int {
	counts := map[string]int{}
	for _, b := range m.backends() {
		if counter, ok := b.(Counter); ok {
			if n, err := counter.Count(ctx); err == nil {
				counts[b.Name()] = n
			}
		}
	}
	return counts
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
	if distant, ok := b.(Distant); ok && name != m.Site().Backend {
		// To leave for a store that is away would shut everybody out, the admin too.
		if err := distant.Reach(ctx); err != nil {
			return Switched{}, err
		}
	}
	// Another server may have chosen something a moment ago.
	if err := m.reload(ctx); err != nil {
		return Switched{}, err
	}
	now, before, v := m.now().Truncate(time.Millisecond), m.Site(), VisitFrom(ctx)
	next := before
	next.Backend, next.SwitchedAt, next.CarryFrom = name, now, nil
	if existing == EndThem {
		next.EndedAt = now
	} else {
		next.CarryFrom = leaving(before, name)
	}
	if err := m.saveSite(ctx, next); err != nil {
		return Switched{}, err
	}
	m.carried.Store(0)
	own := ""
	if v != nil && v.record != nil {
		own = v.record.Handle
	}
	result := m.settle(ctx, next, existing, own)
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

// settle ends or counts the sessions there are, all but the admin's own. What it
// cannot reach is refused all the same, by its date.
func (m *Manager) settle(ctx context.Context, site Site, existing Existing, own string) Switched {
	var result Switched
	for _, b := range m.backends() {
		n, err := 0, error(nil)
		if existing == EndThem {
			if cutter, ok := b.(Cutter); ok {
				cutter.RefuseBefore(site.From())
				result.Tokens = true
			}
			if revoker, ok := b.(Revoker); ok {
				n, err = revoker.EndAll(ctx, own)
				result.Ended += n
			}
		} else if slices.Contains(site.CarryFrom, b.Name()) {
			if counter, ok := b.(Counter); ok {
				n, err = counter.Count(ctx)
				result.Waiting += n
			} else {
				result.Tokens = true
			}
		}
		if err != nil && (m.reads(b.Name()) || slices.Contains(site.CarryFrom, b.Name())) {
			result.Unreached = append(result.Unreached, b.Name())
		}
	}
	return result
}

// Refresh reads the choice anew, for a server beside which another one has
// changed it.
func (m *Manager) Refresh(ctx context.Context) error {
	m.switching.Lock()
	defer m.switching.Unlock()
	return m.reload(ctx)
}

// reload reads the choice anew. The caller holds switching.
func (m *Manager) reload(ctx context.Context) error {
	return m.loadSite(ctx, m.Site(), false)
}

// loadSite reads what was last chosen. A server that starts with another setting
// than the one that was in force then has the later word, and carries over whom it
// finds signed in; one that is running follows whatever was chosen since.
func (m *Manager) loadSite(ctx context.Context, own Site, starting bool) error {
	site, saved := own, Site{}
	value, err := m.settings.Setting(ctx, siteKey)
	switch {
	case errors.Is(err, school.ErrNotFound):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal([]byte(value), &saved); err != nil {
			return fmt.Errorf("session: saved setting %q: %w", siteKey, err)
		}
		site = m.reconcile(own, saved, starting)
	}
	if starting && (saved.Configured != site.Configured || saved.ConfiguredRevocation != site.ConfiguredRevocation) {
		if err := m.saveSite(ctx, site); err != nil {
			return err
		}
	}
	for _, b := range m.backends() {
		if cutter, ok := b.(Cutter); ok && !site.EndedAt.IsZero() {
			cutter.RefuseBefore(site.From())
		}
	}
	m.apply(site)
	return nil
}

// reconcile puts together what was saved and what this server has.
func (m *Manager) reconcile(own, saved Site, starting bool) Site {
	site := saved
	if m.backend(saved.Backend) == nil || starting && saved.Configured != own.Configured {
		site.Backend, site.SwitchedAt = own.Backend, time.Time{}
		site.CarryFrom = leaving(saved, site.Backend)
	}
	if m.rung(saved.Revocation) == nil || starting && saved.ConfiguredRevocation != own.ConfiguredRevocation {
		site.Revocation = own.Revocation
	}
	if starting {
		site.Configured, site.ConfiguredRevocation = own.Configured, own.ConfiguredRevocation
	}
	return site
}

// leaving names the kinds whose sessions are carried over when the site goes from
// what it has to another kind.
func leaving(before Site, to string) []string {
	from := slices.DeleteFunc(append(slices.Clone(before.CarryFrom), before.Backend), func(from string) bool { return from == to })
	slices.Sort(from)
	return slices.Compact(from)
}

func (m *Manager) saveSite(ctx context.Context, site Site) error {
	value, err := json.Marshal(site)
	if err != nil {
		return err
	}
	if err := m.settings.SetSetting(ctx, siteKey, string(value), m.now()); err != nil {
		return err
	}
	m.apply(site)
	return nil
}
