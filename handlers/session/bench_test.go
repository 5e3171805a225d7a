package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session/sessiontest"
)

// What is measured: a request with a good cookie comes in, the user's id and
// role come out. The rows are run on one machine in one run, because only their
// ratios mean anything elsewhere.

// resolver finds out who sends a request.
type resolver struct {
	name    string
	resolve func(http.ResponseWriter, *http.Request) (user, role string)
	cookie  string // a signed-in visitor's Cookie header
	signIn  int    // bytes of the Set-Cookie headers that the sign-in sent
	trips   int    // how often the store is asked for one request
	absent  string // why it cannot be measured here; empty when it can
}

// bench is a response that nobody reads, and the place where a handler behind
// a middleware leaves what it found.
type bench struct {
	header    http.Header
	uid, role string
}

func (w *bench) Header() http.Header         { return w.header }
func (w *bench) Write(p []byte) (int, error) { return len(p), nil }
func (w *bench) WriteHeader(int)             {}

// signedIn completes a resolver with the cookies of the answer to a sign-in.
func (v resolver) signedIn(w *httptest.ResponseRecorder) resolver {
	v.cookie = held(w.Header())
	v.signIn = len(strings.Join(w.Header()["Set-Cookie"], ""))
	return v
}

// held is the Cookie header of a browser that got an answer with this header.
func held(header http.Header) string {
	lines := header["Set-Cookie"]
	pairs := make([]string, len(lines))
	for i, line := range lines {
		pairs[i], _, _ = strings.Cut(line, ";")
	}
	return strings.Join(pairs, "; ")
}

// keepingUp returns a resolver of which each request brings the cookies that
// the answer to the last one has set.
func (v resolver) keepingUp() resolver {
	resolve, cookie := v.resolve, v.cookie
	v.resolve = func(w http.ResponseWriter, r *http.Request) (string, string) {
		if r.Header["Cookie"] == nil {
			return resolve(w, r)
		}
		r.Header["Cookie"][0] = cookie
		user, role := resolve(w, r)
		cookie = held(w.Header())
		return user, role
	}
	return v
}

// request returns a function that sends the request once. gorilla writes into
// the request, so each time it is a new one, for all alike.
func (v resolver) request(b *testing.B, cookie string) func() {
	template := httptest.NewRequest(http.MethodGet, "/", nil)
	if cookie != "" {
		template.Header.Set("Cookie", cookie)
	}
	w := &bench{header: http.Header{}}
	return func() {
		r := new(http.Request)
		*r = *template
		uid, role := v.resolve(w, r)
		if cookie != "" && (uid != string(sessiontest.Ada) || role != string(school.Student)) {
			b.Fatalf("%s resolves %q, %q", v.name, uid, role)
		}
		clear(w.header)
	}
}

func (v resolver) run(b *testing.B, cookie string) {
	if v.absent != "" {
		b.Skip(v.absent)
	}
	b.ReportAllocs()
	request := v.request(b, cookie)
	for b.Loop() {
		request()
	}
}

func BenchmarkResolve(b *testing.B) {
	for _, v := range append(ours(b), rivals(b)...) {
		b.Run(v.name, func(b *testing.B) { v.run(b, v.cookie) })
	}
}

func BenchmarkResolve_withoutCookie(b *testing.B) {
	for _, v := range append(ours(b), rivals(b)...) {
		b.Run(v.name, func(b *testing.B) { v.run(b, "") })
	}
}

// machine says what a table was measured on.
func machine() string {
	return fmt.Sprintf("%s on %s/%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// rounds runs each of the turns again and again, all by turns, and returns the
// nanoseconds that one request took in the fastest round of each, so that a
// busy machine disturbs all alike. A round is long enough to have its share of
// the garbage collector's work.
func rounds(n, requests int, turns []func()) []float64 {
	best := make([]float64, len(turns))
	for range n {
		for i, request := range turns {
			begin := time.Now()
			for range requests {
				request()
			}
			if nanos := float64(time.Since(begin).Nanoseconds()) / float64(requests); best[i] == 0 || nanos < best[i] {
				best[i] = nanos
			}
		}
	}
	return best
}
