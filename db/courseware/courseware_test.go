package courseware_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"lectern/db/courseware"
	"lectern/db/school"
)

const courseText = `---
title: "Bread: what goes wrong"
summary: Gluten, gas and browning.
topic: kitchen
level: first
instructor: raymond@lectern.example
status: published
number: 11
learn:
  - Say why a wet dough rises higher.
  - "Bake it: twice."
---

For people with an *oven*.
`

const lessonText = `---
title: What gluten is
kind: reading
---

Flour has two proteins.

---

A rule is not front matter.
`

// bread is a course in which everything is right.
func bread() map[string]string {
	return map[string]string{
		"bread/course.md":                          courseText,
		"bread/01-flour-and-water/chapter.md":      "---\ntitle: Flour and water\n---\n",
		"bread/01-flour-and-water/01-gluten.md":    strings.Replace(lessonText, "kind: reading\n", "kind: reading\npreview: true\n", 1),
		"bread/01-flour-and-water/02-hydration.md": strings.Replace(lessonText, "kind: reading\n", "kind: lab\nstatus: draft\n", 1),
		"bread/02-time/chapter.md":                 "---\ntitle: Time\n---\n",
		"bread/02-time/01-yeast.md":                strings.ReplaceAll(lessonText, "\n", "\r\n"),
		"bread/02-time/.DS_Store":                  "\x00",
		"bread/.obsidian/workspace.json":           "{}",
	}
}

func files(m map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range m {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestRead(t *testing.T) {
	got, err := courseware.Read(files(bread()), "bread")
	if err != nil {
		t.Fatal(err)
	}
	body := "Flour has two proteins.\n\n---\n\nA rule is not front matter."
	want := courseware.Course{
		Slug: "bread", Title: "Bread: what goes wrong", Summary: "Gluten, gas and browning.",
		Topic: "kitchen", Level: "first", Instructor: "raymond@lectern.example", Status: school.Published, Number: 11,
		Outcomes:    []string{"Say why a wet dough rises higher.", "Bake it: twice."},
		Description: "For people with an *oven*.",
		Chapters: []courseware.Chapter{
			{Folder: "flour-and-water", Title: "Flour and water", Lessons: []courseware.Lesson{
				{Slug: "gluten", Title: "What gluten is", Kind: school.Reading, Preview: true, Status: school.Published, Body: body},
				{Slug: "hydration", Title: "What gluten is", Kind: school.Lab, Status: school.Draft, Body: body},
			}},
			{Folder: "time", Title: "Time", Lessons: []courseware.Lesson{
				{Slug: "yeast", Title: "What gluten is", Kind: school.Reading, Status: school.Published, Body: body},
			}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRead_refuses(t *testing.T) {
	const course, chapter, lesson = "bread/course.md", "bread/01-flour-and-water/chapter.md", "bread/01-flour-and-water/01-gluten.md"
	replace := func(file, old, with string) func(map[string]string) {
		return func(m map[string]string) {
			if !strings.Contains(m[file], old) {
				panic(old)
			}
			m[file] = strings.Replace(m[file], old, with, 1)
		}
	}
	add := func(file, text string) func(map[string]string) {
		return func(m map[string]string) { m[file] = text }
	}
	remove := func(prefix string) func(map[string]string) {
		return func(m map[string]string) {
			maps.DeleteFunc(m, func(name, _ string) bool { return strings.HasPrefix(name, prefix) })
		}
	}
	for _, tt := range []struct {
		name   string
		change func(map[string]string)
		want   string
	}{
		{"a course without course.md", remove(course), course + ": is missing"},
		{"a chapter without chapter.md", remove(chapter), chapter + ": is missing"},
		{"a course without chapters", remove("bread/0"), "bread: has no chapters"},
		{"a chapter without lessons", remove("bread/02-time/01"), "bread/02-time: has no lessons"},
		{"a stray file in a course", add("bread/notes.txt", ""), "bread/notes.txt: does not belong here"},
		{"a stray folder in a chapter", add("bread/02-time/more/x.md", ""), "bread/02-time/more: does not belong here"},
		{"a chapter without a number", add("bread/time/chapter.md", ""), "bread/time: a name looks like 01-a-slug"},
		{"a lesson without a number", add("bread/02-time/yeast.md", lessonText), "bread/02-time/yeast.md: a name looks like 01-a-slug.md"},
		{"a lesson in capitals", add("bread/02-time/02-Yeast.md", lessonText), "bread/02-time/02-Yeast.md: a name looks like"},
		{"a lesson that is not Markdown", add("bread/02-time/02-figure.svg", lessonText), "bread/02-time/02-figure.svg: a name looks like"},
		{"two lessons of one number", add("bread/02-time/01-z.md", lessonText), "bread/02-time/01-z.md: has the same number as 01-yeast.md"},
		{"two chapters of one number", add("bread/02-z/chapter.md", "---\ntitle: Z\n---\n"), "bread/02-z: has the same number as 02-time"},
		{"two lessons of one slug", add("bread/02-time/02-gluten.md", lessonText), "bread/02-time/02-gluten.md: has the same slug as " + lesson},

		{"no front matter", add(lesson, "Text."), lesson + ":1: begins with front matter"},
		{"front matter that does not end", add(lesson, "---\ntitle: x\n"), lesson + ":1: begins with front matter"},
		{"a blank line before it", add(lesson, "\n"+lessonText), lesson + ":1: begins with front matter"},
		{"empty front matter", add(lesson, "---\n---\nText."), lesson + ":1: kind is missing; for example:\nkind: reading"},
		{"an empty file", add(lesson, ""), lesson + ":1: begins with front matter"},
		{"a lesson without text", add(lesson, "---\ntitle: x\nkind: reading\n---\n \n"), lesson + ": has no text"},
		{"front matter that is a list", add(lesson, "---\n- a\n---\nText."), lesson + ":2: front matter is lines of the form key: value"},
		{"front matter that is a word", add(lesson, "---\nword\n---\nText."), lesson + ":2: front matter is lines of the form key: value"},
		{"two documents", add(lesson, "---\ntitle: x\n--- # y\nkind: reading\n---\nText."), lesson + ":2: front matter is one document"},
		{"bytes that are no text", add(lesson, "---\ntitle: \xff\n---\nText."), lesson + ": is not UTF-8"},
		{"a very large file", add(lesson, lessonText+strings.Repeat("x", 2<<20)), lesson + ": is larger than 2097152 bytes"},
		{"very large front matter", replace(lesson, "title: W", "title: "+strings.Repeat("x", 16<<10)), lesson + ":1: has front matter of more than 16384 bytes"},

		{"a missing title", replace(lesson, "title: What gluten is\n", ""), lesson + ":1: title is missing; for example:\ntitle: What gluten is"},
		{"an unknown key", replace(lesson, "kind: reading\n", "kind: reading\npreveiw: true\n"), lesson + `:4: unknown key "preveiw"; known here: kind, preview, status, title`},
		{"a key of another file", replace(chapter, "title: Flour and water\n", "title: x\nkind: reading\n"), chapter + `:3: unknown key "kind"; known here: title`},
		{"a key twice", replace(lesson, "kind: reading\n", "kind: reading\nkind: lab\n"), lesson + ":4: front matter: mapping key \"kind\" already defined"},
		{"a key twice, once in quotes", replace(lesson, "kind: reading\n", "kind: reading\n\"kind\": lab\n"), lesson + ":4: "},
		{"a key that is a list", replace(lesson, "kind: reading\n", "kind: reading\n? [a]\n: b\n"), lesson + ":5: front matter"},
		{"a colon in the title", replace(lesson, "title: What", "title: Gluten: what"), lesson + ":2: front matter:"},
		{"an empty title", replace(lesson, "title: What gluten is", "title:"), lesson + ":2: title: there is nothing"},
		{"a title of spaces", replace(lesson, "title: What gluten is", `title: "  "`), lesson + ":2: title: A title is needed; for example"},
		{"a title that is a number", replace(lesson, "title: What gluten is", "title: 1984"), lesson + ":2: title: text is wanted"},
		{"a title that is true", replace(lesson, "title: What gluten is", "title: true"), lesson + ":2: title: text is wanted"},
		{"a title that is a list", replace(lesson, "title: What gluten is", "title: [a, b]"), lesson + ":2: title: one piece of text is wanted"},
		{"a title that is too long", replace(lesson, "title: What", "title: "+strings.Repeat("x", 120)), lesson + ":2: title: A title has at most 120 characters"},
		{"another kind", replace(lesson, "kind: reading", "kind: video"), lesson + ":3: kind: Choose reading, quiz or lab; for example:\nkind: reading"},
		{"preview in words", replace(lesson, "preview: true", "preview: yes"), lesson + ":4: preview: true or false is wanted"},
		{"preview in quotes", replace(lesson, "preview: true", `preview: "true"`), lesson + ":4: preview: true or false is wanted"},
		{"another status", replace(course, "status: published", "status: public"), course + ":7: status: Choose draft or published"},
		{"another topic", replace(course, "topic: kitchen", "topic: cooking"), course + ":4: topic: Choose one of the topics"},
		{"another level", replace(course, "level: first", "level: 1"), course + ":5: level: text is wanted"},
		{"an instructor without an address", replace(course, "raymond@lectern.example", "Raymond"), course + ":6: instructor: An e-mail address looks like"},
		{"a number in words", replace(course, "number: 11", "number: eleven"), course + ":8: number: a whole number is wanted"},
		{"a number in quotes", replace(course, "number: 11", `number: "11"`), course + ":8: number: a whole number is wanted"},
		{"a broken number", replace(course, "number: 11", "number: 1.5"), course + ":8: number: a whole number is wanted"},
		{"number zero", replace(course, "number: 11", "number: 0"), course + ":8: number: a number from 1 to 9999 is wanted"},
		{"a number too large", replace(course, "number: 11", "number: 10000"), course + ":8: number: a number from 1 to 9999 is wanted"},
		{"outcomes that are text", replace(course, "learn:\n  - Say", "learn: Say"), course + ":9: learn: a list is wanted"},
		{"no outcomes", replace(course, "learn:\n  - Say why a wet dough rises higher.\n  - \"Bake it: twice.\"", "learn: []"), course + ":9: learn: a list is wanted"},
		{"an outcome with a colon", replace(course, `"Bake it: twice."`, "Bake it: twice."), course + ":11: learn: one piece of text is wanted"},
		{"an empty outcome", replace(course, `"Bake it: twice."`, `""`), course + ":11: learn: there is nothing"},
		{"a very long outcome", replace(course, "Bake it", strings.Repeat("x", 200)), course + ":11: learn: Each line has at most 200 characters"},
		{"many outcomes", replace(course, "  - Say", strings.Repeat("  - x\n", 12)+"  - Say"), course + ":9: learn: At most 12 lines"},

		{"an anchor", replace(lesson, "title: What", "title: &a What"), lesson + ":2: title: anchors, aliases and tags are not used here"},
		{"an alias", replace(lesson, "kind: reading\n", "kind: &k reading\nstatus: *k\n"), lesson + ":4: status: anchors"},
		{"a tag", replace(lesson, "title: What", "title: !!str What"), lesson + ":2: title: anchors"},
		{"a bomb of aliases", replace(course, "learn:\n  - Say", "learn: &a [x,x,x,x,x,x,x,x,x]\n"+bomb()+"z:\n  - Say"), course + `:9: learn: a list is wanted`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := bread()
			tt.change(m)
			got, err := courseware.Read(files(m), "bread")
			if err == nil || !reflect.DeepEqual(got, courseware.Course{}) {
				t.Fatalf("got %+v, %v; want nothing and an error", got, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got:\n%v\nwant:\n%s", err, tt.want)
			}
			var problem *courseware.Problem
			if !errors.As(err, &problem) {
				t.Errorf("%v is no *Problem", err)
			}
		})
	}
}

func bomb() string {
	var b strings.Builder
	for c := 'b'; c < 'n'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	return b.String()
}

func TestRead_namesAllProblemsAtOnce(t *testing.T) {
	m := bread()
	m["bread/course.md"] = strings.NewReplacer("kitchen", "cooking", "number: 11", "number: x").Replace(courseText)
	m["bread/02-time/01-yeast.md"] = "Text."
	_, err := courseware.Read(files(m), "bread")
	for _, want := range []string{"course.md:4: topic", "course.md:8: number", "01-yeast.md:1: begins"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got:\n%v\nwant also: %s", err, want)
		}
	}
}

func TestRead_refusesANameThatIsNoSlug(t *testing.T) {
	for _, slug := range []string{"", ".", "..", "../bread", "Bread", "bread/01-flour-and-water", "brot und salz"} {
		if _, err := courseware.Read(files(bread()), slug); err == nil {
			t.Errorf("%q was read", slug)
		}
	}
	if _, err := courseware.Read(files(bread()), "cake"); err == nil {
		t.Error("a course that is not there was read")
	}
}

func TestReadAll(t *testing.T) {
	m := bread()
	for name, text := range bread() {
		m[strings.Replace(name, "bread", "cake", 1)] = strings.Replace(text, "number: 11", "number: 2", 1)
	}
	courses, err := courseware.ReadAll(files(m))
	if err != nil {
		t.Fatal(err)
	}
	if len(courses) != 2 || courses[0].Slug != "cake" || courses[1].Slug != "bread" {
		t.Errorf("got %v", courses)
	}

	m["cake/course.md"] = courseText
	if _, err := courseware.ReadAll(files(m)); err == nil || !strings.Contains(err.Error(), `cake/course.md: number 11 is the course "bread" already`) {
		t.Errorf("two courses of one number: got %v", err)
	}
	m = bread()
	m["README.md"] = ""
	if _, err := courseware.ReadAll(files(m)); err == nil || !strings.Contains(err.Error(), "README.md: does not belong here") {
		t.Errorf("a stray file: got %v", err)
	}
}

func FuzzFrontMatter(f *testing.F) {
	for _, s := range []string{
		courseText, lessonText, "", "---\n---\n", "---\ntitle: &a [*a]\n---\n", "---\na: &a [x]\nb: [*a,*a]\n<<: *a\n---\n",
		"---\ntitle: |\n  a\n  b\n---\n", "---\ntitle: >-\n  a\n---\nx", "---\n{title: a, number: 1}\n---\n", "---\n? a\n: b\n---\n",
		"---\nnumber: 0x10\npreview: ~\n---\n", "---\n!!map {a: b}\n---\n", "---\n%YAML 1.2\n--- a\n---\n", "\ufeff---\ntitle: a\n---\n",
		"---\n" + strings.Repeat("[", 4000) + "\n---\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lesson, problems := courseware.ParseLesson(s)
		if len(problems) == 0 && lesson.Title == "" {
			t.Error("a lesson without a title, and nothing is wrong")
		}
		course, problems := courseware.ParseCourse(s)
		if len(problems) == 0 && (course.Title == "" || course.Number == 0 || len(course.Outcomes) == 0) {
			t.Errorf("nothing is wrong with %+v", course)
		}
		for _, p := range problems {
			var problem *courseware.Problem
			if !errors.As(p, &problem) || problem.Line > strings.Count(s, "\n")+strings.Count(s, "\r")+2 {
				t.Errorf("%v: there is no such line", p)
			}
		}
	})
}
