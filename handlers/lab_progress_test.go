package handlers_test

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/auth"
	"lectern/handlers/lab"
	"lectern/handlers/session"
)

const (
	noRunYet  = "Comes after the run"
	runIsGone = "That run is not kept any more"
	seenRun   = `class="lanes results"`
)

// interrupted has a site's runs come to a point, once for each call of what is
// returned, where something else happens before they go on, or fail with its error.
func (s *site) interrupted() func(func() error) {
	s.t.Helper()
	var meanwhile atomic.Pointer[func() error]
	build := handlers.SmallWorlds(nil)
	experiments, err := lab.New(lab.Config{
		Now: s.clock.Now, Bounds: lab.Bounds{Time: time.Minute, AtOnce: 1, Waiting: 100},
		Build: func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
			if do := meanwhile.Swap(nil); do != nil {
				if err := (*do)(); err != nil {
					return nil, err
				}
			}
			return build(ctx, plan)
		},
	})
	must(s.t, err)
	s.Lab = experiments
	return func(do func() error) { meanwhile.Store(&do) }
}

// sweepRuns clears all runs away.
func (s *site) sweepRuns() {
	s.t.Helper()
	_, err := s.db.Writer().Exec(`DELETE FROM lab_runs`)
	must(s.t, err)
}

// streamed is a run as a stream of events. Once its first words are there, meanwhile
// happens, and then it goes on.
func (b *browser) streamed(experiment string, interrupt func(func() error), meanwhile func() error) string {
	b.t.Helper()
	goOn := make(chan error, 1)
	interrupt(func() error { return <-goOn })
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.url+experiment+"/run", nil)
	must(b.t, err)
	r.Header.Set("Accept", "text/event-stream")
	response, err := b.client.Do(r) // the browser has its cookie by now
	must(b.t, err)
	defer response.Body.Close()
	goOn <- meanwhile()
	text, err := io.ReadAll(response.Body)
	must(b.t, err)
	return string(text)
}

// TestLab_whatHappensDuringARunStands: a run takes its time, and what its visitor does
// meanwhile is not taken back by its end.
func TestLab_whatHappensDuringARunStands(t *testing.T) {
	s := newSite(t, "memory")
	interrupt := s.interrupted()
	visitor, her, learner := s.browser(), s.enter(ada), s.enter(bea)
	// Two ways in which a run goes on beside something else. What is sent as one answer
	// cannot know what the cookie says by its end.
	streams := func(b *browser) func(func() error) {
		return func(do func() error) { b.streamed(firstCard, interrupt, do) }
	}
	for name, way := range map[string]struct {
		b   *browser
		run func(func() error)
	}{
		"a visitor's stream": {visitor, streams(visitor)},
		"a stream":           {her, streams(her)},
		"one answer": {learner, func(do func() error) {
			interrupt(do)
			learner.post(firstCard+"/run").want(t, http.StatusSeeOther)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b, whileItRuns := way.b, way.run
			meanwhile := func(path string, fields ...string) func() error {
				return func() error {
					if got := b.post(firstCard+path, fields...); got.status != http.StatusSeeOther {
						t.Errorf("%s during a run comes to %d", path, got.status)
					}
					return nil
				}
			}
			b.post(firstCard+"/predict", "jwt", "refused", "server", "accepted", "hybrid", "refused")
			whileItRuns(meanwhile("/reset"))
			b.get(firstCard).want(t, http.StatusOK, "Locked until", noRunYet)

			b.post(firstCard+"/predict", "jwt", "refused", "server", "accepted", "hybrid", "refused")
			whileItRuns(meanwhile("/predict", "jwt", "accepted"))
			page := b.get(firstCard).want(t, http.StatusOK, seenRun).lacks(t, noRunYet)
			if n := strings.Count(page.main(), "so it was"); n != 2 {
				t.Errorf("%d predictions came true, want those of the end, 2", n)
			}
			b.get("/lab").want(t, http.StatusOK, "Guessed right", "2 of 3")

			before := b.seen(firstCard)
			whileItRuns(meanwhile("/explain", "because", s.right("steal-the-cookie")))
			if after := b.seen(firstCard); after == before {
				t.Error("the second run is not theirs")
			}
			if !b.hasExplained("steal-the-cookie") {
				t.Error("what was explained during a second run is not explained after it")
			}
		})
	}
}

// seen is the run on a visitor's page of an experiment.
func (b *browser) seen(experiment string) string {
	b.t.Helper()
	return between(b.get(experiment).main(), "?run=", "#")
}

// hasExplained reports whether the scoreboard lists an experiment as explained.
func (b *browser) hasExplained(slug string) bool {
	b.t.Helper()
	_, row, _ := strings.Cut(b.get("/lab").main(), `href="/lab/`+slug+`"`)
	row, _, _ = strings.Cut(row, "</li>")
	return strings.Contains(row, "Explained")
}

// TestLab_whoseRunIsGoneBeginsAnew: a run that is not kept can be neither looked at nor
// explained, and is no reason not to predict.
func TestLab_whoseRunIsGoneBeginsAnew(t *testing.T) {
	s := newSite(t, "memory")
	s.addLesson("Stealing", "lab", labText)
	for _, b := range []*browser{s.browser(), s.enter(ada)} {
		b.ran("steal-the-cookie")
		gone := b.seen(firstCard)
		s.sweepRuns()
		b.get(firstCard).want(t, http.StatusOK, noRunYet).lacks(t, seenRun, "disabled", runIsGone)
		b.get(firstCard+"?run="+gone).want(t, http.StatusOK, noRunYet, runIsGone)
		b.get(labPath).want(t, http.StatusOK, `data-state="predicted"`).lacks(t, `data-state="run"`)
		b.get("/lab").want(t, http.StatusOK, "0 of ").lacks(t, "Guessed right")
		b.post(firstCard+"/explain", "because", s.right("steal-the-cookie")).want(t, http.StatusConflict, "nothing to explain")
		b.post(firstCard+"/predict", "hybrid", "accepted").want(t, http.StatusSeeOther)
		b.post(firstCard+"/run").want(t, http.StatusSeeOther)
		if n := strings.Count(b.get(firstCard).main(), "so it was"); n != 3 {
			t.Errorf("%d predictions came true, want 3", n)
		}
		b.post(firstCard+"/explain", "because", s.right("steal-the-cookie")).want(t, http.StatusSeeOther)
	}
}

// TestLab_aRunThatFailsIsNone: whoever has seen one before sees that, and who has not
// can still predict.
func TestLab_aRunThatFailsIsNone(t *testing.T) {
	s := newSite(t, "memory")
	interrupt := s.interrupted()
	fail := func() error { return errors.New("the machine is on fire") }
	for _, b := range []*browser{s.browser(), s.enter(ada)} {
		b.post(firstCard+"/predict", "jwt", "accepted", "server", "accepted", "hybrid", "refused")
		failed := func() {
			t.Helper()
			if events := b.streamed(firstCard, interrupt, fail); !strings.Contains(events, "event: failed") {
				t.Errorf("the stream says %s", events)
			}
		}
		failed()
		b.get(firstCard).want(t, http.StatusOK, noRunYet).lacks(t, runIsGone, seenRun)
		b.post(firstCard+"/explain", "because", s.right("steal-the-cookie")).want(t, http.StatusConflict)
		b.post(firstCard+"/predict", "jwt", "refused").want(t, http.StatusSeeOther)

		b.post(firstCard+"/run").want(t, http.StatusSeeOther)
		before := b.seen(firstCard)
		failed()
		if after := b.seen(firstCard); after != before || before == "" {
			t.Errorf("the page shows run %q, and showed %q", after, before)
		}
		b.get("/lab").want(t, http.StatusOK, "1 of 3")
		b.post(firstCard+"/predict", "jwt", "accepted").want(t, http.StatusConflict)
		b.post(firstCard+"/explain", "because", s.right("steal-the-cookie")).want(t, http.StatusSeeOther)
	}
	// What failed before somebody signed in is no run of theirs afterwards either.
	visitor := s.browser()
	visitor.ran("steal-the-cookie")
	before := visitor.seen(firstCard)
	visitor.streamed(firstCard, interrupt, fail)
	visitor.post("/signin", "email", rob, "password", password).want(t, http.StatusSeeOther)
	if after := visitor.seen(firstCard); after != before {
		t.Errorf("signed in, the page shows run %q, and showed %q", after, before)
	}
}

// TestLab_aPageThatCouldNotRunIsAsItWas: somebody who has to wait for another run still
// sees the one they had.
func TestLab_aPageThatCouldNotRunIsAsItWas(t *testing.T) {
	s := newSite(t, "memory")
	s.LabRuns = auth.NewLimiter(auth.Limit{Name: "lab", Burst: 2, Per: time.Minute}, s.clock.Now)
	for _, b := range []*browser{s.browser(), s.enter(ada)} {
		b.ran("steal-the-cookie")
		before := b.seen(firstCard)
		b.post(firstCard+"/run").want(t, http.StatusSeeOther)
		before, was := b.seen(firstCard), before
		if before == was {
			t.Fatal("the second run is not theirs")
		}
		busy := b.post(firstCard+"/run").want(t, http.StatusTooManyRequests, "it is the others’ turn", seenRun).lacks(t, noRunYet)
		if !strings.Contains(busy.main(), "?run="+before) {
			t.Error("the page does not show the run that was theirs")
		}
		if after := b.seen(firstCard); after != before {
			t.Errorf("afterwards it shows run %q, and showed %q", after, before)
		}
		s.clock.move(time.Minute)
	}
}

// TestLab_showsARunUnderItsOwnAddressOnly: the address of one experiment with the run
// of another shows nothing.
func TestLab_showsARunUnderItsOwnAddressOnly(t *testing.T) {
	s := newSite(t, "memory")
	b := s.browser()
	b.ran("steal-the-cookie")
	run := b.seen(firstCard)
	for _, b := range []*browser{b, s.browser()} {
		b.get(firstCard+"?run="+run).want(t, http.StatusOK, seenRun)
		b.get(secondCard+"?run="+run).want(t, http.StatusOK, runIsGone, noRunYet).lacks(t, seenRun)
	}
	// Nor does a cookie make one of it: it says what anybody wants.
	tally := b.cookie("lectern-lab")
	b.ran("tamper-with-the-role")
	_, second, _ := strings.Cut(b.cookie("lectern-lab"), ".")
	if len(tally) != 19 || len(second) != 19 {
		t.Fatalf("the tallies are %q and %q", tally, second)
	}
	if strings.HasPrefix(second, tally[:3]) {
		second, _, _ = strings.Cut(b.cookie("lectern-lab"), ".")
	}
	for _, runs := range []string{run, run + run} {
		s.browser().get(secondCard, "Cookie", "lectern-lab="+second[:9]+runs).want(t, http.StatusOK, noRunYet).lacks(t, seenRun, "disabled")
	}
}

var curlMe = regexp.MustCompile(`curl -s (?:-i )?-H '([^':]+): ([^']+)' -b '([^']+)' (\S+/api/v1/me)`)

// TestLab_whatToDoYourselfWorks takes the line from the page of an experiment, and puts
// in what it says to put in.
func TestLab_whatToDoYourselfWorks(t *testing.T) {
	for _, backend := range tried() {
		for _, site := range []string{session.Database, session.JWT} {
			t.Run(backend+" at a site of "+site, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, site)
				b := s.browser()
				b.post("/session/backend", "backend", backend).want(t, http.StatusSeeOther)
				b.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
				b.ran("steal-the-cookie")
				page := html.UnescapeString(b.get(firstCard).main())
				line := curlMe.FindStringSubmatch(page)
				if line == nil {
					t.Fatalf("no line on the page:\n%s", between(page, "curl", "</code>"))
				}
				header, value, cookies, address := line[1], line[2], line[3], line[4]
				asks := func(cookies string) (int, string) {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
					must(t, err)
					r.Header.Set(header, value)
					if cookies != "" {
						r.Header.Set("Cookie", cookies)
					}
					response, err := http.DefaultClient.Do(r)
					must(t, err)
					defer response.Body.Close()
					body, err := io.ReadAll(response.Body)
					must(t, err)
					return response.StatusCode, string(body)
				}
				if status, body := asks(""); status != http.StatusUnauthorized {
					t.Errorf("without a cookie it comes to %d %s", status, body)
				}
				if status, body := asks(cookies); status != http.StatusUnauthorized {
					t.Errorf("as it stands on the page, %s comes to %d %s", cookies, status, body)
				}
				filled := b.filled(cookies)
				if filled == cookies {
					t.Fatalf("there is nothing to put in: %s", cookies)
				}
				if status, body := asks(filled); status != http.StatusOK || !strings.Contains(body, ada) {
					t.Errorf("%s comes to %d %s", cookies, status, body)
				}
			})
		}
	}
}

// filled puts the values of the browser's own cookies where a line has none.
func (b *browser) filled(cookies string) string {
	b.t.Helper()
	pairs := strings.Split(cookies, "; ")
	for i, pair := range pairs {
		if name, value, _ := strings.Cut(pair, "="); value == "PASTE-THE-VALUE-HERE" {
			u, err := url.Parse(b.site.url)
			must(b.t, err)
			for _, c := range b.client.Jar.Cookies(u) {
				if c.Name == name {
					pairs[i] = name + "=" + c.Value
				}
			}
			if strings.HasSuffix(pairs[i], value) {
				b.t.Errorf("the line asks for %s, which the browser has not", name)
			}
		}
	}
	return strings.Join(pairs, "; ")
}
