package handlers_test

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lectern/handlers/matrix"
	"lectern/handlers/policy"
	"lectern/handlers/session"
)

const permissionsPage = "/lab/permissions"

// askCell asks a cell by the form, and follows to the page that shows what came of it.
func (b *browser) askCell(key, kind string, more ...string) answer {
	b.t.Helper()
	ran := b.post(permissionsPage+"/run", append([]string{"cell", key, "kind", kind}, more...)...).want(b.t, http.StatusSeeOther)
	return b.get(ran.location).want(b.t, http.StatusOK)
}

func TestPermissions_refuses(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.browser()
	b.get(permissionsPage+"?cell=lesson.view.draft.king").want(t, http.StatusNotFound)
	b.post(permissionsPage+"/run", "cell", "lesson.view.draft.king", "kind", session.JWT).want(t, http.StatusUnprocessableEntity, "Choose one of the cells.")
	b.post(permissionsPage+"/run", "cell", "lesson.view.draft.student", "kind", session.None).want(t, http.StatusUnprocessableEntity, "Choose one of the kinds")
	b.get(permissionsPage+"?cell=lesson.view.draft.student").want(t, http.StatusOK, `<option value="redis"`)
	s.LabRedis = nil
	b.post(permissionsPage+"/run", "cell", "lesson.view.draft.student", "kind", session.Redis).want(t, http.StatusUnprocessableEntity, "Choose one of the kinds")
	b.get(permissionsPage+"?cell=lesson.view.draft.student").want(t, http.StatusOK).lacks(t, `<option value="redis"`)
	b.post(permissionsPage+"/run", "cell", "lesson.view.draft.student").want(t, http.StatusUnprocessableEntity)
	b.get(permissionsPage+"?cell=lesson.view.draft.student&run=aaaaaaaaaa").want(t, http.StatusOK, "That run is not kept any more")
	b.get(permissionsPage+"?cell=lesson.view.draft.student&run=../../etc").want(t, http.StatusOK, "That run is not kept any more")
	b.get(permissionsPage+"?role=king&action=course.burn").want(t, http.StatusOK, "lesson.view")
	// A run is that of its cell, and one of an experiment is none.
	ran := b.post(permissionsPage+"/run", "cell", "lesson.view.draft.student", "kind", session.JWT).want(t, http.StatusSeeOther)
	run := regexp.MustCompile(`run=(\w+)`).FindStringSubmatch(ran.location)[1]
	b.get(permissionsPage+"?cell=lesson.view.draft.joined&run="+run).want(t, http.StatusOK, "was one of another cell")
	of := b.foretold(replay).post(replay+"/run").want(t, http.StatusSeeOther)
	b.get(permissionsPage+"?cell=lesson.view.draft.student&run="+regexp.MustCompile(`run=(\w+)`).FindStringSubmatch(of.location)[1]).want(t, http.StatusOK, "That run is not kept any more")
	s.browser().get(replay+"?run="+run).want(t, http.StatusOK, "That run is not kept any more")
	b.send(http.MethodPost, permissionsPage+"/run", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
}

// TestPermissions_showsTheMatrix reads every cell off the page.
func TestPermissions_showsTheMatrix(t *testing.T) {
	s := newSite(t, session.Database)
	cell := regexp.MustCompile(`<a class="permit" data-v="(\w+)" href="/lab/permissions\?cell=([\w.]+)#cell">.*?<b>(\w+)</b> <span class="num">(\d+)( to sign in)?</span>`)
	shown := map[string][]string{}
	page := s.browser().get(permissionsPage).want(t, http.StatusOK)
	for _, found := range cell.FindAllStringSubmatch(page.body, -1) {
		shown[found[2]] = found
	}
	count := 0
	for _, row := range matrix.Rows() {
		page.want(t, http.StatusOK, html.EscapeString(row.Cells[0].Rule))
		for _, c := range row.Cells {
			count++
			got := shown[c.Key()]
			if got == nil || got[1] != c.Verdict.String() || !strings.EqualFold(got[3], got[1]) || got[4] != strconv.Itoa(c.Status) || (got[5] != "") != c.ToSignIn() {
				t.Errorf("%s is shown as %v, and is %s, %d", c.Key(), got, c.Verdict, c.Status)
			}
		}
	}
	if len(shown) != count {
		t.Errorf("%d cells on the page, and %d in the matrix", len(shown), count)
	}
}

func TestPermissions_isKeptToARoleOrAnAction(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.browser()
	b.get(permissionsPage+"?role=joined").want(t, http.StatusOK, "lesson.view.draft.joined", `data-label="Joined student"`).lacks(t, "lesson.view.draft.student", `data-label="Admin"`)
	b.get(permissionsPage+"?action=course.edit").want(t, http.StatusOK, "course.edit.draft.student", "course.edit.draft.admin").lacks(t, "lesson.view.draft.student")
	one := b.get(permissionsPage+"?action=course.edit&role=admin").want(t, http.StatusOK, `href="/lab/permissions?action=course.edit&amp;cell=course.edit.draft.admin&amp;role=admin#cell"`).lacks(t, "course.edit.draft.owner")
	if n := strings.Count(one.body, `<a class="permit"`); n != 2 {
		t.Errorf("%d cells of one action and one role", n)
	}
	b.askCell("course.edit.draft.admin", session.JWT, "role", "admin", "action", "course.edit").want(t, http.StatusOK, "As the matrix says").lacks(t, "course.edit.draft.owner")
}

// TestPermissions_tellsTheLineAndTheAnswer looks at cells from near.
func TestPermissions_tellsTheLineAndTheAnswer(t *testing.T) {
	s := newSite(t, session.Hybrid)
	for _, b := range []*browser{s.browser(), s.enter(ada)} {
		near := b.get(permissionsPage+"?cell=lesson.view.draft.joined").want(t, http.StatusOK, "A lesson is for those who have joined its course", "handlers/policy/rules.go, lines", "Not asked yet").main()
		hot := regexp.MustCompile(`<span class="line hl"><i data-n="\d+"></i>(.*?)\n`).FindAllStringSubmatch(near, -1)
		if len(hot) != 1 || !strings.Contains(hot[0][1], "Hide") {
			t.Errorf("the line that decides is %v", hot)
		}
	}
	b := s.browser()
	b.askCell("lesson.view.draft.joined", session.JWT).want(t, http.StatusOK, "As the matrix says", "<b>404</b>", "read from the token", "There is nothing here")
	b.askCell("user.view.list.student", session.Database).want(t, http.StatusOK, "As the matrix says", "<b>403</b>", "read from the session", "Only admins see who has an account.")
	b.askCell("course.join.published.visitor", session.Database).want(t, http.StatusOK, "As the matrix says", "<b>401</b>", "nobody is signed in", "<dt>Challenge</dt>", "Session realm=")
	b.askCell("lesson.view.locked.visitor", session.JWT).want(t, http.StatusOK, "As the matrix says", "<b>303</b>", "/signin?next=")
	b.askCell("password.change.own.student", session.JWT).want(t, http.StatusOK, "As the matrix says", "<b>303</b>").lacks(t, "open sesame please", "three quiet herons")
}

// TestPermissions_bounds: whoever asks too often is told to wait, and the page stays.
func TestPermissions_bounds(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.browser()
	for i := range 101 {
		got := b.post(permissionsPage+"/run", "cell", "site.browse.site.visitor", "kind", session.JWT)
		if got.status == http.StatusSeeOther {
			continue
		}
		got.want(t, http.StatusTooManyRequests, "it is the others’ turn", "Nothing was sent", "Look around")
		if i < 50 || got.header.Get("Retry-After") == "" {
			t.Errorf("refused at the %dth, Retry-After %q", i+1, got.header.Get("Retry-After"))
		}
		return
	}
	t.Error("nobody is ever told to wait")
}

// TestPermissions_pagePolicyAndRouterAgree asks every cell of the site, with a kind of
// session that reads the role from a token and with those that read it elsewhere.
func TestPermissions_pagePolicyAndRouterAgree(t *testing.T) {
	t.Attr("asvs", "8.2.1 8.2.2 8.3.1")
	for _, kind := range tried() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, session.Database)
			for _, row := range matrix.Rows() {
				for _, cell := range row.Cells {
					if wrong := s.AskPermission(context.Background(), cell, kind); wrong != "" {
						t.Errorf("%s: %s", cell.Key(), wrong)
					}
				}
			}
		})
	}
}

// TestFields_areShownToWhomPolicySays looks for each part of a thing on the pages where
// it stands, and on some where it does not, as each of the people.
func TestFields_areShownToWhomPolicySays(t *testing.T) {
	t.Attr("asvs", "8.2.3 15.3.1")
	for _, kind := range []string{session.JWT, session.Database} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind)
			const ivy = "ivy@school.example"
			s.signUp("Ivy Larkin", ivy)
			ivys, err := s.db.CredentialByEmail(t.Context(), ivy)
			must(t, err)
			s.enter(grace).post("/teach/chapters/"+string(fixedID("chapter-knotsone"))+"/lessons", "title", "The turk’s head", "kind", "reading").want(t, http.StatusSeeOther)
			s.enter(ada).post("/courses/knots/join").want(t, http.StatusSeeOther)
			for _, subject := range matrix.Subjects {
				email, b := "", s.browser()
				if subject.Person != "" {
					email = subject.Person + "@school.example"
					b = s.enter(email)
				}
				changed := b.post("/account/password", "current", password, "new", otherPassword)
				for _, row := range matrix.PartRows() {
					seen := 0
					for _, path := range append(row.Pages, "/courses", "/courses/stars", "/learning", "/teach") {
						whose, address := fixedID(subject.Person), email
						if row.State == "other" {
							whose, address = ivys.User.ID, ivy
						}
						needle := map[policy.Field]string{policy.AccountEmail: address, policy.CourseDrafts: "The turk’s head", policy.AuditLine: "/admin/audit?name=" + string(whose)}[row.Field]
						if strings.Contains(path, "{event}") {
							path, needle = changed.location, "Password changed"
						}
						got := b.get(strings.NewReplacer("{ivy}", string(ivys.User.ID), "bowline", "one-first").Replace(path))
						if got.status == http.StatusOK && needle != "" && strings.Contains(got.body, needle) {
							seen++
						} else if got.status == http.StatusOK && slices.Contains(row.Pages, path) && allowedTo(row, subject) {
							t.Errorf("%s lacks %q for the %s", path, needle, subject.Key)
						}
					}
					if (seen > 0) != allowedTo(row, subject) {
						t.Errorf("%s, %s: the %s sees it on %d pages", row.Field, row.State, subject.Key, seen)
					}
				}
			}
		})
	}
}

func allowedTo(row matrix.PartRow, s matrix.Subject) bool {
	return slices.ContainsFunc(row.Cells, func(c matrix.PartCell) bool { return c.Subject.Key == s.Key && c.Allowed() })
}
