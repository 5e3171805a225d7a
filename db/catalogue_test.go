package db_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

// found is the titles of the courses that a search finds.
func (s *testSchool) found(words string) string {
	s.t.Helper()
	return titles(s.t, s, db.CourseQuery{Words: words})
}

func titles(t testing.TB, s *testSchool, q db.CourseQuery) string {
	t.Helper()
	page, err := s.Courses(t.Context(), q)
	must(t, err)
	var all []string
	for _, c := range page.Courses {
		all = append(all, c.Title)
	}
	if page.Total != len(all) || page.TotalMore || page.Next != "" {
		t.Errorf("%+v: %d courses, total %d, more %v, next %q", q, len(all), page.Total, page.TotalMore, page.Next)
	}
	return strings.Join(all, ", ")
}

// catalogue makes a few courses that differ in everything that counts.
func catalogue(t *testing.T) *testSchool {
	s := newSchool(t)
	ctx := t.Context()
	grace, zoe := s.user("Grace Hopper", school.Instructor), s.user("Zoë Ångström", school.Instructor)
	for i, c := range []struct {
		owner   school.ID
		title   string
		summary string
		topic   school.Topic
		level   school.Level
		lessons int
	}{
		{grace, "sessions", "What a server remembers.", "identity", "first", 3},
		{zoe, "Authorization", "100% of who may do what_ever.", "identity", "second", 1},
		{grace, "Bread", "Four loaves, naïvely.", "kitchen", "first", 2},
		{zoe, "Crème brûlée", "Sugar and fire; don't burn it.", "kitchen", "advanced", 4},
	} {
		made, _ := s.draft(c.owner, c.title, c.lessons)
		made.Summary, made.Topic, made.Level = c.summary, c.topic, c.level
		must(t, second(s.UpdateCourse(ctx, made, made.Version, noon)))
		must(t, s.PublishCourse(ctx, made.ID, minutes(i)))
	}
	s.draft(grace, "Draft of sessions", 1)
	gone, _ := s.course(grace, "Gone sessions", 1)
	must(t, s.DeleteCourse(ctx, gone.ID, noon))
	s.check()
	return s
}

func TestCourses_lists(t *testing.T) {
	s := catalogue(t)
	for _, q := range []struct {
		situation string
		query     db.CourseQuery
		want      string
	}{
		{"everything", db.CourseQuery{}, "sessions, Authorization, Bread, Crème brûlée"},
		{"an order that is none", db.CourseQuery{Sort: "random"}, "sessions, Authorization, Bread, Crème brûlée"},
		{"the newest", db.CourseQuery{Sort: "newest"}, "Crème brûlée, Bread, Authorization, sessions"},
		{"the shortest", db.CourseQuery{Sort: "shortest"}, "Authorization, Bread, sessions, Crème brûlée"},
		{"by title, whatever the case", db.CourseQuery{Sort: "title"}, "Authorization, Bread, Crème brûlée, sessions"},
		{"a topic", db.CourseQuery{Topic: "kitchen"}, "Bread, Crème brûlée"},
		{"a level", db.CourseQuery{Level: "first"}, "sessions, Bread"},
		{"a shelf", db.CourseQuery{Topic: "kitchen", Level: "first"}, "Bread"},
		{"an empty shelf", db.CourseQuery{Topic: "data"}, ""},
		{"a word of a title", db.CourseQuery{Words: "sessions"}, "sessions"},
		{"the beginning of one", db.CourseQuery{Words: "SESS"}, "sessions"},
		{"the end of one", db.CourseQuery{Words: "essions"}, ""},
		{"a word of a summary", db.CourseQuery{Words: "loaves"}, "Bread"},
		{"an instructor", db.CourseQuery{Words: "hopper", Sort: "title"}, "Bread, sessions"},
		{"without the accents", db.CourseQuery{Words: "creme angstrom"}, "Crème brûlée"},
		{"with accents of their own", db.CourseQuery{Words: "NAI\u0308VE"}, "Bread"},
		{"several words", db.CourseQuery{Words: "grace server"}, "sessions"},
		{"one of which is not there", db.CourseQuery{Words: "grace fire"}, ""},
		{"the same word twice", db.CourseQuery{Words: "bread bread brea"}, "Bread"},
		{"more words than are looked at", db.CourseQuery{Words: "f fo fou four l lo loa loav nonsense"}, "Bread"},
		{"a word and a shelf", db.CourseQuery{Words: "zoe", Topic: "identity", Level: "second"}, "Authorization"},
		{"an apostrophe", db.CourseQuery{Words: "don't"}, "Crème brûlée"},
		{"signs alone", db.CourseQuery{Words: "%"}, "sessions, Authorization, Bread, Crème brûlée"},
		{"a percent sign", db.CourseQuery{Words: "1%0"}, ""},
		{"an underscore", db.CourseQuery{Words: "s_ssions"}, ""},
		{"a star", db.CourseQuery{Words: "bre*d"}, ""},
		{"a quotation mark", db.CourseQuery{Words: `bread' OR '1'='1`}, ""},
		{"a comment", db.CourseQuery{Words: `bread"; DROP TABLE courses; --`}, ""},
		{"a NUL", db.CourseQuery{Words: "bre\x00ad"}, ""},
		{"not UTF-8", db.CourseQuery{Words: "bread\xff"}, "Bread"},
		{"the last of all letters", db.CourseQuery{Words: "bread\U0010FFFF"}, "Bread"},
		{"a topic that is none", db.CourseQuery{Topic: "' OR 1=1 --"}, ""},
		{"a cursor that is none", db.CourseQuery{After: "%%%"}, "sessions, Authorization, Bread, Crème brûlée"},
		{"nobody's own courses", db.CourseQuery{Status: "joined"}, ""},
		{"nobody's open courses", db.CourseQuery{Status: "open", Topic: "kitchen"}, "Bread, Crème brûlée"},
	} {
		t.Run(q.situation, func(t *testing.T) {
			if got := titles(t, s, q.query); got != q.want {
				t.Errorf("got %q, want %q", got, q.want)
			}
		})
	}
}

// Every form that a query can take is well-formed, and there is an end to how
// many of them stay prepared.
func TestCourses_inEveryForm(t *testing.T) {
	s := catalogue(t)
	page, err := s.Courses(t.Context(), db.CourseQuery{Limit: 1})
	must(t, err)
	for _, status := range []string{"", "joined", "finished", "open"} {
		for _, sort := range []string{"number", "newest", "shortest", "title"} {
			for _, topic := range []school.Topic{"", "kitchen"} {
				for _, level := range []school.Level{"", "first"} {
					for _, after := range []string{"", page.Next} {
						for n := range school.MaxQueryWords + 1 {
							q := db.CourseQuery{Status: status, Sort: sort, Topic: topic, Level: level, After: after}
							q.Words = strings.Join(strings.Fields("bread brea bre br b grace gra gr")[:n], " ")
							page, err := s.Courses(t.Context(), q)
							must(t, err)
							if n > 0 && len(page.Courses) > 1 {
								t.Errorf("%+v: %d courses", q, len(page.Courses))
							}
						}
					}
				}
			}
		}
	}
	if got := s.PreparedToRead(); got != db.MaxStatements {
		t.Errorf("%d statements stay prepared, want %d", got, db.MaxStatements)
	}
}

func TestCourses_countsTopics(t *testing.T) {
	s := catalogue(t)
	for level, want := range map[school.Level]map[school.Topic]int{
		"":         {"identity": 2, "kitchen": 2},
		"first":    {"identity": 1, "kitchen": 1},
		"advanced": {"kitchen": 1},
	} {
		page, err := s.Courses(t.Context(), db.CourseQuery{Level: level, Topic: "kitchen", Words: "bread"})
		must(t, err)
		got := maps.Clone(page.Topics)
		maps.DeleteFunc(got, func(_ school.Topic, n int) bool { return n == 0 })
		if !maps.Equal(got, want) {
			t.Errorf("level %q: got %v, want %v", level, got, want)
		}
	}
}

func TestCourses_showsTheReadersProgress(t *testing.T) {
	s := catalogue(t)
	ctx := t.Context()
	ada := s.user("Ada", school.Student)
	ids := map[string]school.ID{}
	page, err := s.Courses(ctx, db.CourseQuery{})
	must(t, err)
	for _, c := range page.Courses {
		ids[c.Title] = c.ID
	}
	for _, title := range []string{"sessions", "Authorization", "Bread"} {
		must(t, s.Join(ctx, ada, ids[title], noon))
	}
	must(t, s.Leave(ctx, ada, ids["Bread"], noon))
	outline, err := s.Outline(ctx, ids["Authorization"], false)
	must(t, err)
	must(t, second(s.Complete(ctx, ada, outline[0].Lessons[0].ID, noon)))

	for _, q := range []struct {
		query db.CourseQuery
		want  string
	}{
		{db.CourseQuery{}, "sessions, Authorization, Bread, Crème brûlée"},
		{db.CourseQuery{Status: "joined"}, "sessions, Authorization"},
		{db.CourseQuery{Status: "joined", Sort: "title"}, "Authorization, sessions"},
		{db.CourseQuery{Status: "joined", Words: "sess"}, "sessions"},
		{db.CourseQuery{Status: "joined", Level: "second"}, "Authorization"},
		{db.CourseQuery{Status: "finished"}, "Authorization"},
		{db.CourseQuery{Status: "finished", Words: "sess"}, ""},
		{db.CourseQuery{Status: "open"}, "Bread, Crème brûlée"},
		{db.CourseQuery{Status: "open", Words: "fire"}, "Crème brûlée"},
		{db.CourseQuery{Status: "open", Sort: "newest"}, "Crème brûlée, Bread"},
	} {
		q.query.Reader = ada
		if got := titles(t, s, q.query); got != q.want {
			t.Errorf("%+v: got %q, want %q", q.query, got, q.want)
		}
	}
	page, err = s.Courses(ctx, db.CourseQuery{Reader: ada})
	must(t, err)
	for _, c := range page.Courses {
		want, err := s.Enrolment(ctx, ada, c.ID)
		if c.Title != "Crème brûlée" {
			must(t, err)
		}
		if c.Enrolment != want {
			t.Errorf("%s: %+v, want %+v", c.Title, c.Enrolment, want)
		}
		whole := s.reread(c.ID)
		whole.Description = ""
		if fmt.Sprint(c.Course) != fmt.Sprint(whole) {
			t.Errorf("card %+v, course %+v", c.Course, whole)
		}
	}
}

func TestCourses_pagesHaveEachCourseOnce(t *testing.T) {
	for _, words := range []string{"", "course"} {
		for _, status := range []string{"", "open", "joined"} {
			for _, sort := range []string{"number", "newest", "shortest", "title"} {
				t.Run(strings.Join([]string{sort, status, words}, " "), func(t *testing.T) {
					t.Parallel()
					s := newSchool(t)
					teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
					first := map[school.ID]bool{}
					add := func(i int) school.ID {
						c, _ := s.draft(teacher, fmt.Sprintf("Course %d", i%4), 1+i%3)
						must(t, s.PublishCourse(t.Context(), c.ID, minutes(i%5)))
						if status == "joined" {
							must(t, s.Join(t.Context(), ada, c.ID, noon))
						}
						return c.ID
					}
					for i := range 11 {
						first[add(i)] = true
					}
					total := len(first)
					q := db.CourseQuery{Words: words, Status: status, Sort: sort, Limit: 2, Reader: ada}
					seen := map[school.ID]int{}
					for {
						page, err := s.Courses(t.Context(), q)
						must(t, err)
						if page.Total != total || page.TotalMore {
							t.Errorf("total %d, want %d", page.Total, total)
						}
						for _, c := range page.Courses {
							seen[c.ID]++
						}
						if page.Next == "" {
							break
						}
						q.After = page.Next
						if total < 18 { // in some orders every new one comes last
							add(total)
							total++
						}
					}
					for id, n := range seen {
						if n != 1 {
							t.Errorf("%s came %d times", id, n)
						}
						delete(first, id)
					}
					if len(first) > 0 {
						t.Errorf("%d never came", len(first))
					}
					s.check()
				})
			}
		}
	}
}

func TestCourses_aCursorOfAnotherOrderBeginsAfresh(t *testing.T) {
	s := catalogue(t)
	page, err := s.Courses(t.Context(), db.CourseQuery{Sort: "shortest", Limit: 2})
	must(t, err)
	if page.Next == "" {
		t.Fatal("no next page")
	}
	if got, want := titles(t, s, db.CourseQuery{After: page.Next}), "sessions, Authorization, Bread, Crème brûlée"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCourses_readsPagesOffAnIndex(t *testing.T) {
	s := catalogue(t)
	indexes := map[string]string{"number": "number", "newest": "age", "shortest": "length", "title": "title"}
	for sort, name := range indexes {
		for _, filter := range []struct {
			topic school.Topic
			level school.Level
			index string
		}{
			{"", "", "courses_by_"},
			{"data", "", "courses_topic_by_"},
			{"", "first", "courses_level_by_"},
			{"data", "first", "courses_shelf_by_"},
		} {
			for _, status := range []string{"", "open"} {
				q := db.CourseQuery{Sort: sort, Topic: filter.topic, Level: filter.level, Status: status, Reader: nobody, Limit: 1}
				first, err := s.Courses(t.Context(), db.CourseQuery{Sort: sort, Limit: 1})
				must(t, err)
				for _, after := range []string{"", first.Next} {
					q.After = after
					plan, err := s.ExplainCourses(t.Context(), q)
					must(t, err)
					text := strings.Join(plan, "\n")
					if !strings.HasPrefix(text, "SEARCH c USING INDEX "+filter.index+name+" ") || strings.Contains(text, "SCAN") || strings.Contains(text, "TEMP B-TREE") {
						t.Errorf("%+v:\n%s", q, text)
					}
					if after != "" && !strings.Contains(plan[0], ",id)") {
						t.Errorf("the cursor is not looked up: %s", plan[0])
					}
				}
			}
		}
	}
}

func TestUsers_readsPagesOffAnIndex(t *testing.T) {
	s := newSchool(t)
	for index, q := range map[string]db.UserQuery{
		"users_by_name":          {},
		"users_by_role":          {Role: school.Student},
		"users_enabled":          {State: "enabled"},
		"users_disabled":         {State: "disabled"},
		"users_enabled_by_role":  {State: "enabled", Role: school.Student},
		"users_disabled_by_role": {State: "disabled", Role: school.Student},
		"users_in_two_steps":     {Steps: "two"},
		"users_in_one_step":      {Steps: "one"},
	} {
		plan, err := s.ExplainUsers(t.Context(), q)
		must(t, err)
		if !strings.HasSuffix(strings.TrimSuffix(plan[0], " (role=?)"), "USING INDEX "+index) ||
			slices.ContainsFunc(plan, func(step string) bool { return strings.Contains(step, "TEMP B-TREE") }) {
			t.Errorf("%+v:\n%s", q, strings.Join(plan, "\n"))
		}
	}
}

func TestCourses_totalOfASearchStopsAtTwoHundred(t *testing.T) {
	s := newSchool(t)
	_, err := s.Seed(t.Context(), bigSchool(1_200))
	must(t, err)
	for _, q := range []struct {
		query db.CourseQuery
		total int
		more  bool
	}{
		{db.CourseQuery{}, 1_200, false},
		{db.CourseQuery{Words: "course"}, 200, true},
		{db.CourseQuery{Words: "course about"}, 200, true},
		{db.CourseQuery{Words: "course third"}, 200, true},
		{db.CourseQuery{Words: "course", Topic: "data"}, 200, false},
		{db.CourseQuery{Status: "open"}, 200, true},
		{db.CourseQuery{Topic: "data"}, 200, false},
	} {
		page, err := s.Courses(t.Context(), q.query)
		must(t, err)
		if page.Total != q.total || page.TotalMore != q.more || len(page.Courses) != 24 || page.Next == "" {
			t.Errorf("%+v: %d of %d, more %v; want %d, %v", q.query, len(page.Courses), page.Total, page.TotalMore, q.total, q.more)
		}
	}
	s.check()
}

// A search that finds little in much looks at so many courses for a page, and
// goes on with the next: each course comes once.
func TestCourses_looksAtSoManyForAPage(t *testing.T) {
	s := newSchool(t)
	must(t, second(s.Seed(t.Context(), bigSchool(4_500))))
	for _, sort := range []string{"number", "newest", "shortest", "title"} {
		for words, want := range map[string]int{"even odd": 0, "even third only": 750} {
			q := db.CourseQuery{Words: words, Sort: sort, Limit: 100}
			plan, err := s.ExplainCourses(t.Context(), q)
			must(t, err)
			if !strings.Contains(plan[0], ",id)") {
				t.Errorf("the end is not looked up: %s", plan[0])
			}
			seen, pages := map[school.ID]bool{}, 0
			for {
				page, err := s.Courses(t.Context(), q)
				must(t, err)
				pages++
				for _, c := range page.Courses {
					if seen[c.ID] {
						t.Errorf("%s came twice", c.Title)
					}
					seen[c.ID] = true
				}
				if !page.TotalMore {
					t.Errorf("%s: total %d, and no more", words, page.Total)
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if len(seen) != want || pages < 3 {
				t.Errorf("%s, %s: %d courses on %d pages, want %d", words, sort, len(seen), pages, want)
			}
		}
	}
}

func TestCourses_searchesTheShorterWay(t *testing.T) {
	s := newSchool(t)
	must(t, second(s.Seed(t.Context(), bigSchool(1_200))))
	for words, first := range map[string]string{
		"course":             "SEARCH c USING INDEX courses_by_number",
		"course about":       "SEARCH c USING INDEX courses_by_number",
		"00042":              "CO-ROUTINE found",
		"about 00042 course": "CO-ROUTINE found",
	} {
		plan, err := s.ExplainCourses(t.Context(), db.CourseQuery{Words: words})
		must(t, err)
		if !strings.HasPrefix(plan[0], first) {
			t.Errorf("%q:\n%s", words, strings.Join(plan, "\n"))
		}
	}
}

// bigSchool is a school of n published courses with a lesson each.
func bigSchool(n int) db.SeedData {
	teacher := person("Grace Hopper", school.Instructor)
	data := db.SeedData{Users: []db.SeedUser{{User: teacher, PasswordHash: func() string { return "hash" }}}}
	owner := school.Person{ID: teacher.ID}
	for i := range n {
		title := fmt.Sprintf("Course %05d", i)
		if i%3 == 0 {
			title += ", each third"
		}
		title += []string{", even", ", odd"}[i%2]
		if i%len(school.Topics) == 0 {
			title += ", only here"
		}
		data.Courses = append(data.Courses, db.SeedCourse{
			Course: school.Course{
				ID: school.MustNewID(), Slug: fmt.Sprintf("course-%d", i), Title: title, Summary: "About it.",
				Description: strings.Repeat("A description. ", 100),
				Topic:       school.Topics[i%len(school.Topics)], Level: school.Levels[i%len(school.Levels)],
				Number: i, Status: school.Published, Owner: owner,
				CreatedAt: noon, UpdatedAt: noon, PublishedAt: minutes(i),
			},
			Chapters: []db.SeedChapter{{
				Chapter: school.Chapter{ID: school.MustNewID(), Title: "Chapter"},
				Lessons: []school.Lesson{{
					LessonHead: school.LessonHead{ID: school.MustNewID(), Slug: "lesson", Title: "Lesson", Kind: school.Reading, Status: school.Published, Minutes: 1 + i%50},
					Body:       "Text.", UpdatedAt: noon, UpdatedBy: owner,
				}},
			}},
		})
	}
	return data
}
