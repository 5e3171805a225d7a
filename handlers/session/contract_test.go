package session_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/redistest"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

// subjects are the backends that keep the contract, each in a row. A new kind
// of session is one row more. What it cannot do is taken from where the page
// "What each kind of session can do" has it, so that the two cannot part.
var subjects = []struct {
	name   string
	limits []sessiontest.Limit
	open   func(*testing.T, sessiontest.Terms) sessiontest.Instance
}{
	{session.JWT, limitsOf(session.JWT, session.RevokeNone), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		return sessiontest.Instance{Backend: newToken(t, terms), Twin: newToken(t, terms), Rekeyed: newTokenSigned(t, token.HS256, changed, terms)}
	}},
	{"jwt with a cut-off", limitsOf(session.JWT, session.RevokeCutoff), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		book := newLedger(terms.School)
		return sessiontest.Instance{
			Backend: cookiejwt.NewCutoff(newToken(t, terms), book),
			Twin:    cookiejwt.NewCutoff(newToken(t, terms), book),
			Rekeyed: cookiejwt.NewCutoff(newTokenSigned(t, token.HS256, changed, terms), book),
			Away:    book.set,
		}
	}},
	{"jwt with a denylist", limitsOf(session.JWT, session.RevokeDenylist), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		book := newLedger(terms.School)
		return sessiontest.Instance{
			Backend: cookiejwt.NewDenylist(newToken(t, terms), book),
			Twin:    cookiejwt.NewDenylist(newToken(t, terms), book),
			Rekeyed: cookiejwt.NewDenylist(newTokenSigned(t, token.HS256, changed, terms), book),
			Away:    book.set,
		}
	}},
	{session.JWT + " signed with EdDSA", limitsOf(session.JWT, session.RevokeNone), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		return sessiontest.Instance{
			Backend: newTokenSigned(t, token.EdDSA, key, terms),
			Twin:    newTokenSigned(t, token.EdDSA, key, terms),
			Rekeyed: newTokenSigned(t, token.EdDSA, changed, terms),
		}
	}},
	{session.Memory, limitsOf(session.Memory, ""), func(_ *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		store := &moody{Store: serverstore.NewMemory()}
		return sessiontest.Instance{
			Backend: newServer(session.Memory, store, terms),
			Twin:    newServer(session.Memory, serverstore.NewMemory(), terms),
			Away:    store.set,
		}
	}},
	{session.Database, limitsOf(session.Database, ""), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		reader, writer := newSQLite(t)
		store := &moody{Store: newSQL(t, reader, writer)}
		return sessiontest.Instance{
			Backend: newServer(session.Database, store, terms),
			Twin:    newServer(session.Database, newSQL(t, reader, writer), terms),
			Away:    store.set,
		}
	}},
	{session.Redis, limitsOf(session.Redis, ""), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		server := miniredis.RunT(t)
		return onRedis(t, terms, "redis://"+server.Addr(), server.Close, func() {
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
		})
	}},
	{"redis-server", limitsOf(session.Redis, ""), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		server := redistest.Start(t)
		return onRedis(t, terms, server.URL(), server.Stop, server.Restart)
	}},
	{session.Hybrid, limitsOf(session.Hybrid, ""), func(t *testing.T, terms sessiontest.Terms) sessiontest.Instance {
		reader, writer := newSQLite(t)
		store := &moodyFamilies{Store: newFamilies(t, reader, writer)}
		return sessiontest.Instance{
			Backend: newHybrid(t, store, key, terms),
			Twin:    newHybrid(t, newFamilies(t, reader, writer), key, terms),
			Rekeyed: newHybrid(t, newFamilies(t, reader, writer), changed, terms),
			Away:    store.set,
		}
	}},
}

// onRedis is a backend on a Redis that can be stopped and started again. As
// soon as it is back, the time is over for which one that was silent is left
// alone.
func onRedis(t *testing.T, terms sessiontest.Terms, address string, stop, start func()) sessiontest.Instance {
	rest := sessiontest.NewClock()
	gone := false
	open := func() session.Backend { return newServer(session.Redis, newRedis(t, address, rest.Now), terms) }
	return sessiontest.Instance{Backend: open(), Twin: open(), Away: func(away bool) {
		switch {
		case away && !gone:
			stop()
		case !away && gone:
			start()
			rest.Move(time.Second)
		}
		gone = away
	}}
}

// limitsOf is what a page says that a kind cannot do.
func limitsOf(backend, revocation string) []sessiontest.Limit {
	limits, examined := sessiontest.LimitsOf(backend, revocation)
	if !examined {
		panic("nothing is said of " + backend + " " + revocation)
	}
	return limits
}

func TestBackends_keepTheContract(t *testing.T) {
	t.Attr("asvs", "3.3.1 3.3.2 3.3.3 3.3.4 3.3.5 7.2.1 7.2.2 7.2.4 7.3.1 7.3.2 7.4.1 7.4.3 7.4.5 7.5.2 8.3.2 10.4.5 10.4.8 14.3.3 15.4.1 16.5.3")
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

func TestLimits_nameChecks(t *testing.T) {
	for _, subject := range subjects {
		seen := map[string]bool{}
		for _, limit := range subject.limits {
			if !slices.Contains(sessiontest.Checks(), limit.Check) {
				t.Errorf("%s: there is no check %q", subject.name, limit.Check)
			}
			if seen[limit.Check] || limit.Why == "" {
				t.Errorf("%s: the limit %q is there twice or has no reason", subject.name, limit.Check)
			}
			if sessiontest.Meaning(limit.Check) == "" {
				t.Errorf("%s: nobody says what the check %q means", subject.name, limit.Check)
			}
			seen[limit.Check] = true
		}
	}
}
