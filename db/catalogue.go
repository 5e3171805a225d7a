package db

import (
	"context"
	"errors"
	"strconv"

	"lectern/db/school"
)

// CourseQuery says which courses of the catalogue to list, and in which order.
type CourseQuery struct {
	Words  string       // the beginnings of words of title, summary or instructor
	Topic  school.Topic // empty for any
	Level  school.Level // empty for any
	Status string       // "joined", "open" (not joined), "finished", or anything else for all
	Sort   string       // "newest", "shortest", "title", or anything else for the editor's order
	After  string       // the Next of the page before; empty for the first
	Limit  int          // rows of a page; 24 if not given, at most 100
	Reader school.ID    // whose progress to show; empty for a visitor
}

// Continues reports whether After is the Next of a page in the order of q, and
// not the first page under another name.
func (q CourseQuery) Continues() bool {
	order := orderOf(q.Sort)
	c, ok := parseCursor(q.After, order.name)
	if ok && !order.isText {
		_, ok = c.number()
	}
	return ok
}

// CourseCard is a course as the catalogue shows it, without its Description.
type CourseCard struct {
	school.Course
	Enrolment school.Enrolment // the reader's; zero if they never joined
}

// CoursePage is one page of the catalogue.
type CoursePage struct {
	Courses   []CourseCard
	Next      string               // what to ask for next; empty on the last page
	Total     int                  // courses on all pages
	TotalMore bool                 // whether there are more than Total
	Topics    map[school.Topic]int // listed courses of the level asked for, by topic
}

// Courses lists published courses. The total of a search, and of a status,
// stops at 200. A page for which 2,000 courses were looked at ends there, with
// fewer courses than asked for and a next page; its total has more. A cursor
// that is none begins at the first page.
func (d *DB) Courses(ctx context.Context, q CourseQuery) (CoursePage, error) {
	found, err := d.search(ctx, courseWords, school.QueryWords(q.Words))
	if err != nil {
		return CoursePage{}, err
	}
	end, err := d.window(ctx, q, found)
	if err != nil {
		return CoursePage{}, err
	}
	b := q.list(found, end)
	rows, err := all(ctx, d, b.query("list courses"), scanCard, b.args...)
	if err != nil {
		return CoursePage{}, err
	}
	var page CoursePage
	var last *CourseCard
	if page.Courses, last = cutPage(rows, pageLimit(q.Limit)); last != nil {
		order := orderOf(q.Sort)
		page.Next = cursor{order.name, order.key(last.Course), last.ID}.String()
	}
	if last == nil {
		page.Next = end
	}
	if err := d.countCourses(ctx, q, found, end, &page); err != nil {
		return CoursePage{}, err
	}
	return page, nil
}

// window is the cursor of the last course that is looked at for the page, if
// the courses of its shelf are looked at one after another and there are more of
// them than maxLooked. It is found on the index alone.
func (d *DB) window(ctx context.Context, q CourseQuery, found search) (string, error) {
	if q.Status == "joined" || q.Status == "finished" || found.rare || len(found.words) == 0 && q.Status != "open" {
		return "", nil
	}
	order := orderOf(q.Sort)
	var b builder
	b.add("SELECT " + order.column + ", c.id FROM courses AS c WHERE c.listed = 1")
	q.shelf(&b)
	order.after(&b, q.After)
	b.add(" ORDER BY "+order.column+order.direction+", c.id"+order.direction+" LIMIT 1 OFFSET ?", maxLooked-1)
	end, err := one(ctx, d, b.query("window"), func(row scanner) (string, error) {
		var key string
		var id school.ID
		err := row.Scan(&key, &id)
		return cursor{order.name, key, id}.String(), err
	}, b.args...)
	if errors.Is(err, school.ErrNotFound) {
		return "", nil
	}
	return end, err
}

// list reads one course more than the page has.
func (q CourseQuery) list(found search, end string) *builder {
	order := orderOf(q.Sort)
	var b builder
	b.add("SELECT" + courseColumns + ", ''," + enrolmentColumns)
	q.match(&b, found)
	order.after(&b, q.After)
	order.upTo(&b, end)
	b.add(" ORDER BY "+order.column+order.direction+", c.id"+order.direction+" LIMIT ?", pageLimit(q.Limit)+1)
	return &b
}

func scanCard(row scanner) (c CourseCard, err error) {
	var outcomes string
	fields := append(courseFields(&c.Course, &outcomes), enrolmentFields(&c.Enrolment)...)
	err = row.Scan(fields...)
	c.Outcomes = splitOutcomes(outcomes)
	return c, err
}

// match adds which courses q asks for. Those of one reader are read from their
// enrolments, which are few; all others from the catalogue, with the reader's
// enrolment beside each.
func (q CourseQuery) match(b *builder, found search) {
	mine := q.Status == "joined" || q.Status == "finished"
	if mine {
		found.rare = false
		b.add(" FROM enrolments AS e CROSS JOIN courses AS c")
	} else {
		found.from(b, "courses", "c")
		b.add(" LEFT JOIN enrolments AS e ON e.user_id = ? AND e.course_id = c.id", q.Reader)
	}
	b.add(" CROSS JOIN users AS u WHERE u.id = c.owner_id AND c.listed = 1")
	if mine {
		b.add(" AND e.user_id = ? AND e.course_id = c.id AND e.left_at IS NULL", q.Reader)
	}
	switch q.Status {
	case "finished":
		b.add(" AND e.finished_at IS NOT NULL")
	case "open":
		b.add(" AND (e.user_id IS NULL OR e.left_at IS NOT NULL)")
	}
	found.where(b, "c")
	q.shelf(b)
}

// shelf adds the topic and the level that q asks for.
func (q CourseQuery) shelf(b *builder) {
	if q.Topic != "" {
		b.add(" AND c.topic = ?", q.Topic)
	}
	if q.Level != "" {
		b.add(" AND c.level = ?", q.Level)
	}
}

// courseOrder is an order of the catalogue. Courses that are equal in it stand
// in the order of their ids.
type courseOrder struct {
	name      string
	column    string
	direction string // "" or " DESC"
	key       func(school.Course) string
	isText    bool
}

var (
	byNumber = courseOrder{
		name:   "number",
		column: "c.number",
		key:    func(c school.Course) string { return strconv.Itoa(c.Number) },
	}
	byAge = courseOrder{
		name:      "newest",
		column:    "c.published_at",
		direction: " DESC",
		key:       func(c school.Course) string { return strconv.FormatInt(c.PublishedAt.UnixMilli(), 10) },
	}
	byLength = courseOrder{
		name:   "shortest",
		column: "c.minutes",
		key:    func(c school.Course) string { return strconv.Itoa(c.Minutes) },
	}
	byTitle = courseOrder{
		name:   "title",
		column: "c.title_key",
		key:    func(c school.Course) string { return school.Fold(c.Title) },
		isText: true,
	}
)

func orderOf(sort string) courseOrder {
	for _, order := range []courseOrder{byAge, byLength, byTitle} {
		if order.name == sort {
			return order
		}
	}
	return byNumber
}

// after adds the condition that a course stands after the cursor, if that is
// one of this order.
func (o courseOrder) after(b *builder, s string) {
	if o.direction == "" {
		o.compare(b, ">", s)
	} else {
		o.compare(b, "<", s)
	}
}

// upTo adds the condition that a course stands before the cursor or at it.
func (o courseOrder) upTo(b *builder, s string) {
	if o.direction == "" {
		o.compare(b, "<=", s)
	} else {
		o.compare(b, ">=", s)
	}
}

func (o courseOrder) compare(b *builder, comparison, s string) {
	c, ok := parseCursor(s, o.name)
	if !ok {
		return
	}
	var key any = c.key
	if !o.isText {
		if key, ok = c.number(); !ok {
			return
		}
	}
	b.add(" AND ("+o.column+", c.id) "+comparison+" (?, ?)", key, c.id)
}

// shelf is one topic's courses of one level.
type shelf struct {
	topic  school.Topic
	level  school.Level
	listed int
}

func scanShelf(row scanner) (s shelf, err error) {
	err = row.Scan(&s.topic, &s.level, &s.listed)
	return s, err
}

var allShelves = statement("shelves", `
	SELECT topic,
	       level,
	       listed
	  FROM course_counts`)

// countCourses fills in the numbers beside the page: from the kept counts if it
// is a page of whole shelves, otherwise by counting what q asks for.
func (d *DB) countCourses(ctx context.Context, q CourseQuery, found search, end string, page *CoursePage) error {
	shelves, err := all(ctx, d, allShelves, scanShelf)
	if err != nil {
		return err
	}
	page.Topics = map[school.Topic]int{}
	for _, s := range shelves {
		if q.Level != "" && q.Level != s.level {
			continue
		}
		page.Topics[s.topic] += s.listed
		if q.Topic == "" || q.Topic == s.topic {
			page.Total += s.listed
		}
	}
	switch q.Status {
	case "joined", "finished", "open":
	default:
		if len(found.words) == 0 {
			return nil
		}
	}
	if q.After == "" && (page.Next == "" || page.Next == end) {
		page.Total, page.TotalMore = len(page.Courses), end != ""
		return nil
	}
	if q.After != "" { // all pages are counted, not those that are left
		q.After = ""
		if end, err = d.window(ctx, q, found); err != nil {
			return err
		}
	}
	var b builder
	b.add("SELECT COUNT(*) FROM (SELECT 1")
	q.match(&b, found)
	orderOf(q.Sort).upTo(&b, end)
	if end != "" { // the window's index, not another
		order := orderOf(q.Sort)
		b.add(" ORDER BY " + order.column + order.direction + ", c.id" + order.direction)
	}
	b.add(" LIMIT ?) AS matches", maxTotal+1)
	counted, err := one(ctx, d, b.query("count courses"), value[int], b.args...)
	page.Total, page.TotalMore = cutTotal(counted)
	page.TotalMore = page.TotalMore || end != ""
	return err
}
