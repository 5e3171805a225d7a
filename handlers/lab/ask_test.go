package lab_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
	"lectern/handlers/session"
)

// TestAsk_isBounded: a call stands in the same line as the runs, and takes its time and
// no more.
func TestAsk_isBounded(t *testing.T) {
	account := lab.Call{Kind: session.JWT, Method: http.MethodGet, Path: "/account"}
	begun, goOn := make(chan struct{}), make(chan struct{})
	small := handlers.SmallWorlds(nil)
	slow := func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		begun <- struct{}{}
		<-goOn
		return small(ctx, plan)
	}
	l, err := lab.New(lab.Config{Now: time.Now, Bounds: lab.Bounds{Time: time.Minute, AtOnce: 1, Waiting: 0}, Build: slow})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { l.Run(t.Context(), "forge-a-token", lab.Watcher{}) })
	<-begun // it runs
	var full *lab.FullError
	if _, err := l.Ask(t.Context(), small, account); !errors.As(err, &full) || full.RetryAfter <= 0 {
		t.Errorf("who asks while a run goes on gets %v", err)
	}
	go func() {
		for range begun {
		}
	}()
	close(goOn)
	all.Wait()
	close(begun)
	if _, err := l.Ask(t.Context(), small, account); err != nil {
		t.Errorf("who asks afterwards gets %v", err)
	}

	l, err = lab.New(lab.Config{Now: time.Now, Bounds: lab.Bounds{Time: time.Nanosecond, AtOnce: 1}, Build: small})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Ask(t.Context(), small, account); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that takes too long gets %v", err)
	}
}

func TestAsk_asksAsThePerson(t *testing.T) {
	l := open(t)
	small := handlers.SmallWorlds(nil)
	for _, row := range []struct {
		says   string
		call   lab.Call
		status int
		role   string
		from   string
	}{
		{"nobody is led to the door", lab.Call{Kind: session.Database, Method: http.MethodGet, Path: "/account"}, 303, "", ""},
		{"nobody's script is told so", lab.Call{Kind: session.Database, Method: http.MethodGet, Path: "/account", Fetch: true}, 401, "", ""},
		{"a student is refused", lab.Call{Kind: session.JWT, Person: "ada", Method: http.MethodGet, Path: "/admin/users/{bea}"}, 403, "student", "token"},
		{"an admin is not", lab.Call{Kind: session.Database, Person: "alan", Method: http.MethodGet, Path: "/admin/users/{bea}"}, 200, "admin", "session"},
		{"a form is filled in", lab.Call{Kind: session.Hybrid, Person: "ada", Method: http.MethodPost, Path: "/account/password", Form: []lab.Field{{Name: "current", Value: "{password}"}, {Name: "new", Value: "three quiet herons at noon"}}}, 303, "student", "token"},
	} {
		x, err := l.Ask(t.Context(), small, row.call)
		if err != nil {
			t.Errorf("%s: %v", row.says, err)
			continue
		}
		if x.Response.Status != row.status || x.Trace.Role != row.role || x.Trace.From != row.from {
			t.Errorf("%s: %d, as %q from the %q", row.says, x.Response.Status, x.Trace.Role, x.Trace.From)
		}
	}
	for says, call := range map[string]lab.Call{
		"somebody who is not there": {Kind: session.JWT, Person: "zoe", Method: http.MethodGet, Path: "/"},
		"an address with a gap":     {Kind: session.JWT, Method: http.MethodGet, Path: "/admin/users/{zoe}"},
	} {
		if _, err := l.Ask(t.Context(), small, call); err == nil {
			t.Errorf("%s is no error", says)
		}
	}
}

// TestAsk_leavesNothing: each call has a world of its own, and none of them stays.
func TestAsk_leavesNothing(t *testing.T) {
	l, small := open(t), handlers.SmallWorlds(nil)
	join := lab.Call{Kind: session.Memory, Person: "bea", Method: http.MethodPost, Path: "/courses/knots/join"}
	lesson := lab.Call{Kind: session.Memory, Person: "bea", Method: http.MethodPost, Path: "/courses/knots/lessons/bowline/done"}
	ask := func(call lab.Call) int {
		x, err := l.Ask(t.Context(), small, call)
		if err != nil {
			t.Fatal(err)
		}
		return x.Response.Status
	}
	ask(join)
	goroutines := settled()
	for range 5 {
		if status := ask(join); status != http.StatusSeeOther {
			t.Errorf("she joins: %d", status)
		}
		if status := ask(lesson); status != http.StatusForbidden {
			t.Errorf("she has joined in another world: %d", status)
		}
	}
	if now := settled(); now > goroutines {
		t.Errorf("there were %d goroutines, and are %d", goroutines, now)
	}
}
