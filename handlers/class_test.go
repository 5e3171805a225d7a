package handlers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// replaySlug is that of an experiment in which the JWT is accepted, and so at first the hybrid,
// and the server session refused.
const replaySlug = "sign-out-then-replay"

// opens has somebody open a class and ask it an experiment; none if that is empty.
func (b *browser) opens(experiment string) school.ClassCode {
	b.t.Helper()
	got := b.post("/lab/class", "experiment", experiment).want(b.t, http.StatusSeeOther)
	code, err := school.ParseClassCode(strings.TrimPrefix(got.location, "/lab/class/"))
	if err != nil {
		b.t.Fatalf("a class is opened at %q", got.location)
	}
	return code
}

// comesIn is a learner who has a class on their telephone.
func (s *site) comesIn(code school.ClassCode) *browser {
	s.t.Helper()
	b := s.browser()
	b.get("/c/"+string(code)).want(s.t, http.StatusOK)
	return b
}

// predicts sends a prediction as the script does.
func (b *browser) predicts(code school.ClassCode, round int, fields ...string) answer {
	b.t.Helper()
	form := "round=" + strconv.Itoa(round)
	for i := 0; i+1 < len(fields); i += 2 {
		form += "&" + fields[i] + "=" + fields[i+1]
	}
	return b.send(http.MethodPost, "/c/"+string(code)+"/predict", form, "Content-Type", "application/x-www-form-urlencoded", "Accept", "application/json")
}

func (s *site) class(code school.ClassCode) db.Class {
	s.t.Helper()
	class, err := s.db.Class(s.t.Context(), code)
	must(s.t, err)
	return class
}

func TestClass_isLedByWhoseItIs(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		for _, row := range []struct {
			who        string
			page, form int
		}{{"", 303, 401}, {ada, 403, 403}} {
			b := s.enter(row.who)
			b.get("/lab/class").want(t, row.page)
			b.post("/lab/class", "experiment", replaySlug).want(t, row.form)
		}
		code := s.enter(grace).opens(replaySlug)
		at := "/lab/class/" + string(code)
		for _, row := range []struct {
			who        string
			page, form int
		}{{"", 303, 401}, {ada, 403, 403}, {bea, 403, 403}, {rob, 404, 404}} {
			b := s.enter(row.who)
			b.get(at).want(t, row.page).lacks(t, "Close predictions")
			b.get(at+"/events").want(t, row.page)
			for _, form := range [][]string{{"/run", "round", "1"}, {"/ask", "experiment", replaySlug}, {"/tally", "tally", "hidden"}, {"/end"}} {
				b.post(at+form[0], form[1:]...).want(t, row.form)
			}
		}
		// A student learns nothing about codes from the address of those who lead.
		s.enter(ada).get("/lab/class/34679").want(t, http.StatusForbidden)
		s.enter(rob).get("/lab/class/34679").want(t, http.StatusNotFound)
		if class := s.class(code); class.Phase != db.ClassAsking || class.Round != 1 || class.Hidden || class.Over(s.clock.Now()) {
			t.Errorf("whoever was refused changed the class: %+v", class)
		}
		s.enter(alan).get(at).want(t, http.StatusOK, "Close predictions and run")
		s.enter(grace).get(at).want(t, http.StatusOK, "Close predictions and run", string(code), "/c</p>", "leads nowhere from another machine")
		s.enter(grace).get("/lab/class").want(t, http.StatusOK, "Class "+string(code))
		s.enter(rob).get("/lab/class").want(t, http.StatusOK).lacks(t, "Class "+string(code))
	})
}

func TestClass_takesNoGarbage(t *testing.T) {
	s := newSite(t, session.Database)
	teacher := s.enter(grace)
	code := teacher.opens(replaySlug)
	at := "/lab/class/" + string(code)
	teacher.post("/lab/class", "experiment", "no-such").want(t, http.StatusUnprocessableEntity)
	teacher.post(at+"/ask", "experiment", "no-such").want(t, http.StatusUnprocessableEntity)
	teacher.post(at+"/ask").want(t, http.StatusUnprocessableEntity)
	teacher.post(at+"/tally", "tally", "both").want(t, http.StatusUnprocessableEntity)
	teacher.post(at+"/run", "round", "x").want(t, http.StatusConflict)
	teacher.post(at+"/run", "round", "7").want(t, http.StatusConflict, "moved on")

	visitor := s.browser()
	for _, wrong := range []string{"34679", "K7M3O", "x", strings.Repeat("K", 200), "%00", "..%2f"} {
		visitor.get("/c/"+wrong).want(t, http.StatusNotFound, "No class has this code", `name="code"`)
		visitor.send(http.MethodPost, "/c/"+wrong+"/predict", "").want(t, http.StatusNotFound)
		visitor.get("/c/"+wrong+"/events").want(t, http.StatusNotFound)
	}
	visitor.get("/c").want(t, http.StatusOK, `name="code"`).lacks(t, "Open one here")
	teacher.get("/c").want(t, http.StatusOK, "Open one here")
	visitor.get("/c?code=").want(t, http.StatusUnprocessableEntity, "Type the code")
	visitor.get("/c?code=%3Cb%3E").want(t, http.StatusUnprocessableEntity, "five signs", "&lt;b&gt;")
	visitor.get("/c?code=HELLO").want(t, http.StatusUnprocessableEntity, "no vowels", `value="HELLO"`)
	if got := visitor.get("/c?code=+"+strings.ToLower(string(code))+"+").want(t, http.StatusSeeOther); got.location != "/c/"+string(code) {
		t.Errorf("the door leads to %q", got.location)
	}

	learner := s.comesIn(code)
	learner.predicts(code, 1).want(t, http.StatusUnprocessableEntity, "Choose one of the two")
	learner.predicts(code, 1, "jwt", "maybe").want(t, http.StatusUnprocessableEntity)
	learner.predicts(code, 1, "abacus", "accepted").want(t, http.StatusUnprocessableEntity)
	learner.predicts(code, 2, "jwt", "accepted").want(t, http.StatusConflict)
	learner.predicts(code, -1, "jwt", "accepted").want(t, http.StatusConflict)
	s.browser().predicts(code, 1, "jwt", "accepted").want(t, http.StatusConflict, "did not keep the one cookie")
	s.browser().send(http.MethodPost, "/c/"+string(code)+"/predict", "round=1&jwt=accepted", "Content-Type", "application/x-www-form-urlencoded", "Cookie", "lectern-class=x").want(t, http.StatusConflict)
	learner.send(http.MethodPost, "/c/"+string(code)+"/predict", "round=1&jwt=accepted", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
	if tally := s.class(code).Tally; tally != (db.ClassTally{}) {
		t.Errorf("what was refused is counted: %+v", tally)
	}
}

// TestClass_fromTheCodeToTheEnd goes through a class as both sides see it, without
// any script.
func TestClass_fromTheCodeToTheEnd(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		teacher := s.enter(grace)
		code := teacher.opens("")
		at, to := "/lab/class/"+string(code), "/c/"+string(code)
		learner, other := s.comesIn(code), s.comesIn(code)
		teacher.get(at).want(t, http.StatusOK, "Nothing is asked yet")
		learner.get(to).want(t, http.StatusOK, "Nothing is asked yet", "Look again")
		learner.predicts(code, 0, "jwt", "accepted").want(t, http.StatusConflict)

		teacher.post(at+"/ask", "experiment", replaySlug).want(t, http.StatusSeeOther)
		learner.get(to).want(t, http.StatusOK, "Sign out, then replay", "Nothing predicted yet", "Send my prediction").lacks(t, "What happened")
		if got := learner.post(to+"/predict", "round", "1", "jwt", "accepted", "server", "accepted").want(t, http.StatusSeeOther); got.location != to {
			t.Errorf("a prediction leads to %q", got.location)
		}
		learner.get(to).want(t, http.StatusOK, "2 of 3 predicted")
		learner.predicts(code, 1, "jwt", "accepted", "server", "refused", "hybrid", "refused").want(t, http.StatusNoContent)
		learner.get(to).want(t, http.StatusOK, "Your prediction stands")
		other.predicts(code, 1, "jwt", "refused", "server", "refused", "hybrid", "refused").want(t, http.StatusNoContent)
		teacher.get(at).want(t, http.StatusOK, `data-learners>2</b>`, "have predicted", `data-vote="accepted">1<`, `class="bar v50"`)
		teacher.post(at+"/tally", "tally", "hidden").want(t, http.StatusSeeOther)
		teacher.get(at).want(t, http.StatusOK, "is hidden", `data-learners>2</b>`).lacks(t, "data-votes")
		teacher.post(at+"/tally", "tally", "shown").want(t, http.StatusSeeOther)

		teacher.post(at+"/run", "round", "1").want(t, http.StatusSeeOther)
		teacher.post(at+"/run", "round", "1").want(t, http.StatusSeeOther) // pressed twice
		teacher.get(at).want(t, http.StatusOK, "What happened", "1 of 2 said so", "All 2 said so", "None of 2 said so", "Every step, and why", "Ask this next")
		run := s.class(code).RunID
		learner.get(to).want(t, http.StatusOK, "You had 2 of 3 right", "so it was", "not so", "Why", "/lab/"+replaySlug+"?run="+run, "there is no such session")
		s.comesIn(code).get(to).want(t, http.StatusOK, "You predicted nothing this time", "What happened")
		learner.predicts(code, 1, "jwt", "refused").want(t, http.StatusConflict)
		learner.post(to+"/predict", "round", "1", "jwt", "refused").want(t, http.StatusConflict, "was not counted", "You had 2 of 3 right")
		learner.get("/lab/"+replaySlug+"?run="+run).want(t, http.StatusOK)

		teacher.post(at+"/ask", "experiment", "steal-the-cookie").want(t, http.StatusSeeOther)
		learner.get(to).want(t, http.StatusOK, "Nothing predicted yet").lacks(t, `value="accepted" checked`, `value="refused" checked`, "You had")
		learner.predicts(code, 1, "jwt", "accepted").want(t, http.StatusConflict)
		learner.predicts(code, 2, "jwt", "accepted").want(t, http.StatusNoContent)

		teacher.post(at+"/end").want(t, http.StatusSeeOther)
		teacher.post(at+"/end").want(t, http.StatusSeeOther)
		teacher.get(at).want(t, http.StatusOK, "The class is over")
		learner.get(to).want(t, http.StatusOK, "The class is over")
		learner.post(to+"/predict", "round", "2", "jwt", "refused").want(t, http.StatusConflict, "The class is over")
		for _, form := range [][]string{{"/run", "round", "2"}, {"/ask", "experiment", replaySlug}, {"/tally", "tally", "hidden"}} {
			teacher.post(at+form[0], form[1:]...).want(t, http.StatusConflict, "over")
		}
		if tally := s.class(code).Tally; tally.Learners != 0 {
			t.Errorf("the class is over and remembers %d learners", tally.Learners)
		}
	})
}

func TestClass_isOverAfterADay(t *testing.T) {
	s := newSite(t, session.JWT)
	teacher := s.enter(grace)
	code := teacher.opens(replaySlug)
	learner := s.comesIn(code)
	s.clock.move(db.ClassLife)
	learner.get("/c/"+string(code)).want(t, http.StatusOK, "The class is over")
	if b := s.comesIn(code); b.cookie("lectern-class") != "" {
		t.Error("who comes to a class that is over is given a number")
	}
	s.enter(grace).get("/lab/class").want(t, http.StatusOK, "None.")
}

func TestClass_asManyAsOneMayHave(t *testing.T) {
	s := newSite(t, session.Memory)
	teacher := s.enter(grace)
	for range db.ClassesAtOnce {
		teacher.opens("")
	}
	teacher.post("/lab/class", "experiment", replaySlug).want(t, http.StatusConflict, "as many as one person may have", `value="`+replaySlug+`" selected`)
	s.enter(rob).opens("")
}

func TestClass_knowsALearnerByACookieAlone(t *testing.T) {
	for base, want := range map[string]string{"": "lectern-class", "https://courses.example": "__Host-lectern-class"} {
		s := startSite(t, session.Memory, true, setting{base: base})
		const code school.ClassCode = "K7M3P"
		must(t, s.db.OpenClass(t.Context(), code, fixedID("grace"), s.clock.Now()))
		got := s.browser().get("/c/" + string(code))
		cookies := got.header["Set-Cookie"]
		if len(cookies) != 1 || !strings.HasPrefix(cookies[0], want+"=") {
			t.Fatalf("a learner is given %q, want %s alone", cookies, want)
		}
		for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} {
			if !strings.Contains(cookies[0], part) {
				t.Errorf("%q lacks %s", cookies[0], part)
			}
		}
		if secure := strings.Contains(cookies[0], "; Secure"); secure != (base != "") {
			t.Errorf("at %q the cookie is %q", base, cookies[0])
		}
		if strings.Contains(got.body, strings.Split(strings.TrimPrefix(cookies[0], want+"="), ";")[0]) {
			t.Error("the page has the learner's number in it")
		}
	}
}

func TestClass_codesCannotBeTriedOut(t *testing.T) {
	s := newSite(t, session.Memory)
	teacher := s.enter(grace)
	code := teacher.opens(replaySlug)
	known, known2 := s.comesIn(code), s.comesIn(code)
	known.predicts(code, 1, "jwt", "accepted").want(t, http.StatusNoContent)
	guesser := s.browser()
	for range 100 {
		guesser.get("/c/34679").want(t, http.StatusNotFound)
	}
	for _, address := range []string{"/c/34679", "/c/" + string(code), "/c/" + string(code) + "/events"} {
		if got := guesser.get(address).want(t, http.StatusTooManyRequests); got.header.Get("Retry-After") != "6" {
			t.Errorf("%s says to wait %q seconds, want 6", address, got.header.Get("Retry-After"))
		}
	}
	guesser.get("/c/34679").want(t, http.StatusTooManyRequests, "So many wrong codes", `name="code"`)
	known.get("/c/"+string(code)).want(t, http.StatusOK)
	known.predicts(code, 1, "jwt", "refused").want(t, http.StatusNoContent)
	known2.get("/c/"+string(code)).want(t, http.StatusTooManyRequests) // has not predicted, so is not known
	teacher.get("/lab/class/"+string(code)).want(t, http.StatusOK)
	s.clock.move(10 * time.Minute)
	guesser.get("/c/"+string(code)).want(t, http.StatusOK)
}

// TestClass_codesCannotBeTriedOutByWhoLeadsAnother: somebody else's class is, to the
// letter, as one that there is not, before so many tries and after.
func TestClass_codesCannotBeTriedOutByWhoLeadsAnother(t *testing.T) {
	s := newSite(t, session.Memory)
	theirs, own := s.enter(grace).opens(replaySlug), s.enter(rob).opens(replaySlug)
	guesser, admin := s.enter(rob), s.enter(alan)
	requestNumber := regexp.MustCompile(`<code>[0-9A-Za-z_-]{12}</code>`)
	says := func(page answer) string {
		return requestNumber.ReplaceAllString(between(page.body, "<main", "</main>"), "") + between(page.body, "May you do this?", "</div>") + page.header.Get("Retry-After")
	}
	same := func(want int) {
		t.Helper()
		there, not := guesser.get("/lab/class/"+string(theirs)).want(t, want), guesser.get("/lab/class/34679").want(t, want)
		if a, b := strings.ReplaceAll(says(there), string(theirs), "34679"), says(not); a != b {
			t.Errorf("a class of somebody else's is told from one that there is not:\n%s\n\n%s", a, b)
		}
	}
	same(http.StatusNotFound)
	for i := range 49 {
		guesser.get("/lab/class/34679").want(t, http.StatusNotFound)
		at := "/lab/class/" + string(theirs)
		if i%2 == 0 {
			guesser.post(at+"/end").want(t, http.StatusNotFound)
		} else {
			guesser.get(at+"/events").want(t, http.StatusNotFound)
		}
	}
	same(http.StatusTooManyRequests)
	guesser.post("/lab/class/"+string(theirs)+"/end").want(t, http.StatusTooManyRequests)
	guesser.get("/lab/class/"+string(own)).want(t, http.StatusOK)
	for _, code := range []school.ClassCode{own, theirs} {
		admin.get("/lab/class/"+string(code)).want(t, http.StatusOK)
	}
	admin.get("/lab/class/34679").want(t, http.StatusTooManyRequests)
}

// TestClass_screensLeaveRoom has somebody without a cookie take all the room that
// they can get.
func TestClass_screensLeaveRoom(t *testing.T) {
	s := newSite(t, session.Memory)
	teacher := s.enter(grace)
	code := teacher.opens(replaySlug)
	predicted := s.comesIn(code)
	predicted.predicts(code, 1, "jwt", "accepted").want(t, http.StatusNoContent)
	at := "/c/" + string(code) + "/events"
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	stays := func(b *browser, at string) bool {
		t.Helper()
		b.client.Transport = transport
		e, err := b.follows(ctx, at)
		if err == nil {
			t.Cleanup(func() { e.body.Close() })
		} else if !strings.Contains(err.Error(), "answers 429") {
			t.Fatal(err)
		}
		return err == nil
	}
	for i := range 200 {
		if !stays(s.comesIn(code), at) {
			t.Fatalf("telephone %d of a class behind one address finds no room", i)
		}
	}
	taken := 0
	for stays(s.browser(), at) {
		if taken++; taken > 1000 {
			t.Fatal("there is no end of room for who has no cookie")
		}
	}
	if !stays(teacher, "/lab/class/"+string(code)+"/events") {
		t.Error("there is no room in front of the class")
	}
	for i := range 5 {
		if got, want := stays(predicted, at), i < 3; got != want {
			t.Errorf("screen %d of a learner who has predicted finds room: %v", i, got)
		}
	}
}

// TestClass_isRunAtAPace has a class asked and run in a loop.
func TestClass_isRunAtAPace(t *testing.T) {
	s := newSite(t, session.Memory)
	teacher, other := s.enter(grace), s.enter(rob)
	code := teacher.opens("")
	at := "/lab/class/" + string(code)
	run := func(b *browser, at string, round int) answer {
		b.post(at+"/ask", "experiment", "issue-a-session").want(t, http.StatusSeeOther)
		return b.post(at+"/run", "round", strconv.Itoa(round))
	}
	round := 0
	for range 20 {
		round++
		run(teacher, at, round).want(t, http.StatusSeeOther)
		teacher.post(at+"/run", "round", strconv.Itoa(round)).want(t, http.StatusSeeOther) // pressed twice, and counted once
	}
	round++
	if got := run(teacher, at, round).want(t, http.StatusTooManyRequests); got.header.Get("Retry-After") != "15" {
		t.Errorf("to be tried again in %q seconds, want 15", got.header.Get("Retry-After"))
	}
	if class := s.class(code); class.Phase != db.ClassAsking {
		t.Errorf("what was refused leaves the class %s", class.Phase)
	}
	another := teacher.opens("")
	run(teacher, "/lab/class/"+string(another), 1).want(t, http.StatusTooManyRequests)
	run(other, "/lab/class/"+string(other.opens("")), 1).want(t, http.StatusSeeOther)
	s.clock.move(15 * time.Second)
	teacher.post(at+"/run", "round", strconv.Itoa(round)).want(t, http.StatusSeeOther)
}

// TestClass_formsAreLimited: whoever has sent too many predictions is told to wait
// before anything is looked up.
func TestClass_formsAreLimited(t *testing.T) {
	s := newSite(t, session.Memory)
	code := s.enter(grace).opens(replaySlug)
	learner := s.comesIn(code)
	learner.predicts(code, 1, "jwt", "accepted").want(t, http.StatusNoContent)
	for s.ClassForms.Take(t.Context(), netip.MustParseAddr("127.0.0.1")) == nil {
		continue
	}
	learner.predicts(code, 1, "jwt", "refused").want(t, http.StatusTooManyRequests)
	learner.predicts("34679", 1, "jwt", "refused").want(t, http.StatusTooManyRequests)
	learner.get("/c/"+string(code)).want(t, http.StatusOK)
	if got := s.class(code).Tally; got.JWT != (db.ClassSplit{Accepted: 1}) {
		t.Errorf("what was refused is counted: %+v", got)
	}
	s.clock.move(time.Minute)
	learner.predicts(code, 1, "jwt", "refused").want(t, http.StatusNoContent)
}

// TestClass_learnersAreNobodyElsewhere: a class knows a learner by what is no other
// class's, and not by the number in their cookie.
func TestClass_learnersAreNobodyElsewhere(t *testing.T) {
	s := newSite(t, session.Memory)
	teacher := s.enter(grace)
	one, two := teacher.opens(replaySlug), teacher.opens(replaySlug)
	learner := s.comesIn(one)
	learner.get("/c/"+string(two)).want(t, http.StatusOK)
	for _, code := range []school.ClassCode{one, two} {
		learner.predicts(code, 1, "jwt", "accepted").want(t, http.StatusNoContent)
		learner.predicts(code, 1, "jwt", "refused").want(t, http.StatusNoContent) // the same, once more
	}
	rows, err := s.db.Reader().QueryContext(t.Context(), `SELECT learner FROM lab_class_learners`)
	must(t, err)
	defer rows.Close()
	var known []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		known = append(known, name)
	}
	must(t, rows.Err())
	if len(known) != 2 || known[0] == known[1] {
		t.Errorf("one learner is known in two classes as %q", known)
	}
	if cookie := learner.cookie("lectern-class"); cookie == "" || slices.Contains(known, cookie) {
		t.Errorf("a class knows a learner by the number in the cookie, %q", cookie)
	}
}

// TestClass_holdsTwoHundred has a class behind one address predict at once, and
// change their minds.
func TestClass_holdsTwoHundred(t *testing.T) {
	const learners = 200
	s := newSite(t, session.Database)
	teacher := s.enter(grace)
	code := teacher.opens(replaySlug)
	var want db.ClassTally
	want.Learners = learners
	begun := time.Now()
	var slowest time.Duration
	var mu sync.Mutex
	var wg sync.WaitGroup
	browsers := make([]*browser, learners)
	for i := range learners {
		final := []string{"jwt", said(i%2 == 0), "server", said(i%4 == 0), "hybrid", said(i%5 == 0)}
		for j, split := range []*db.ClassSplit{&want.JWT, &want.Server, &want.Hybrid} {
			if final[2*j+1] == "accepted" {
				split.Accepted++
			} else {
				split.Refused++
			}
		}
		wg.Go(func() {
			b := s.browser()
			browsers[i] = b
			click := func(status int, fields ...string) {
				at := time.Now()
				if got := b.predicts(code, 1, fields...); got.status != status {
					t.Errorf("a prediction of learner %d answers %d: %s", i, got.status, got.body)
				}
				mu.Lock()
				defer mu.Unlock()
				slowest = max(slowest, time.Since(at))
			}
			if got := b.get("/c/" + string(code)); got.status != http.StatusOK {
				t.Errorf("learner %d comes in with %d", i, got.status)
				return
			}
			click(204, "jwt", said(i%2 == 1))
			click(204, "jwt", said(i%2 == 1), "server", said(i%3 == 0))
			click(204, final[:4]...)
			click(204, final...)
		})
	}
	wg.Wait()
	t.Logf("%d learners with %d clicks: %s in all, the slowest click %s", learners, 4*learners, time.Since(begun), slowest)
	if got := s.class(code).Tally; got != want {
		t.Errorf("the tally is %+v, want %+v", got, want)
	}
	teacher.get("/lab/class/"+string(code)).want(t, http.StatusOK, `data-learners>200</b>`)
	teacher.post("/lab/class/"+string(code)+"/run", "round", "1").want(t, http.StatusSeeOther)
	if got := s.class(code).Tally; got != want {
		t.Errorf("after the run the tally is %+v, want %+v", got, want)
	}
	// Now all of them look at once, as their telephones do within a second.
	begun, slowest = time.Now(), 0
	for i, b := range browsers {
		wg.Go(func() {
			at := time.Now()
			if got := b.get("/c/" + string(code)); got.status != http.StatusOK || !strings.Contains(got.body, "What happened") || !strings.Contains(got.body, " of 3 right") && !strings.Contains(got.body, "all 3 right") {
				t.Errorf("learner %d sees %d", i, got.status)
			}
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, time.Since(at))
		})
	}
	wg.Wait()
	t.Logf("what came out is shown to %d: %s in all, the slowest %s", learners, time.Since(begun), slowest)
}

func said(accepted bool) string {
	if accepted {
		return "accepted"
	}
	return "refused"
}

// events are what a screen is told.
type events struct {
	body  io.ReadCloser
	lines *bufio.Scanner
}

// follows opens a stream of events.
func (b *browser) follows(ctx context.Context, path string) (*events, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.site.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/event-stream")
	response, err := b.client.Do(r)
	if err != nil {
		return nil, err
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream" {
		response.Body.Close()
		return nil, fmt.Errorf("%s answers %d, %s", path, response.StatusCode, got)
	}
	return &events{response.Body, bufio.NewScanner(response.Body)}, nil
}

// next waits for an event of a name, and returns what it says.
func (e *events) next(name string) string {
	for e.lines.Scan() {
		if e.lines.Text() == "event: "+name && e.lines.Scan() {
			return strings.TrimPrefix(e.lines.Text(), "data: ")
		}
	}
	return ""
}

func TestClass_isToldLive(t *testing.T) {
	s := newSite(t, session.Hybrid)
	teacher := s.enter(grace)
	code := teacher.opens("")
	at := "/lab/class/" + string(code)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	front, err := teacher.follows(ctx, at+"/events")
	must(t, err)
	defer front.body.Close()
	learner := s.comesIn(code)
	handset, err := learner.follows(ctx, "/c/"+string(code)+"/events")
	must(t, err)
	defer handset.body.Close()
	is := func(e *events, name, want string) {
		t.Helper()
		if got := e.next(name); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	is(front, "class", `{"version":"0-waiting","learners":0}`)
	is(handset, "class", `{"version":"0-waiting"}`)
	teacher.post(at+"/ask", "experiment", replaySlug).want(t, http.StatusSeeOther)
	is(front, "class", `{"version":"1-asking","learners":0,"tally":{"hybrid":{"accepted":0,"refused":0},"jwt":{"accepted":0,"refused":0},"server":{"accepted":0,"refused":0}}}`)
	is(handset, "class", `{"version":"1-asking"}`)
	learner.predicts(code, 1, "jwt", "refused").want(t, http.StatusNoContent)
	is(front, "class", `{"version":"1-asking","learners":1,"tally":{"hybrid":{"accepted":0,"refused":0},"jwt":{"accepted":0,"refused":1},"server":{"accepted":0,"refused":0}}}`)
	teacher.post(at+"/tally", "tally", "hidden").want(t, http.StatusSeeOther)
	is(front, "class", `{"version":"1-asking-hidden","learners":1}`)
	teacher.post(at+"/run", "round", "1").want(t, http.StatusSeeOther)
	is(front, "column", `{"label":"JWT","name":"jwt"}`)
	var step struct {
		Column, Line string
		Status       int
	}
	for step.Status == 0 { // the first steps ask nothing
		must(t, json.Unmarshal([]byte(front.next("step")), &step))
	}
	if step.Column != "jwt" || step.Line != "ada: signs in as ada" || step.Status != http.StatusSeeOther {
		t.Errorf("the first step that asks something is %+v", step)
	}
	for version := ""; version != `{"version":"1-ran"}`; version = handset.next("class") {
		if version == "" {
			continue
		}
		if version != `{"version":"1-running"}` {
			t.Fatalf("a telephone is told %q", version) // no tally, no steps
		}
	}
	teacher.post(at+"/end").want(t, http.StatusSeeOther)
	is(handset, "class", `{"version":"over"}`)
}

var numbers = regexp.MustCompile(`^[0-9]+$`)

// TestClass_leavesNothingRunning has many screens come, some go, and the site stop
// while the others are being told.
func TestClass_leavesNothingRunning(t *testing.T) {
	s := newSite(t, session.Memory)
	teacher := s.enter(grace)
	code := teacher.opens(replaySlug)
	settle := func() int {
		n := 0
		for range 100 { // what has ended takes a moment to be gone
			http.DefaultClient.CloseIdleConnections()
			if now := runtime.NumGoroutine(); now == n {
				break
			} else {
				n = now
			}
			time.Sleep(50 * time.Millisecond)
		}
		return n
	}
	teacher.client.CloseIdleConnections()
	before := settle()
	ctx, hangUp := context.WithCancel(t.Context())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	stay := func(ctx context.Context) *events {
		b := s.browser()
		b.client.Transport = transport
		e, err := b.follows(ctx, "/c/"+string(code)+"/events")
		must(t, err)
		if e.next("class") == "" {
			t.Fatal("a screen is told nothing")
		}
		return e
	}
	for range 100 {
		defer stay(ctx).body.Close()
	}
	hangUp()
	transport.CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		stacks := make([]byte, 1<<20)
		t.Fatalf("a hundred screens have gone, and there are %d goroutines, %d before\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}

	var rest []*events
	for range 100 {
		rest = append(rest, stay(t.Context()))
	}
	at := time.Now()
	s.Server.Close()
	for _, e := range rest {
		if got := e.next("class"); got != "" || e.lines.Err() != nil {
			t.Errorf("after the site stopped a screen is told %q, %v", got, e.lines.Err())
		}
		e.body.Close()
	}
	if took := time.Since(at); took > 5*time.Second {
		t.Errorf("the screens heard after %s that the site stops", took)
	}
	if got := s.browser().get("/c/" + string(code) + "/events"); got.status != http.StatusServiceUnavailable || !numbers.MatchString(got.header.Get("Retry-After")) {
		t.Errorf("who comes afterwards is answered %d", got.status)
	}
}
