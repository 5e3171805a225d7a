package main

import (
	"bufio"
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lectern/db"
	"lectern/db/school"
	"lectern/seed"
)

// runsProgram makes this test binary be the program, so that a test can kill
// it.
const runsProgram = "LECTERN_TEST_RUNS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(runsProgram) != "" {
		ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
		os.Exit(run(ctx, os.Args[1:], noEnvironment, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// start runs the program in a process of its own.
func start(t *testing.T, data string, settings ...string) (program *exec.Cmd, address string) {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, data, settings...)
}

// startWith does so after something about the process was changed.
func startWith(t *testing.T, change func(*exec.Cmd), data string, settings ...string) (program *exec.Cmd, address string) {
	t.Helper()
	program = exec.Command(os.Args[0], append([]string{"serve", "--demo", "--addr", "localhost:0", "--demo-provider-addr", "none", "--data", data}, settings...)...)
	program.Env = append(os.Environ(), runsProgram+"=1")
	change(program)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Process.Kill()
		_, _ = program.Process.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return program, strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
}

// TestKill_losesNoAcknowledgedJoin kills the program in the middle of 200 joins
// at once, each of somebody who is not in the course. Started again, it has
// every join that was answered, and every count is right.
func TestKill_losesNoAcknowledgedJoin(t *testing.T) {
	t.Attr("asvs", "2.3.3")
	const joins = 200
	data := filepath.Join(t.TempDir(), "data")
	program, address := start(t, data)
	before := studentsOf(t, data)
	pairs := notJoined(t, signInAll(t, address))
	if len(pairs) < joins {
		t.Fatalf("the demo has only %d joins left to do", len(pairs))
	}
	todo := make(chan join, joins)
	for _, pair := range pairs[:joins] {
		todo <- pair
	}
	close(todo)

	var (
		answered atomic.Int64
		mu       sync.Mutex
		done     []join
		all      sync.WaitGroup
	)
	for range joins {
		all.Go(func() {
			j := <-todo
			response, err := j.client.http.Post(address+"/courses/"+j.course+"/join", "application/x-www-form-urlencoded", nil)
			if err != nil {
				return // killed before the answer: nothing was promised
			}
			response.Body.Close()
			if response.StatusCode != http.StatusSeeOther {
				t.Errorf("join answered %d", response.StatusCode)
				return
			}
			mu.Lock()
			done = append(done, j)
			mu.Unlock()
			if answered.Add(1) == joins/2 {
				_ = program.Process.Kill()
			}
		})
	}
	all.Wait()
	if len(done) < joins/2 {
		t.Fatalf("only %d joins were answered", len(done))
	}

	_, again := start(t, data)
	if response, err := http.Get(again + "/readyz"); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("not ready after the restart: %v", err)
	}
	d, err := db.Open(t.Context(), filepath.Join(data, "lectern.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.CheckCounts(t.Context()); err != nil {
		t.Errorf("counts after the restart: %v", err)
	}
	joined := map[string]int{}
	for _, j := range done {
		joined[j.course]++
		course, err := d.CourseBySlug(t.Context(), j.course)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := d.Enrolment(t.Context(), j.client.user, course.ID); err != nil || !e.Joined() {
			t.Errorf("%s joined %s, and it is gone: %v", j.client.email, j.course, err)
		}
	}
	tried := map[string]int{}
	for _, pair := range pairs[:joins] {
		tried[pair.course]++
	}
	after := studentsOf(t, data)
	for course, was := range before {
		if now := after[course]; now < was+joined[course] || now > was+tried[course] {
			t.Errorf("%s had %d students, %d of %d joins were answered, and it has %d", course, was, joined[course], tried[course], now)
		}
	}
}

// studentsOf reads how many students each course has, by its slug.
func studentsOf(t *testing.T, data string) map[string]int {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(data, "lectern.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	students := map[string]int{}
	for _, c := range published(t) {
		course, err := d.CourseBySlug(t.Context(), c.Slug)
		if err != nil {
			t.Fatal(err)
		}
		students[c.Slug] = course.Students
	}
	return students
}

// published are the demo's courses that can be joined.
func published(t *testing.T) []db.SeedCourse {
	t.Helper()
	demo, err := seed.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(demo.Courses, func(c db.SeedCourse) bool { return c.Status != school.Published })
}

// notJoined pairs each client with each course that they are not in.
func notJoined(t *testing.T, clients []client) []join {
	t.Helper()
	demo, err := seed.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	type enrolment struct{ user, course school.ID }
	in := map[enrolment]bool{}
	for _, e := range demo.Enrolments {
		in[enrolment{e.User, e.Course}] = true
	}
	var pairs []join
	for _, course := range published(t) {
		for _, c := range clients {
			if !in[enrolment{c.user, course.ID}] {
				pairs = append(pairs, join{c, course.Slug})
			}
		}
	}
	return pairs
}

type client struct {
	email string
	user  school.ID
	http  *http.Client
}

type join struct {
	client client
	course string
}

// signInAll signs all demo students in.
func signInAll(t *testing.T, address string) []client {
	t.Helper()
	demo, err := seed.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var clients []client
	for _, u := range demo.Users {
		if u.Role != school.Student {
			continue
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		c := client{string(u.Email), u.ID, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
		response, err := c.http.PostForm(address+"/signin", url.Values{"email": {c.email}, "password": {seed.Password}})
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusSeeOther {
			t.Fatalf("sign in as %s: %d", c.email, response.StatusCode)
		}
		clients = append(clients, c)
	}
	return clients
}
