// Package courseware reads a course that was written as a folder of Markdown
// and checks it.
//
//	sessions/course.md                               what the course is
//	sessions/01-why-a-session/chapter.md             a chapter's title
//	sessions/01-why-a-session/01-the-cookie.md       a lesson
//
// Folders and lessons are numbered so that their order can be seen; the rest
// of the name is the slug. Every file begins with front matter between two
// lines of "---" and goes on in Markdown. The keys:
//
//	course.md    title, summary, topic, level, instructor, status, number, learn
//	chapter.md   title
//	a lesson     title, kind, and if wanted preview and status
//
// Whoever writes a course learns of all mistakes at once, each with its file,
// its line and what would be right ([Problem]). Nothing is guessed and nothing
// passed over: an unknown key is a mistake, since it is usually a known one
// misspelt. What comes out has been through the parsers of package school, so
// that it can be stored as it is. Markdown itself has no mistakes; it is
// rendered elsewhere.
package courseware

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"lectern/db/school"
)

// Bounds that no course has a reason to reach.
const (
	maxFile     = 2 << 20 // bytes; school.MaxBody counts characters
	maxCourses  = 1000
	maxChapters = 100 // in a course
	maxLessons  = 100 // in a chapter
)

// Course is a course with all its chapters and lessons.
type Course struct {
	Slug        string
	Title       string
	Summary     string
	Topic       school.Topic
	Level       school.Level
	Instructor  school.Email
	Status      school.Status
	Number      int // place in the editor's order
	Outcomes    []string
	Description string // Markdown
	Chapters    []Chapter
}

// Chapter is one chapter with its lessons in order.
type Chapter struct {
	Folder  string // without its number
	Title   string
	Lessons []Lesson
}

// Lesson is one lesson.
type Lesson struct {
	Slug    string // unique within the course
	Title   string
	Kind    school.Kind
	Preview bool // readable without joining
	Status  school.Status
	Body    string // Markdown
}

// Problem is one thing that has to be mended in one file.
type Problem struct {
	File string
	Line int // zero when it is not about one line
	What string
}

func (p *Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.What)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.What)
}

// ReadAll reads every course in fsys, in the order of their numbers. The error
// joins all [Problem]s of all courses.
func ReadAll(fsys fs.FS) ([]Course, error) {
	r := reader{fsys: fsys}
	var courses []Course
	numbers := map[int]string{}
	for _, name := range r.folder(".", maxCourses, isDir) {
		course := r.course(name)
		if other, taken := numbers[course.Number]; taken && course.Number > 0 {
			r.problem(path.Join(name, "course.md"), 0, "number %d is the course %q already; each course has its own", course.Number, other)
		}
		numbers[course.Number] = name
		courses = append(courses, course)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	slices.SortFunc(courses, func(a, b Course) int { return cmp.Compare(a.Number, b.Number) })
	return courses, nil
}

// Read reads the course in the folder slug of fsys. The error joins all
// [Problem]s.
func Read(fsys fs.FS, slug string) (Course, error) {
	r := reader{fsys: fsys}
	course := r.course(slug)
	if err := r.err(); err != nil {
		return Course{}, err
	}
	return course, nil
}

// reader collects what is wrong while it reads.
type reader struct {
	fsys     fs.FS
	problems []error
}

func (r *reader) problem(file string, line int, format string, args ...any) {
	r.problems = append(r.problems, &Problem{File: file, Line: line, What: fmt.Sprintf(format, args...)})
}

func (r *reader) err() error { return errors.Join(r.problems...) }

func isDir(e fs.DirEntry) bool  { return e.IsDir() }
func isFile(e fs.DirEntry) bool { return e.Type().IsRegular() }

// folder lists what of one kind is in a folder, by name, and complains about
// everything else. Hidden files are an editor's or a file system's own.
func (r *reader) folder(dir string, most int, wanted func(fs.DirEntry) bool, besides ...string) (names []string) {
	entries, err := fs.ReadDir(r.fsys, dir)
	if err != nil {
		r.problem(dir, 0, "cannot be read: %v", err)
		return nil
	}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), ".") || slices.Contains(besides, e.Name()) && isFile(e):
		case !wanted(e):
			r.problem(path.Join(dir, e.Name()), 0, "does not belong here")
		default:
			names = append(names, e.Name())
		}
	}
	if len(names) > most {
		r.problem(dir, 0, "holds %d entries; at most %d", len(names), most)
		return nil
	}
	return names
}

func (r *reader) course(slug string) Course {
	c := Course{Slug: slug}
	if _, err := school.ParseSlug(slug); err != nil {
		r.problem(slug, 0, "a folder's name has only lower-case letters, digits and hyphens")
		return c
	}
	f := r.open(path.Join(slug, "course.md"), courseKeys)
	c.Title = read(f, "title", school.ParseTitle)
	c.Summary = read(f, "summary", school.ParseSummary)
	c.Topic = read(f, "topic", school.ParseTopic)
	c.Level = read(f, "level", school.ParseLevel)
	c.Instructor = read(f, "instructor", school.ParseEmail)
	c.Status = read(f, "status", school.ParseStatus)
	c.Number = f.number("number")
	c.Outcomes = f.list("learn")
	c.Description = f.body(school.ParseDescription)

	lessons := map[string]string{}
	names := r.folder(slug, maxChapters, isDir, "course.md")
	if len(names) == 0 {
		r.problem(slug, 0, "has no chapters")
	}
	r.numbered(slug, names, "")
	for _, name := range names {
		c.Chapters = append(c.Chapters, r.chapter(path.Join(slug, name), lessons))
	}
	return c
}

// chapter reads one chapter. The map tells in which file each lesson's slug
// was used, over the whole course.
func (r *reader) chapter(dir string, lessons map[string]string) Chapter {
	c := Chapter{Folder: withoutNumber(path.Base(dir))}
	c.Title = read(r.open(path.Join(dir, "chapter.md"), chapterKeys), "title", school.ParseTitle)
	names := r.folder(dir, maxLessons, isFile, "chapter.md")
	if len(names) == 0 {
		r.problem(dir, 0, "has no lessons")
	}
	r.numbered(dir, names, ".md")
	for _, name := range names {
		file := path.Join(dir, name)
		lesson := r.lesson(file)
		if other, taken := lessons[lesson.Slug]; taken {
			r.problem(file, 0, "has the same slug as %s; a lesson's slug is unique in its course", other)
		}
		lessons[lesson.Slug] = file
		c.Lessons = append(c.Lessons, lesson)
	}
	return c
}

func (r *reader) lesson(file string) Lesson {
	l := Lesson{Slug: withoutNumber(strings.TrimSuffix(path.Base(file), ".md")), Status: school.Published}
	f := r.open(file, lessonKeys)
	l.Title = read(f, "title", school.ParseTitle)
	l.Kind = read(f, "kind", school.ParseKind)
	l.Preview = f.yes("preview")
	if f.has("status") {
		l.Status = read(f, "status", school.ParseStatus)
	}
	l.Body = f.body(school.ParseBody)
	if f.whole && l.Body == "" {
		r.problem(file, 0, "has no text after its front matter")
	}
	return l
}

var numberedName = regexp.MustCompile(`^([0-9]{2})-([a-z0-9-]+)$`)

// numbered checks that names are numbers and slugs, and no number is used
// twice: then the order of names is the order of numbers.
func (r *reader) numbered(dir string, names []string, extension string) {
	taken := map[string]string{}
	for _, name := range names {
		file := path.Join(dir, name)
		m := numberedName.FindStringSubmatch(strings.TrimSuffix(name, extension))
		if m == nil || !strings.HasSuffix(name, extension) {
			r.problem(file, 0, "a name looks like 01-a-slug%s", extension)
			continue
		}
		if _, err := school.ParseSlug(m[2]); err != nil {
			r.problem(file, 0, "the name is too long")
		}
		if other, ok := taken[m[1]]; ok {
			r.problem(file, 0, "has the same number as %s", other)
		}
		taken[m[1]] = name
	}
}

func withoutNumber(name string) string {
	if m := numberedName.FindStringSubmatch(name); m != nil {
		return m[2]
	}
	return name
}

// text reads a whole file of bounded size.
func (r *reader) text(file string) (string, bool) {
	f, err := r.fsys.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		r.problem(file, 0, "is missing")
		return "", false
	}
	if err != nil {
		r.problem(file, 0, "cannot be opened: %v", err)
		return "", false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		r.problem(file, 0, "cannot be read: %v", err)
	case len(b) > maxFile:
		r.problem(file, 0, "is larger than %d bytes", maxFile)
	case !utf8.Valid(b):
		r.problem(file, 0, "is not UTF-8")
	default:
		return string(b), true
	}
	return "", false
}
