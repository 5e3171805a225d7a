package courseware

import "lectern/db/school"

// ParseLesson reads one lesson's text and says what is wrong with it.
func ParseLesson(text string) (l Lesson, problems []error) {
	var r reader
	f := &front{file: "01-a.md", keys: lessonKeys, report: r.problem}
	f.parse(text)
	l.Title = read(f, "title", school.ParseTitle)
	l.Preview = f.yes("preview")
	return l, r.problems
}

// ParseCourse does the same for course.md.
func ParseCourse(text string) (c Course, problems []error) {
	var r reader
	f := &front{file: "course.md", keys: courseKeys, report: r.problem}
	f.parse(text)
	c.Title = read(f, "title", school.ParseTitle)
	c.Number = f.number("number")
	c.Outcomes = f.list("learn")
	return c, r.problems
}
