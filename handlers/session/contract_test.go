package session_test

import (
	"maps"
	"slices"
	"testing"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

// subjects are the backends that keep the contract, each in a row. A new kind
// of session is one row more.
var subjects = []struct {
	name   string
	limits []sessiontest.Limit
	open   func(*testing.T, sessiontest.Terms) sessiontest.Instance
}{
	{session.JWT, sessiontest.StatelessLimits(), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		return sessiontest.Instance{Backend: newToken(t, terms), Twin: newToken(t, terms)}
	}},
	{session.JWT + " signed with EdDSA", sessiontest.StatelessLimits(), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		return sessiontest.Instance{Backend: newTokenSigned(t, token.EdDSA, terms), Twin: newTokenSigned(t, token.EdDSA, terms)}
	}},
	{session.Memory, nil, func(_ *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		store := &moody{Store: serverstore.NewMemory()}
		return sessiontest.Instance{Backend: newServer(session.Memory, store, terms), Away: store.set}
	}},
	{session.Database, nil, func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		reader, writer := newSQLite(t)
		store := &moody{Store: newSQL(t, reader, writer)}
		return sessiontest.Instance{
			Backend: newServer(session.Database, store, terms),
			Twin:    newServer(session.Database, newSQL(t, reader, writer), terms),
			Away:    store.set,
		}
	}},
}

func TestBackends_keepTheContract(t *testing.T) {
	for _, subject := range subjects {
		for _, cookies := range []session.Cookies{{Secure: false}, {Secure: true}} {
			t.Run(subject.name+" over "+map[bool]string{false: "http", true: "https"}[cookies.Secure], func(t *testing.T) {
				findings := sessiontest.Run(sessiontest.Subject{
					Cookies: cookies,
					Open: func(terms sessiontest.Terms) (sessiontest.Instance, error) {
						return subject.open(t, terms), nil
					},
				})
				failed := map[string][]string{}
				for _, f := range findings {
					failed[f.Check] = append(failed[f.Check], f.Wrong)
				}
				for _, limit := range subject.limits {
					if failed[limit.Check] == nil {
						t.Errorf("the limit %q has disappeared; the list says: %s", limit.Check, limit.Why)
					}
					delete(failed, limit.Check)
				}
				for _, check := range slices.Sorted(maps.Keys(failed)) {
					for _, wrong := range failed[check] {
						t.Errorf("%s: %s", check, wrong)
					}
				}
			})
		}
	}
}

func TestStatelessLimits_nameChecks(t *testing.T) {
	seen := map[string]bool{}
	for _, limit := range sessiontest.StatelessLimits() {
		if !slices.Contains(sessiontest.Checks(), limit.Check) {
			t.Errorf("there is no check %q", limit.Check)
		}
		if seen[limit.Check] || limit.Why == "" {
			t.Errorf("the limit %q is there twice or has no reason", limit.Check)
		}
		seen[limit.Check] = true
	}
}
