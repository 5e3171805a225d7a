package handlers_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	replay     = "/lab/sign-out-then-replay"
	replayRuns = "/api/v1/lab/experiments/sign-out-then-replay/runs"
)

// foretold predicts everything for an experiment.
func (b *browser) foretold(experiment string) *browser {
	b.t.Helper()
	b.post(experiment+"/predict", "jwt", "refused", "server", "refused", "hybrid", "accepted").want(b.t, http.StatusSeeOther)
	return b
}

// rightReason finds the answer that explains an experiment, by trying.
func (b *browser) rightReason(experiment string) string {
	b.t.Helper()
	for i := 1; i <= 4; i++ {
		answered := b.post(experiment+"/explain", "because", strconv.Itoa(i)).want(b.t, http.StatusSeeOther)
		if strings.Contains(b.get(answered.location).main(), "Exactly.") {
			return strconv.Itoa(i)
		}
	}
	b.t.Fatal("no reason is the right one")
	return ""
}

func TestLab_refuses(t *testing.T) {
	s := newSite(t, "database")
	visitor := s.browser()
	visitor.post(replay+"/run").want(t, http.StatusConflict, "Say first what you expect")
	visitor.post(replay+"/predict", "jwt", "refused").want(t, http.StatusSeeOther)
	visitor.post(replay+"/run").want(t, http.StatusConflict)
	visitor.post(replay+"/explain", "because", "1").want(t, http.StatusConflict)
	visitor.foretold(replay).post(replay+"/run").want(t, http.StatusSeeOther)
	visitor.post(replay+"/predict", "jwt", "accepted").want(t, http.StatusConflict, "nothing left to predict")
	visitor.post(replay+"/explain", "because", "9").want(t, http.StatusUnprocessableEntity)
	visitor.post(replay+"/explain").want(t, http.StatusUnprocessableEntity)
	visitor.get(replay+"?run=aaaaaaaaaa").want(t, http.StatusOK, "That run is not kept any more")
	visitor.get(replay+"?run=../../etc").want(t, http.StatusOK, "That run is not kept any more")
	visitor.send(http.MethodPost, replay+"/run", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
}

// TestLab_isPredictedRunAndExplained walks one experiment from beginning to end,
// signed in and not.
func TestLab_isPredictedRunAndExplained(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		for _, b := range []*browser{s.browser(), s.enter(ada)} {
			b.get(replay).want(t, http.StatusOK, "Sign out, then replay the stolen cookie", "Locked until").lacks(t, "Went on for")
			b.foretold(replay)
			b.get(replay).want(t, http.StatusOK).lacks(t, "Locked until")
			ran := b.post(replay+"/run").want(t, http.StatusSeeOther)
			if !strings.HasPrefix(ran.location, replay+"?run=") {
				t.Fatalf("a run leads to %q", ran.location)
			}
			page := b.get(ran.location).want(t, http.StatusOK, "Accepted for 45 minutes more", "Refused: there is no such session", "Went on for", "1 minute", "lectern-refresh")
			for _, want := range []string{"lectern-jwt", "unknown-id", "handlers/session/cookiejwt/cookiejwt.go", `<span class="k">func</span>`} {
				if !strings.Contains(page.main(), want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			if n := strings.Count(page.main(), "so it was"); n != 2 {
				t.Errorf("%d predictions came true on the page, want 2 of 3", n)
			}
			b.rightReason(replay)
			// It is theirs without the address of the run, and a stranger's only with it.
			b.get(replay).want(t, http.StatusOK, "Accepted for 45 minutes more")
			s.browser().get(replay).want(t, http.StatusOK, "Locked until").lacks(t, "45 minutes more")
			s.browser().get(ran.location).want(t, http.StatusOK, "somebody else’s run", "Accepted for 45 minutes more")
			b.post(replay+"/reset").want(t, http.StatusSeeOther)
			b.get(replay).want(t, http.StatusOK, "Locked until").lacks(t, "45 minutes more")
		}
	})
}

// TestLab_keepsWhatAVisitorDid: what somebody predicted and ran before they signed
// in is theirs afterwards, and does not take the place of what they did before.
func TestLab_keepsWhatAVisitorDid(t *testing.T) {
	s := newSite(t, "database")
	her := s.as(ada).foretold(replay)
	her.post("/signout")
	her.post(replay+"/predict", "jwt", "accepted", "server", "accepted", "hybrid", "accepted")
	her.foretold("/lab/steal-the-cookie").post("/lab/steal-the-cookie/run").want(t, http.StatusSeeOther)
	her.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
	her.get("/lab/steal-the-cookie").want(t, http.StatusOK, seenRun).lacks(t, "Locked until")
	if her.cookie("lectern-lab") != "" {
		t.Error("the browser still keeps what the site keeps now")
	}
	chosen := regexp.MustCompile(`name="jwt"[^>]*value="refused"[^>]*checked|value="refused"[^>]*name="jwt"[^>]*checked|name="jwt" value="refused" checked`)
	if page := her.get(replay); !chosen.MatchString(page.main()) {
		t.Errorf("what she predicted herself is gone:\n%s", regexp.MustCompile(`<input[^>]*name="jwt"[^>]*>`).FindAllString(page.main(), -1))
	}
}

// TestLab_toleratesAnyCookie: the tally is the visitor's own, and nothing that
// stands in it is an error.
func TestLab_toleratesAnyCookie(t *testing.T) {
	s := newSite(t, "database")
	for _, cookie := range []string{"x", "....", strings.Repeat("a", 5000), "000aaa99e----------", "tpdrra00-%%%%%%%%%%", "tpdrra09-----------"} {
		s.browser().get(replay, "Cookie", "lectern-lab="+cookie).want(t, http.StatusOK, "Locked until")
	}
}

// TestLab_tellsARunWhileItHappens reads the events of a run.
func TestLab_tellsARunWhileItHappens(t *testing.T) {
	s := newSite(t, "hybrid")
	for _, b := range []*browser{s.browser(), s.enter(ada)} {
		b.foretold(replay)
		got := b.send(http.MethodPost, replay+"/run", "", "Accept", "text/event-stream").want(t, http.StatusOK,
			"event: column\ndata: {\"label\":\"JWT\",\"name\":\"jwt\"}", "event: step", `"line":"thief: GET /account (decides)","status":401`, "event: done")
		if got.header.Get("Content-Type") != "text/event-stream" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("it comes as %v", got.header)
		}
		_, data, _ := strings.Cut(got.body, "event: done\ndata: ")
		var done struct{ Href string }
		must(t, json.Unmarshal([]byte(strings.TrimSpace(data)), &done))
		b.get(done.Href).want(t, http.StatusOK, "Accepted for 45 minutes more", "so it was")
		b.get(replay).want(t, http.StatusOK, "Accepted for 45 minutes more")
	}
}

// TestLab_bounds: whoever runs too often is told to wait, and so is whoever comes
// when the lab is full; nothing that was predicted is lost.
func TestLab_bounds(t *testing.T) {
	s := newSite(t, "database")
	her := s.browser().foretold(replay)
	var refused answer
	for range 101 {
		if refused = her.send(http.MethodPost, "/api/v1/lab/experiments/read-the-payload/runs", ""); refused.status != http.StatusOK {
			break
		}
	}
	refused.problem(t, http.StatusTooManyRequests)
	if refused.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	page := her.post(replay+"/run").want(t, http.StatusTooManyRequests, "it is the others’ turn", "Sign out, then replay")
	if page.header.Get("Retry-After") == "" {
		t.Error("the page does not say when to come back")
	}
	s.clock.move(time.Minute)
	her.post(replay+"/run").want(t, http.StatusSeeOther)
}

// TestLab_programsRunItToo holds the names that the contract gives to a run.
func TestLab_programsRunItToo(t *testing.T) {
	s := newSite(t, "memory")
	got := s.browser().send(http.MethodPost, replayRuns, "").want(t, http.StatusOK)
	var run struct {
		Experiment string
		Columns    []struct {
			Name, Verdict string
			Status        int
			Measured      map[string]float64
			Exchanges     []struct {
				Who     string
				Decides bool
				Request struct {
					Method, Path string
					Headers      map[string]string
				}
				Response struct {
					Status  int
					Headers map[string]string
					Excerpt string
				}
			}
		}
		Why string
	}
	must(t, json.Unmarshal([]byte(got.body), &run))
	if run.Experiment != "sign-out-then-replay" || run.Why == "" || len(run.Columns) != 3 {
		t.Fatalf("the run is %+v", run)
	}
	jwt, database := run.Columns[0], run.Columns[1]
	if jwt.Name != "jwt" || jwt.Verdict != "accepted" || jwt.Status != 200 || jwt.Measured["store_reads"] != 0 || jwt.Measured["valid_for_seconds"] != 2700 || jwt.Measured["cookie_bytes"] < 300 {
		t.Errorf("the first column is %+v", jwt)
	}
	if database.Name != "database" || database.Verdict != "refused" || database.Status != 401 || database.Measured["store_reads"] != 1 {
		t.Errorf("the second column is %+v", database)
	}
	last := database.Exchanges[0]
	for _, x := range database.Exchanges {
		if x.Decides {
			last = x
		}
	}
	if last.Who != "thief" || last.Request.Method != "GET" || last.Request.Path != "/account" || last.Response.Status != 401 || last.Request.Headers["Cookie"] == "" || last.Response.Excerpt == "" {
		t.Errorf("the deciding exchange is %+v", last)
	}
}

// TestLab_touchesNobody: what happens in a small world changes nothing in the
// school that the lab is in.
func TestLab_touchesNobody(t *testing.T) {
	s := newSite(t, "redis")
	her, admin := s.as(ada), s.as(alan)
	before := admin.get("/admin/audit").main()
	users := admin.get("/admin/users").main()
	var all sync.WaitGroup
	for _, slug := range []string{"disable-the-account", "change-the-password", "demote-the-instructor", "sign-out-everywhere", "leak-the-secret", "restart-the-server"} {
		all.Go(func() {
			s.browser().send(http.MethodPost, "/api/v1/lab/experiments/"+slug+"/runs", "").want(t, http.StatusOK)
		})
	}
	all.Wait()
	her.get("/account").want(t, http.StatusOK)
	if after := admin.get("/admin/audit").main(); after != before {
		t.Error("the audit log has something to tell")
	}
	if after := admin.get("/admin/users").main(); after != users {
		t.Error("the list of people has changed")
	}
	if n := s.sessions.Counts(t.Context())["redis"]; n != 2 {
		t.Errorf("there are %d sessions in Redis, want 2", n)
	}
}
