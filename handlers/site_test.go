package handlers_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers"
	"lectern/handlers/auth"
	"lectern/handlers/bearer"
	"lectern/handlers/lab"
	"lectern/handlers/lab/othersite"
	"lectern/handlers/message"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/kinds"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// password is everybody's in the test school.
const password = "a quiet violet tractor"

// site is a whole site on a SQLite file of its own, with a clock that stands
// still until it is moved.
type site struct {
	*handlers.Server
	t        testing.TB
	db       *db.DB
	sessions *session.Manager
	ledger   *cookiejwt.SQLLedger
	clock    *clock
	url      string
	key      string // that tokens are signed with, kid:base64url
	log      *logged
	salts    atomic.Int64 // drawn for new hashes of passwords
	campus   *campusID    // nil where it was not asked for
}

// logged is what the site wrote into its log.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

var lifetimes = session.Lifetimes{Token: time.Hour, Access: time.Minute, Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Remember: 720 * time.Hour}

// backends are the kinds of session that every page test runs with.
var backends = []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid}

// forRaces are the kinds that are enough for the race detector, with -short: the one
// whose sessions all requests share in memory, and the one that has a part of each
// other.
var forRaces = []string{session.Memory, session.Hybrid}

// tried are the kinds that a test of pages runs with.
func tried() []string {
	if testing.Short() {
		return forRaces
	}
	return backends
}

// oneByOne is for tests that take long and send one request after the other, to a site of
// their own: with -short, as under the race detector, there is nothing to be found in them.
func oneByOne(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one request after the other")
	}
}

// lagOf is how late a kind of session notices that it has ended.
func lagOf(backend string) time.Duration {
	if backend == session.Hybrid {
		return lifetimes.Access
	}
	return 0
}

// eachBackend runs a test once for every kind of session, on a site of its own.
func eachBackend(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, backend))
		})
	}
}

var passwordHash = sync.OnceValue(func() string {
	hash, err := auth.NewHasher(rand.Reader, 1).Hash(context.Background(), password)
	if err != nil {
		panic(err)
	}
	return hash
})

// newSite starts a demo site whose default session is of the given kind.
func newSite(t testing.TB, backend string) *site {
	t.Helper()
	return startSite(t, backend, true)
}

// setting is what a test changes about a site before it starts.
type setting struct {
	base    string // the address that people see; the server's own if empty
	proxies []netip.Prefix
	// revocation is the rung of the ladder; none if empty.
	revocation string
	// algorithm is how tokens are signed; HS256 if empty.
	algorithm token.Algorithm
	other     othersite.Place
	redis     string  // the address of a Redis; one in this process if empty
	file      string  // of the school; one of its own if empty
	clock     *clock  // one of its own if nil
	mute      bool    // it carries no messages
	rest      float64 // of runs of the lab, which need none in tests
	campus    bool    // Campus ID stands beside the site; see openCampus
	github    bool    // GitHub is known, and is never asked
}

func startSite(t testing.TB, backend string, demo bool, settings ...setting) *site {
	t.Helper()
	set := append(settings, setting{})[0]
	ctx := t.Context()
	s := &site{t: t, clock: cmp.Or(set.clock, newClock()), log: &logged{}}
	var err error
	s.db, err = db.Open(ctx, cmp.Or(set.file, filepath.Join(t.TempDir(), "lectern.db")))
	must(t, err)
	t.Cleanup(func() { must(t, s.db.Close()) })
	_, err = s.db.Seed(ctx, testSchool())
	must(t, err)

	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	if set.base == "" {
		set.base = s.url
	}
	base, err := url.Parse(set.base)
	must(t, err)
	if set.algorithm == "" {
		set.algorithm = token.HS256
	}
	cookies := session.Cookies{Secure: base.Scheme == "https"}
	s.key, err = token.NewKey(rand.Reader)
	must(t, err)
	keys, err := token.ParseKeys(set.algorithm, s.key)
	must(t, err)
	ring := token.NewKeyring(keys)
	tokens := token.NewIssuer(token.Config{Keys: ring, Site: set.base, Now: s.clock.Now, Random: rand.Reader})
	if set.redis == "" {
		set.redis = "redis://" + miniredis.RunT(t).Addr()
	}
	distant, err := serverstore.OpenRedis(set.redis, time.Now)
	must(t, err)
	t.Cleanup(func() { must(t, distant.Close()) })
	all, err := kinds.New(ctx, kinds.Config{
		Reader: s.db.Reader(), Writer: s.db.Writer(), People: s.db, Redis: distant,
		Tokens: tokens, Cookies: cookies, Lifetimes: lifetimes, Now: s.clock.Now, Random: rand.Reader,
	})
	must(t, err)
	s.ledger = all.Swept[0].(*cookiejwt.SQLLedger)
	s.sessions, err = session.NewManager(ctx, session.Config{
		Backends: all.Offered, Ladder: all.Ladder,
		Default: backend, Revocation: cmp.Or(set.revocation, session.RevokeNone),
		Cookies: cookies, Lifetimes: lifetimes, People: s.db, Settings: s.db, Choose: demo, Now: s.clock.Now,
	})
	must(t, err)
	experiments, err := lab.New(lab.Config{
		Build: handlers.SmallWorlds(distant), Redis: true, Now: s.clock.Now, Bounds: lab.Bounds{Time: time.Minute, AtOnce: 1, Waiting: 100, Rest: set.rest},
	})
	must(t, err)
	seal, err := auth.NewSeal(make([]byte, auth.SealKeyBytes), rand.Reader)
	must(t, err)
	log := slog.New(slog.NewJSONHandler(s.log, nil))
	var providers []*auth.Provider
	if set.campus {
		providers = s.openCampus(base)
	}
	if set.github {
		providers = append(providers, auth.NewGitHub(auth.GitHubSites{}, auth.Client{Slug: "github", Name: "GitHub", ID: "lectern", BaseURL: base, Now: s.clock.Now}))
	}
	tries, err := db.OpenTries(ctx, s.db, rand.Reader, s.clock.Now)
	must(t, err)
	s.Server, err = handlers.New(handlers.Config{
		DB: s.db, Sessions: s.sessions, Keys: ring, Log: log, Now: s.clock.Now, Random: rand.Reader, BaseURL: base, Demo: demo, Proxies: set.proxies,
		Ways: auth.NewWays(auth.WaysConfig{
			Store: s.db, Hasher: auth.NewHasher(salts{&s.salts}, 2), Counts: tries, BaseURL: base, Seal: seal, Random: rand.Reader, Now: s.clock.Now, Log: log,
		}),
		Messages:    message.New(message.Config{Store: s.db, Keep: !set.mute, Log: log, Now: s.clock.Now}),
		SignUps:     auth.NewSharedLimiter(auth.SignUpByAddress, tries, s.clock.Now),
		PasskeyAsks: auth.NewLimiter(auth.Limit{Name: "passkeys", Burst: 50, Per: time.Minute}, s.clock.Now),
		Providers:   providers,
		Tokens:      bearer.New(tokens, s.clock.Now),
		Lab:         experiments,
		OtherSite:   set.other,
		LabRedis:    distant,
		LabRuns:     auth.NewLimiter(auth.Limit{Name: "lab", Burst: 100, Per: time.Minute}, s.clock.Now),
		ClassCodes:  auth.NewLimiter(auth.Limit{Name: "class codes", Burst: 100, Per: 10 * time.Minute}, s.clock.Now),
		ClassForms:  auth.NewLimiter(auth.Limit{Name: "class forms", Burst: 3000, Per: 2 * time.Minute}, s.clock.Now),
	})
	must(t, err)
	server.Config.Handler = s.Server
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(s.Server.Close)
	return s
}

// salts counts how often it is drawn from.
type salts struct{ drawn *atomic.Int64 }

func (s salts) Read(p []byte) (int, error) {
	s.drawn.Add(1)
	return rand.Read(p)
}

// lastMessage is the newest message about somebody's account.
func (s *site) lastMessage(user school.ID) school.Message {
	s.t.Helper()
	page, err := s.db.Inbox(s.t.Context(), db.InboxQuery{User: user, Limit: 1})
	must(s.t, err)
	if len(page.Messages) == 0 {
		s.t.Fatalf("nothing was ever sent to %s", user)
	}
	return page.Messages[0]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is somebody at the site: a cookie jar, and no following of redirects.
type browser struct {
	t      testing.TB
	site   *site
	client *http.Client
}

func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &browser{s.t, s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a browser in which the person is signed in. An empty name is a visitor.
func (s *site) as(email string) *browser {
	s.t.Helper()
	b := s.browser()
	if email != "" {
		if p := b.post("/signin", "email", email, "password", password); p.status != http.StatusSeeOther {
			s.t.Fatalf("sign in as %s: %d\n%s", email, p.status, p.body)
		}
	}
	return b
}

// enter is a browser in which the person is signed in without having been asked
// for the password, which takes its time. An empty name is a visitor.
func (s *site) enter(email string) *browser {
	s.t.Helper()
	return s.enteredAt(email, s.clock.Now())
}

// enteredAt is enter, where it was some time ago.
func (s *site) enteredAt(email string, at time.Time) *browser {
	s.t.Helper()
	b := s.browser()
	if email == "" {
		return b
	}
	user, err := s.db.User(s.t.Context(), fixedID(strings.TrimSuffix(email, "@school.example")))
	must(s.t, err)
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)
	r, _, err = s.sessions.Load(w, r)
	must(s.t, err)
	must(s.t, s.sessions.Start(w, r, session.Identity{UserID: user.ID, Role: user.Role, Methods: []string{"pwd"}, AuthAt: at}, session.StartOptions{}))
	b.client.Jar.SetCookies(s.address(), w.Result().Cookies())
	return b
}

// answer is what came back.
type answer struct {
	status   int
	body     string
	header   http.Header
	location string
}

func (b *browser) get(path string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, "", headers...)
}

// post sends a form given as name, value, name, value, …
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func (b *browser) send(method, path, body string, headers ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site.url+path, strings.NewReader(body))
	must(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	must(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(b.t, err)
	return answer{response.StatusCode, string(text), response.Header, response.Header.Get("Location")}
}

// address is where the site is.
func (s *site) address() *url.URL {
	u, err := url.Parse(s.url)
	must(s.t, err)
	return u
}

// cookie is the value of a cookie in the browser's jar, empty without it.
func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.site.url)
	must(b.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// want fails unless the answer has the status and every one of the texts.
func (a answer) want(t testing.TB, status int, texts ...string) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got status %d, want %d\n%s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("page lacks %q\n%s", text, a.body)
		}
	}
	return a
}

// lacks fails if the answer has one of the texts.
func (a answer) lacks(t testing.TB, texts ...string) answer {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("page has %q, and must not", text)
		}
	}
	return a
}

// main is the page without its frame.
func (a answer) main() string {
	_, rest, _ := strings.Cut(a.body, "<main")
	main, _, _ := strings.Cut(rest, "</main>")
	return main
}

// The people and courses of the test school.
const (
	ada   = "ada@school.example"   // student
	bea   = "bea@school.example"   // another student
	grace = "grace@school.example" // instructor, owns "knots" and the draft "sails"
	rob   = "rob@school.example"   // another instructor, owns "stars"
	alan  = "alan@school.example"  // admin
)

// fixedID is an id that a test can write down.
func fixedID(name string) school.ID {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return 'q'
	}, name)
	return school.ID((id + strings.Repeat("z", 26))[:26])
}

func testSchool() db.SeedData {
	at := time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC)
	var data db.SeedData
	person := func(email, name string, role school.Role) school.Person {
		id := fixedID(strings.TrimSuffix(email, "@school.example"))
		data.Users = append(data.Users, db.SeedUser{
			User:         school.User{ID: id, Email: school.Email(email), Name: name, Role: role, CreatedAt: at},
			PasswordHash: passwordHash,
		})
		return school.Person{ID: id, Name: name}
	}
	person(ada, "Ada Byron", school.Student)
	person(bea, "Bea Okoye", school.Student)
	graces := person(grace, "Grace Murray", school.Instructor)
	robs := person(rob, "Rob Tremaine", school.Instructor)
	person(alan, "Alan Mathison", school.Admin)

	course := func(number int, slug, title string, status school.Status, owner school.Person) {
		c := db.SeedCourse{Course: school.Course{
			ID: fixedID("course-" + slug), Slug: slug, Title: title, Summary: "A course about " + slug + ".", Description: "For everybody.",
			Topic: "design", Level: "first", Number: number, Status: status, Outcomes: []string{"Say what " + slug + " are for."},
			Owner: owner, Version: 1, CreatedAt: at, UpdatedAt: at, PublishedAt: at,
		}}
		for i, chapter := range []string{"one", "two"} {
			ch := db.SeedChapter{Chapter: school.Chapter{ID: fixedID("chapter-" + slug + chapter), CourseID: c.ID, Title: "Chapter " + chapter}}
			for j, lesson := range []string{"first", "second"} {
				name := chapter + "-" + lesson
				ch.Lessons = append(ch.Lessons, school.Lesson{
					LessonHead: school.LessonHead{
						ID: fixedID("lesson-" + slug + name), Slug: name, Title: "Lesson " + name + " on " + slug, Kind: school.Reading,
						Status: school.Published, Preview: i+j == 0, Minutes: 5,
					},
					CourseID: c.ID, ChapterID: ch.ID, Body: "Text of **" + name + "**.\n\n## A heading\n\nMore text.", Version: 1, UpdatedAt: at, UpdatedBy: owner,
				})
			}
			c.Chapters = append(c.Chapters, ch)
		}
		data.Courses = append(data.Courses, c)
	}
	course(1, "knots", "Knots", school.Published, graces)
	course(2, "sails", "Sails", school.Draft, graces)
	course(3, "stars", "Stars", school.Published, robs)
	return data
}
