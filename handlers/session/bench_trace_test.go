package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
)

// untraced is a visit without a trace, which is as much as a site needs that
// shows nothing of how it found out.
type untraced struct {
	backend session.Backend
	session *sessions.Session
	record  *session.Record
}

type untracedKey struct{}

// BenchmarkTrace measures what it costs to note the steps: each backend finds
// the same session with a trace and without one, by turns.
func BenchmarkTrace(b *testing.B) {
	const most = 3 // percent
	var all []contender
	var turns []func()
	for _, c := range backends(b) {
		// A ticket that is only looked at, and not exchanged by who looks, is
		// looked at once.
		if c.absent != "" || c.exchanges {
			continue
		}
		all = append(all, c)
		backend, v := c.backend, c.behindManager(b)
		name := backend.CookieNames()[0]
		template := httptest.NewRequest(http.MethodGet, "/", nil)
		template.Header.Set("Cookie", v.cookie)
		find := func(ctx context.Context) (*sessions.Session, *session.Record) {
			s, err := backend.New(template.WithContext(ctx), name)
			if err != nil {
				b.Fatal(err)
			}
			rec, ok := session.RecordOf(s)
			if !ok {
				b.Fatalf("%s finds nobody", c.name)
			}
			return s, rec
		}
		turns = append(turns,
			v.request(b, v.cookie),
			func() {
				visit := &session.Visit{}
				visit.Trace.Begin()
				find(session.WithVisit(template.Context(), visit))
			},
			func() {
				visit := &untraced{backend: backend}
				visit.session, visit.record = find(context.WithValue(template.Context(), untracedKey{}, visit))
			})
	}
	var nanos []float64
	for b.Loop() {
		nanos = rounds(40, 2000, turns)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%s\n\n%-15s %9s %9s %9s %7s %7s\n", machine(), "backend", "resolve", "trace", "bare", "adds %", "most %")
	for i, c := range all {
		whole, trace := nanos[3*i], nanos[3*i+1]-nanos[3*i+2]
		percent := 100 * trace / (whole - trace)
		fmt.Fprintf(&table, "%-15s %9.0f %9.0f %9.0f %7.1f %7d%s\n", c.name, whole, trace, whole-trace, percent, most, verdict(percent, most))
		b.ReportMetric(percent, c.name+"-%")
	}
	fmt.Print(table.String())
	b.ReportMetric(0, "ns/op")
}
