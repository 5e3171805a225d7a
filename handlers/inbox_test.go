package handlers_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// send has the site send a mail about somebody's account.
func (s *site) send(to string, user school.ID, subject, body string) {
	s.t.Helper()
	must(s.t, s.Messages.Send(s.t.Context(), school.Message{Channel: school.ByMail, To: to, Subject: subject, Body: body, User: user}))
	s.clock.move(time.Second)
}

// walkIn adds a demo account.
func (s *site) walkIn() school.ID {
	s.t.Helper()
	u := school.User{ID: fixedID("walkin"), Email: "walkin@lectern.example", Name: "Walk In", Role: school.Student, Demo: true, CreatedAt: s.clock.Now()}
	must(s.t, s.db.CreateUser(s.t.Context(), u, "no hash"))
	return u.ID
}

func TestInbox_showsNobodyElsesMessages(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		s.send("walkin@lectern.example", s.walkIn(), "To the demo account", "Code 1111")
		s.send(ada, fixedID("ada"), "To Ada", "Code 2222")
		s.send("new@school.example", "", "To nobody’s account", "Code 3333")
		must(t, s.Messages.SendNothing(t.Context(), school.Message{Channel: school.ByMail, To: ada, Subject: "Your code", Body: "1234 5678"}))
		for _, row := range []struct {
			who  string
			sees []string
		}{
			{"", []string{"1111"}}, {bea, []string{"1111"}}, {alan, []string{"1111"}}, {ada, []string{"2222", "1111"}},
		} {
			page := s.enter(row.who).get("/demo/inbox").want(t, http.StatusOK)
			var got []string
			for _, found := range regexp.MustCompile(`Code ([0-9]{4})`).FindAllStringSubmatch(page.body, -1) {
				got = append(got, found[1])
			}
			if !slices.Equal(got, row.sees) {
				t.Errorf("%q sees %q, want %q", row.who, got, row.sees)
			}
			if n := strings.Count(page.body, `data-testid="message"`); n != len(row.sees) {
				t.Errorf("%q sees %d messages, want %d", row.who, n, len(row.sees))
			}
			if row.who != "" && page.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%q gets a page that is kept: %v", row.who, page.header)
			}
		}
	})
}

func TestInbox_isThereInADemonstrationOnly(t *testing.T) {
	t.Attr("asvs", "15.2.3")
	s := startSite(t, session.Memory, false)
	s.send(ada, fixedID("ada"), "Subject", "Body")
	for _, who := range []string{"", ada, alan} {
		b := s.enter(who)
		b.get("/demo/inbox").want(t, http.StatusNotFound).lacks(t, "Subject")
		b.get("/").want(t, http.StatusOK).lacks(t, `href="/demo/inbox"`)
	}
	s.browser().get("/signin").want(t, http.StatusOK).lacks(t, `href="/demo/inbox"`)
	s = newSite(t, session.Memory)
	for _, path := range []string{"/", "/signin"} {
		if page := s.browser().get(path); path == "/signin" && !strings.Contains(page.main(), `href="/demo/inbox"`) || !strings.Contains(page.body, `href="/demo/inbox"`) {
			t.Errorf("%s leads nobody to the inbox", path)
		}
	}
	menu, _, _ := strings.Cut(s.enter(ada).get("/").body, "<main")
	if !strings.Contains(menu, `href="/demo/inbox"`) {
		t.Error("the account menu does not lead to the inbox")
	}
}

func TestInbox_showsWhatWasWritten(t *testing.T) {
	s := newSite(t, session.Memory)
	b := s.enter(ada)
	b.get("/demo/inbox").want(t, http.StatusOK, "Nothing has come yet").lacks(t, "Newest first")
	b.get("/demo/inbox?after=nonsense").want(t, http.StatusOK, "Nothing further back")

	body := "First line.\n\n<b>Second</b> & \"third\"."
	s.send(ada, fixedID("ada"), "<i>A subject</i>", body)
	must(t, s.Messages.Send(t.Context(), school.Message{Channel: school.ByText, To: "+447700900123", Body: "Your code is 1234 5678.", User: fixedID("ada")}))
	page := b.get("/demo/inbox").want(t, http.StatusOK,
		ada, html.EscapeString("<i>A subject</i>"), html.EscapeString(body), `data-channel="mail"`, "2026",
		"+447700900123", "Your code is 1234 5678.", `data-channel="text"`, "Newest first",
	).lacks(t, "<b>Second", "Not delivered")
	if strings.Index(page.body, "+447700900123") > strings.Index(page.body, "A subject") {
		t.Error("the older message stands first")
	}
	if got := s.lastMessage(fixedID("ada")); got.Body != "Your code is 1234 5678." || got.State != school.MessageSent {
		t.Errorf("the last message is %+v", got)
	}

	for _, row := range []struct {
		state school.MessageState
		says  string
	}{{school.MessageWaiting, "Not delivered yet"}, {school.MessageGivenUp, "it is not tried again"}} {
		m := school.Message{ID: school.MustNewID(), Channel: school.ByMail, To: bea, Subject: string(row.state), Body: "B", User: fixedID("bea"), At: s.clock.Now(), State: row.state}
		must(t, s.db.AddMessage(t.Context(), m))
		s.enter(bea).get("/demo/inbox").want(t, http.StatusOK, row.says)
	}
}

func TestInbox_isReadPageByPage(t *testing.T) {
	s := newSite(t, session.Memory)
	const messages = 60
	for i := range messages {
		s.send(ada, fixedID("ada"), fmt.Sprintf("Number %03d.", i), "Body")
	}
	b, next := s.enter(ada), regexp.MustCompile(`href="(/demo/inbox\?after=[^"]+)" rel="next"`)
	var got []string
	pages := 0
	for path := "/demo/inbox"; path != ""; pages++ {
		page := b.get(path).want(t, http.StatusOK)
		got = append(got, regexp.MustCompile(`Number [0-9]{3}\.`).FindAllString(page.body, -1)...)
		if first := strings.Contains(page.body, "Back to the start"); first != (pages > 0) {
			t.Errorf("page %d leads back to the start: %v", pages+1, first)
		}
		path = ""
		if found := next.FindStringSubmatch(page.body); found != nil {
			path = html.UnescapeString(found[1])
		}
	}
	if pages != 3 || len(got) != messages {
		t.Fatalf("%d messages on %d pages, want %d on 3", len(got), pages, messages)
	}
	for i, subject := range got {
		if want := fmt.Sprintf("Number %03d.", messages-1-i); subject != want {
			t.Fatalf("message %d is %q, want %q", i, subject, want)
		}
	}
}
