package handlers_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// BenchmarkCatalogue asks for the catalogue of 10,000 courses as a visitor,
// over loopback and with connections that are kept, and in turns for the same
// bytes from a bare net/http handler. The ratio of the two rates is the share
// that the site leaves of what is possible; it is to be at least 0.35.
func BenchmarkCatalogue(b *testing.B) {
	s := bigSite(b, 10_000)
	page := s.browser().get("/courses").body
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(page)))
		io.WriteString(w, page)
	}))
	b.Cleanup(bare.Close)
	const round = 500
	ours, theirs := newVisitors(b, s.url, "/courses"), newVisitors(b, bare.URL, "/courses")
	ours.ask(round)
	theirs.ask(round)
	var took, possible time.Duration
	asked := 0
	for b.Loop() {
		possible += theirs.ask(round)
		took += ours.ask(round)
		asked += round
	}
	perSecond := func(d time.Duration) float64 { return float64(asked) / d.Seconds() }
	b.ReportMetric(perSecond(took), "requests/s")
	b.ReportMetric(perSecond(possible), "bare-requests/s")
	b.ReportMetric(perSecond(took)/perSecond(possible), "ratio")
	b.ReportMetric(float64(len(page)), "page-bytes")
}

// BenchmarkCatalogueUncached makes the page anew for each request, in turns
// with 100 and with 10,000 courses in the school. The time for the larger one
// is to be at most 1.3 of that for the smaller.
func BenchmarkCatalogueUncached(b *testing.B) {
	small, large := bigSite(b, 100), bigSite(b, 10_000)
	for _, address := range []string{"/courses?", "/courses?sort=title&", "/courses?topic=design&level=first&", "/courses?q=course&"} {
		b.Run(address, func(b *testing.B) {
			var took [2]time.Duration
			n := 0
			for b.Loop() {
				n++
				for i, s := range []*site{small, large} {
					start := time.Now()
					answer := httptest.NewRecorder()
					r := httptest.NewRequest(http.MethodGet, address+"said=nothing", nil) // what is said to one is not kept
					s.ServeHTTP(answer, r)
					took[i] += time.Since(start)
					if answer.Code != http.StatusOK {
						b.Fatal(answer.Code)
					}
				}
			}
			b.ReportMetric(float64(took[0].Microseconds())/float64(n), "µs-at-100")
			b.ReportMetric(float64(took[1].Microseconds())/float64(n), "µs-at-10000")
			b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
		})
	}
}

// bigSite is a site with n published courses.
func bigSite(b testing.TB, n int) *site {
	b.Helper()
	s := newSite(b, session.Memory)
	data := testSchool()
	owner := data.Courses[0].Owner
	at := s.clock.Now()
	for i := range n - 2 { // the test school has two published ones
		c := db.SeedCourse{Course: school.Course{
			ID: school.MustNewID(), Slug: fmt.Sprintf("course-%d", i), Title: fmt.Sprintf("Course %d of many", i), Owner: owner,
			Summary: "A course about things of which there are many, written so that two lines are full.", Topic: school.Topics[i%len(school.Topics)],
			Level: school.Levels[i%len(school.Levels)], Number: i + 10, Status: school.Published, Version: 1, CreatedAt: at, UpdatedAt: at, PublishedAt: at,
		}}
		chapter := db.SeedChapter{Chapter: school.Chapter{ID: school.MustNewID(), CourseID: c.ID, Title: "Chapter"}}
		chapter.Lessons = []school.Lesson{{
			LessonHead: school.LessonHead{ID: school.MustNewID(), Slug: "lesson", Title: "Lesson", Kind: school.Reading, Status: school.Published, Minutes: 5},
			CourseID:   c.ID, ChapterID: chapter.ID, Body: "Text.", Version: 1, UpdatedAt: at, UpdatedBy: owner,
		}}
		c.Chapters = append(c.Chapters, chapter)
		data.Courses = append(data.Courses, c)
	}
	must(b, s.db.Reset(b.Context(), data))
	return s
}

// visitors ask one server for one page, several at once, each over a
// connection of its own. They do as little as can be, so that what is measured
// is the server.
type visitors struct {
	b        *testing.B
	asking   []byte
	visitors []*bufio.ReadWriter
}

func newVisitors(b *testing.B, server, path string) *visitors {
	b.Helper()
	u, err := url.Parse(server)
	must(b, err)
	v := &visitors{b: b, asking: []byte("GET " + path + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: bench\r\nAccept: text/html\r\n\r\n")}
	for range 4 * runtime.GOMAXPROCS(0) {
		conn, err := net.Dial("tcp", u.Host)
		must(b, err)
		b.Cleanup(func() { conn.Close() })
		v.visitors = append(v.visitors, bufio.NewReadWriter(bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)))
	}
	return v
}

// ask fetches the page n times and returns how long that took.
func (v *visitors) ask(n int) time.Duration {
	start := time.Now()
	var group sync.WaitGroup
	for i, visitor := range v.visitors {
		share := n / len(v.visitors)
		if i < n%len(v.visitors) {
			share++
		}
		group.Go(func() {
			for range share {
				if err := fetch(visitor, v.asking); err != nil {
					v.b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

func fetch(c *bufio.ReadWriter, asking []byte) error {
	if _, err := c.Write(asking); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	size := 0
	for first := true; ; first = false {
		line, err := c.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("the answer is %q", line)
		}
		if value, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if size, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	_, err := c.Discard(size)
	return err
}
