package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/singleflight"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/handlers/policy"
	"lectern/views/labview"
)

// classRoutes are the pages of a class: an instructor's, who asks, and those of
// everybody in the room, who predict on their telephones and say no name.
//
// How a class stands is in the database, and every page is made from there. What
// tells a screen that it has to look again is in class_hall.go.
var classRoutes = []route{
	{http.MethodGet, "/lab/class", to(policy.ClassLead), (*Server).showClasses},
	{http.MethodPost, "/lab/class", to(policy.ClassLead), (*Server).openClass},
	{http.MethodGet, "/lab/class/:code", on(policy.ClassLead, ownClass), (*Server).showClass},
	{http.MethodGet, "/lab/class/:code/events", on(policy.ClassLead, ownClass), (*Server).watchAsLeader},
	{http.MethodPost, "/lab/class/:code/ask", on(policy.ClassLead, ownClass), (*Server).askClass},
	{http.MethodPost, "/lab/class/:code/tally", on(policy.ClassLead, ownClass), (*Server).hideTally},
	{http.MethodPost, "/lab/class/:code/run", on(policy.ClassLead, ownClass), (*Server).runClass},
	{http.MethodPost, "/lab/class/:code/end", on(policy.ClassLead, ownClass), (*Server).endClass},

	{http.MethodGet, "/c", to(policy.LabUse), (*Server).showClassDoor},
	{http.MethodGet, "/c/:code", to(policy.LabUse), (*Server).showClassToLearner},
	{http.MethodGet, "/c/:code/events", to(policy.LabUse), (*Server).watchAsLearner},
	{http.MethodPost, "/c/:code/predict", to(policy.LabUse), (*Server).predictInClass},
}

// classAddress is where a class is for learners, and leadAddress where for whoever
// leads it.
func classAddress(code school.ClassCode) string { return "/c/" + string(code) }
func leadAddress(code school.ClassCode) string  { return "/lab/class/" + string(code) }

const classKey = "class"

// classOf is the class that the route's requirement has found.
func classOf(c echo.Context) db.Class {
	class, _ := c.Get(classKey).(db.Class)
	return class
}

// ownClass finds the class that somebody wants to lead. Who may lead none learns
// nothing about codes, and who leads others no more than whoever comes to a class's
// door: to them somebody else's class is as one that there is not, and is counted
// with the codes that lead nowhere.
func ownClass(s *Server, c echo.Context) (policy.Object, error) {
	if !s.may(c, policy.ClassLead, policy.Object{}) {
		return policy.Object{}, nil
	}
	class, err := s.classByCode(c)
	if err != nil {
		return policy.Object{}, err
	}
	object := policy.Object{Owner: class.Owner}
	if d := policy.Decide(visitorOf(c).actor(), policy.ClassLead, object); !d.Allowed() {
		s.tell(c, d)
		// Not even what is shown of the decision may tell the two apart.
		return policy.Object{}, s.wrongCode(c)
	}
	c.Set(classKey, class)
	return object, nil
}

// wrongCode counts a code that leads nowhere, and says that there is nothing, or
// that nothing is looked up any more for a while.
func (s *Server) wrongCode(c echo.Context) error {
	if err := s.ClassCodes.Take(c.Request().Context(), address(c)); err != nil {
		return err
	}
	return school.ErrNotFound
}

// classByCode reads the class that the address names. A code that leads nowhere is
// counted, so that nobody tries them all.
func (s *Server) classByCode(c echo.Context) (db.Class, error) {
	code, err := school.ParseClassCode(c.Param("code"))
	if err != nil {
		return db.Class{}, fmt.Errorf("%w: %w", school.ErrNotFound, err)
	}
	class, err := s.DB.Class(c.Request().Context(), code)
	if errors.Is(err, school.ErrNotFound) {
		return db.Class{}, s.wrongCode(c)
	}
	return class, err
}

// classEntered reads the class that a learner wants to be in. From an address that
// has tried too many codes nobody comes in, or the next guess would still be worth
// something; but who has predicted in the class is let through, whatever somebody
// beside them is trying.
func (s *Server) classEntered(c echo.Context) (db.Class, error) {
	class, err := s.classByCode(c)
	if err != nil {
		return class, err
	}
	if err := s.ClassCodes.Take(c.Request().Context(), address(c)); err != nil {
		if _, unknown := s.predictionIn(c, class.Code); unknown != nil {
			return db.Class{}, err
		}
		return class, nil
	}
	return class, s.ClassCodes.Return(c.Request().Context(), address(c))
}

// learnerCookie holds a random number, which is all by which a learner is known.
const learnerCookie = "lectern-class"

// learner is the number in the visitor's cookie.
func (s *Server) learner(c echo.Context) (school.ID, bool) {
	for _, value := range s.cookies().Values(c.Request(), learnerCookie) {
		if id, err := school.ParseID(value); err == nil {
			return id, true
		}
	}
	return "", false
}

// greetLearner gives a learner a number, where they have none.
func (s *Server) greetLearner(c echo.Context) error {
	if _, known := s.learner(c); known {
		return nil
	}
	id, err := school.NewID(s.Random)
	if err != nil {
		return err
	}
	now := s.Now()
	return s.cookies().Set(c.Response(), learnerCookie, string(id), now, now.Add(db.ClassLife))
}

// learnerIn is how a class knows a learner: whoever reads its table can neither
// predict in their place nor tell that somebody was in two classes.
func learnerIn(code school.ClassCode, id school.ID) string {
	sum := sha256.Sum256([]byte(string(code) + " " + string(id)))
	return hex.EncodeToString(sum[:16])
}

// predictionIn is what the visitor has predicted in a class. It returns
// school.ErrNotFound for somebody who has not.
func (s *Server) predictionIn(c echo.Context, code school.ClassCode) (db.ClassPrediction, error) {
	id, known := s.learner(c)
	if !known {
		return db.ClassPrediction{}, school.ErrNotFound
	}
	return s.DB.ClassPrediction(c.Request().Context(), code, learnerIn(code, id))
}

// askedIn is the experiment that a class is asked; nil where it is asked none, or
// one that this program does not know any more.
func (s *Server) askedIn(class *db.Class) *lab.Experiment {
	if class.Phase == db.ClassWaiting {
		return nil
	}
	e, err := s.Lab.Experiment(class.Experiment)
	if err != nil {
		return nil
	}
	return e
}

// versionOf says in a word how a class stands. A page with another is out of date.
func (s *Server) versionOf(class *db.Class, leads bool) string {
	switch {
	case class.Over(s.Now()):
		return "over"
	case leads && class.Hidden:
		return fmt.Sprintf("%d-%s-hidden", class.Round, class.Phase)
	}
	return fmt.Sprintf("%d-%s", class.Round, class.Phase)
}

// familiesOf are the families that a class predicts for, by the names that pages
// have for them.
func familiesOf(e *lab.Experiment) []labview.ClassFamily {
	var all []labview.ClassFamily
	for _, family := range e.Asks() {
		all = append(all, labview.ClassFamily{Name: family, Label: familyLabel(e, family), Backend: e.Asked(family).Kind})
	}
	return all
}

// splitOf is how many predicted what for a family.
func splitOf(t db.ClassTally, family string) labview.Split {
	split := ofFamily(family, t.JWT, t.Server, t.Hybrid)
	return labview.Split{Accepted: split.Accepted, Refused: split.Refused}
}

// predictionOf is where a prediction for a family is kept.
func predictionOf(p *db.ClassPrediction, family string) *string {
	return ofFamily(family, &p.JWT, &p.Server, &p.Hybrid)
}

// lanesOf are the heads of the lanes of a run, with what a learner said of each.
func lanesOf(e *lab.Experiment, run *lab.Run, said *db.ClassPrediction) []labview.Lane {
	var lanes []labview.Lane
	for i := range run.Columns {
		column := &run.Columns[i]
		lane := laneOf(e, column)
		if asked := e.Asked(column.Family); said != nil && asked != nil && asked.Name == column.Name {
			lane.Guess = guessOf(e, *predictionOf(said, column.Family), column)
		}
		lanes = append(lanes, lane)
	}
	return lanes
}

// classRuns keeps what came out of the last runs of classes, without what went over
// the wire: all of a class look at the same one, in the same second.
type classRuns struct {
	reading singleflight.Group
	mu      sync.Mutex
	heads   map[string]*lab.Run
}

// maxClassRuns is how many are kept; there are not many classes at a time.
const maxClassRuns = 64

// classRun is the run that a class saw. It returns school.ErrNotFound where it is not kept
// any more.
func (s *Server) classRun(ctx context.Context, class *db.Class) (*lab.Run, error) {
	k := &s.classRuns
	k.mu.Lock()
	run := k.heads[class.RunID]
	k.mu.Unlock()
	if run != nil {
		return run, nil
	}
	found, err, _ := k.reading.Do(class.RunID, func() (any, error) {
		run, err := s.runOf(context.WithoutCancel(ctx), class.RunID, class.Experiment)
		if err != nil {
			return nil, err
		}
		for i := range run.Columns {
			run.Columns[i].Transcript = nil
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.heads == nil || len(k.heads) >= maxClassRuns {
			k.heads = map[string]*lab.Run{}
		}
		k.heads[class.RunID] = run
		return run, nil
	})
	if err != nil {
		return nil, err
	}
	return found.(*lab.Run), nil
}

// shortAddress is an address of the site as people type it: without the scheme.
func (s *Server) shortAddress(path string) string {
	return s.BaseURL.Host + strings.TrimSuffix(s.BaseURL.Path, "/") + path
}

// longAddress is the same as a telephone reads it off a code.
func (s *Server) longAddress(path string) string {
	return s.BaseURL.Scheme + "://" + s.shortAddress(path)
}

// onlyHere reports whether the site's address leads nowhere from another machine.
func onlyHere(base *url.URL) bool {
	host := base.Hostname()
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && addr.IsLoopback() || net.ParseIP(host).IsUnspecified()
}

// roundAsked is the round that a form is about.
func roundAsked(f formValues) int {
	round, err := strconv.Atoi(f.get("round"))
	if err != nil {
		return -1
	}
	return round
}
