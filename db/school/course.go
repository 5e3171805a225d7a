package school

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Topic is the shelf that a course stands on.
type Topic string

// Topics lists the shelves in the order in which the catalogue shows them.
var Topics = []Topic{"identity", "programming", "data", "design", "kitchen", "language"}

var topicLabels = map[Topic]string{
	"identity":    "Identity and access",
	"programming": "Programming",
	"data":        "Data",
	"design":      "Design",
	"kitchen":     "Kitchen science",
	"language":    "Language",
}

// Label is the topic's name on a page.
func (t Topic) Label() string { return topicLabels[t] }

// ParseTopic accepts one of Topics.
func ParseTopic(s string) (Topic, error) {
	if _, ok := topicLabels[Topic(s)]; !ok {
		return "", &Invalid{"topic", "Choose one of the topics."}
	}
	return Topic(s), nil
}

// Level says how much a course expects of its readers.
type Level string

// Levels lists them from the easiest to the hardest.
var Levels = []Level{"first", "second", "advanced"}

var levelLabels = map[Level]string{"first": "First course", "second": "Second course", "advanced": "Advanced"}

// Label is the level's name on a page.
func (l Level) Label() string { return levelLabels[l] }

// ParseLevel accepts one of Levels.
func ParseLevel(s string) (Level, error) {
	if _, ok := levelLabels[Level(s)]; !ok {
		return "", &Invalid{"level", "Choose one of the levels."}
	}
	return Level(s), nil
}

// Status says who can see a course or a lesson.
type Status string

const (
	Draft     Status = "draft"     // those who may edit it
	Published Status = "published" // everybody
)

// ParseStatus accepts the two names above.
func ParseStatus(s string) (Status, error) {
	switch st := Status(s); st {
	case Draft, Published:
		return st, nil
	}
	return "", &Invalid{"status", "Choose draft or published."}
}

// Kind is the way in which a lesson is played.
type Kind string

const (
	Reading Kind = "reading" // done when the reader says so
	Quiz    Kind = "quiz"
	Lab     Kind = "lab"
)

// Kinds lists them in the order of the editor's menu.
var Kinds = []Kind{Reading, Quiz, Lab}

// Label is the kind's name on a page.
func (k Kind) Label() string {
	switch k {
	case Quiz:
		return "Quiz"
	case Lab:
		return "Lab"
	}
	return "Reading"
}

// ParseKind accepts the three names above.
func ParseKind(s string) (Kind, error) {
	switch k := Kind(s); k {
	case Reading, Quiz, Lab:
		return k, nil
	}
	return "", &Invalid{"kind", "Choose reading, quiz or lab."}
}

// Course is one course of the catalogue, without its chapters.
type Course struct {
	ID          ID
	Slug        string
	Title       string
	Summary     string
	Description string // Markdown
	Topic       Topic
	Level       Level
	Number      int // place in the editor's order
	Status      Status
	Outcomes    []string // what its readers will be able to do
	Owner       Person
	Students    int // people who have joined and not left
	Lessons     int // published lessons
	Minutes     int // the time they take to read
	Version     int // goes up by one with each saved edit
	CreatedAt   time.Time
	UpdatedAt   time.Time
	PublishedAt time.Time // zero for a course that never was
	DeletedAt   time.Time // zero unless it lies in the bin
}

// Person is as much of a user as other people are shown.
type Person struct {
	ID   ID
	Name string
}

// Chapter is a part of a course, with its lessons in order.
type Chapter struct {
	ID       ID
	CourseID ID
	Title    string
	Position int
	Lessons  []LessonHead
}

// LessonHead is what an outline shows of a lesson.
type LessonHead struct {
	ID       ID
	Slug     string
	Title    string
	Kind     Kind
	Status   Status
	Preview  bool // readable without joining
	Minutes  int
	Position int
}

// Lesson is a whole lesson.
type Lesson struct {
	LessonHead
	CourseID  ID
	ChapterID ID
	Body      string // Markdown
	Version   int    // goes up by one with each saved edit
	UpdatedAt time.Time
	UpdatedBy Person
}

// Enrolment is one person's place in one course. Leaving sets LeftAt and
// keeps everything else, so that joining again finds it.
type Enrolment struct {
	CourseID   ID
	JoinedAt   time.Time
	LeftAt     time.Time // zero while joined
	Done       int       // published lessons completed
	FinishedAt time.Time // zero until every published lesson was completed
	LastLesson ID        // the lesson last opened; empty before the first
}

// Joined reports whether the person is in the course now.
func (e Enrolment) Joined() bool { return !e.JoinedAt.IsZero() && e.LeftAt.IsZero() }

// Slug makes the part of an address out of a title: lower-case ASCII letters,
// digits and single hyphens, at most 60 characters, never empty.
func Slug(title string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(title) {
		if f, ok := foldings[r]; ok {
			r = f
		}
		switch {
		case r < utf8.RuneSelf && (unicode.IsLower(r) || unicode.IsDigit(r)):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case r == '\'' || r == '’':
		default:
			gap = true
		}
		if b.Len() >= 60 {
			break
		}
	}
	if b.Len() == 0 {
		return "untitled"
	}
	return strings.TrimSuffix(b.String(), "-")
}

// ParseSlug accepts what Slug makes, with which a malformed address is 404
// before the database is asked.
func ParseSlug(s string) (string, error) {
	if s == "" || len(s) > 80 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", ErrNotFound
	}
	return s, nil
}

// foldings are the letters of European names that have a plain neighbour.
var foldings = func() map[rune]rune {
	m := map[rune]rune{}
	for plain, accented := range map[rune]string{
		'a': "àáâãäåāą", 'c': "çćč", 'd': "ďđ", 'e': "èéêëēęě", 'g': "ğ", 'i': "ìíîïī", 'l': "łľ",
		'n': "ñńň", 'o': "òóôõöøō", 'r': "ř", 's': "śšş", 't': "ťţ", 'u': "ùúûüūů", 'y': "ýÿ", 'z': "źżž",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
}()
