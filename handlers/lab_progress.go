package handlers

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/handlers/session"
)

// labCookie holds how far a visitor has come who is not signed in. It is no secret
// and believed by nobody else: whoever changes it changes their own tally.
const labCookie = "lectern-lab"

// labTally is how far a visitor has come who is not signed in, as their cookie says.
type labTally struct {
	db.LabProgress
	// Before is the run that they saw before the one that RunID names. A cookie cannot
	// be sent after the first word of a stream, so it names a run that is still to come
	// to its end; should it never, the one before is theirs again.
	Before string
}

// progressOf is how far the visitor has come with all experiments, by slug. A run that
// is not kept any more, or never came to its end, does not stand in it.
func (s *Server) progressOf(c echo.Context) (map[string]db.LabProgress, error) {
	v := visitorOf(c)
	if !v.SignedIn() {
		return s.progressInBrowser(c)
	}
	all, err := s.DB.LabProgress(c.Request().Context(), v.user.ID)
	if err != nil {
		return nil, err
	}
	progress := make(map[string]db.LabProgress, len(all))
	for _, p := range all {
		progress[p.Experiment] = p
	}
	return progress, nil
}

// progressInBrowser is what the visitor's cookie says of it, as far as it is true.
func (s *Server) progressInBrowser(c echo.Context) (map[string]db.LabProgress, error) {
	tallies := s.readTallies(c.Request())
	var runs []string
	for _, t := range tallies {
		for _, run := range []string{t.RunID, t.Before} {
			if run != "" {
				runs = append(runs, run)
			}
		}
	}
	kept, err := s.DB.LabRunsKept(c.Request().Context(), runs...)
	if err != nil {
		return nil, err
	}
	progress := make(map[string]db.LabProgress, len(tallies))
	for slug, t := range tallies {
		p := t.LabProgress
		if kept[p.RunID] != slug {
			p.RunID = t.Before
		}
		if kept[p.RunID] != slug {
			p.RunID = ""
		}
		progress[slug] = p
	}
	return progress, nil
}

// adoptProgress takes over what the visitor did before they signed in, where they
// have not begun as themselves. The cookie has done its work then.
func (s *Server) adoptProgress(c echo.Context) error {
	v := visitorOf(c)
	if !v.SignedIn() || len(s.cookies().Values(c.Request(), labCookie)) == 0 {
		return nil
	}
	before, err := s.progressInBrowser(c)
	if err != nil || len(before) == 0 {
		return err
	}
	now, err := s.progressOf(c)
	if err != nil {
		return err
	}
	var adopted []db.LabProgress
	for slug, p := range before {
		if _, begun := now[slug]; !begun {
			p.UpdatedAt = s.Now()
			if !p.ExplainedAt.IsZero() {
				p.ExplainedAt = s.Now()
			}
			adopted = append(adopted, p)
		}
	}
	if len(adopted) > 0 {
		if err := s.DB.AdoptExperiments(c.Request().Context(), v.user.ID, s.labSlugs(), s.Now(), adopted...); err != nil {
			return err
		}
	}
	s.cookies().Clear(c.Response(), labCookie)
	return nil
}

// notePredicted notes what the visitor expects, for the families that said has
// something for.
func (s *Server) notePredicted(c echo.Context, said db.LabProgress) error {
	if v := visitorOf(c); v.SignedIn() {
		said.UpdatedAt = s.Now()
		err := s.DB.PredictExperiment(detached(c), v.user.ID, said)
		if errors.Is(err, school.ErrNotFound) {
			return fmt.Errorf("%w: it came to its end meanwhile", errRunAlready)
		}
		return err
	}
	return s.changeTally(c, said.Experiment, func(t *labTally) {
		for _, family := range []string{lab.JWT, lab.Server, lab.Hybrid} {
			if verdict := *predictionFor(&said, family); verdict != "" {
				*predictionFor(&t.LabProgress, family) = verdict
			}
		}
	})
}

// noteRan notes that the visitor has seen a run, and what it makes of what they
// predicted. Whoever has begun anew meanwhile has not seen it.
func (s *Server) noteRan(c echo.Context, e *lab.Experiment, id string, run *lab.Run) error {
	if v := visitorOf(c); v.SignedIn() {
		return s.DB.RanExperiment(detached(c), v.user.ID, db.LabRun{ID: id, Experiment: e.Slug}, s.Now(), func(p *db.LabProgress) bool {
			score(e, p, run)
			return predicted(e, *p)
		})
	}
	return s.changeTally(c, e.Slug, func(t *labTally) {
		t.RunID, t.Before = id, ""
		score(e, &t.LabProgress, run)
	})
}

// noteExplained notes that the visitor has found the reason. Where it was the last
// experiment that a lesson lacked, the lesson is done.
func (s *Server) noteExplained(c echo.Context, e *lab.Experiment) error {
	if v := visitorOf(c); v.SignedIn() {
		return s.DB.ExplainExperiment(detached(c), v.user.ID, e.Slug, s.labSlugs(), s.Now())
	}
	return s.changeTally(c, e.Slug, func(t *labTally) { t.ExplainedAt = s.Now() })
}

// changeTally changes what the visitor's cookie says of one experiment.
func (s *Server) changeTally(c echo.Context, slug string, change func(*labTally)) error {
	all := s.readTallies(c.Request())
	t := all[slug]
	t.Experiment = slug
	change(&t)
	all[slug] = t
	return s.writeTallies(c.Response(), all)
}

// forgetProgress has the visitor begin an experiment anew.
func (s *Server) forgetProgress(c echo.Context, slug string) error {
	if v := visitorOf(c); v.SignedIn() {
		return s.DB.ForgetLabProgress(c.Request().Context(), v.user.ID, slug)
	}
	all := s.readTallies(c.Request())
	delete(all, slug)
	return s.writeTallies(c.Response(), all)
}

// In the cookie each experiment is three letters that stand for it, the predictions
// for the three families, how many were asked and guessed, whether it was
// explained, and the name of the run. All have one length each. The name of the run
// before follows where it may be needed.
const (
	tallyLength = 3 + 3 + 2 + 1 + runLength
	runLength   = 10
)

// labKey is the short name of an experiment in the cookie.
func labKey(slug string) string {
	h := fnv.New32a()
	h.Write([]byte(slug))
	key := strconv.FormatUint(uint64(h.Sum32()%(36*36*36)), 36)
	return strings.Repeat("0", 3-len(key)) + key
}

const noRun = "----------"

func (s *Server) writeTallies(w http.ResponseWriter, all map[string]labTally) error {
	var parts []string
	for _, e := range s.Lab.Experiments() { // in their order, so that one tally has one text
		if t, begun := all[e.Slug]; begun {
			parts = append(parts, t.encode())
		}
	}
	if len(parts) == 0 {
		s.cookies().Clear(w, labCookie)
		return nil
	}
	now := s.Now()
	return s.cookies().Set(w, labCookie, strings.Join(parts, "."), now, now.AddDate(1, 0, 0))
}

func (t labTally) encode() string {
	explained, run := "-", t.RunID
	if !t.ExplainedAt.IsZero() {
		explained = "e"
	}
	if run == "" {
		run = noRun
	}
	return labKey(t.Experiment) + letter(t.JWT) + letter(t.Server) + letter(t.Hybrid) + strconv.Itoa(t.Asked) + strconv.Itoa(t.Guessed) + explained + run + t.Before
}

// explainedSometime stands in for the time that the cookie does not keep.
var explainedSometime = time.Unix(1, 0).UTC()

// letter is a prediction in the cookie.
func letter(prediction string) string {
	if prediction == "" {
		return "-"
	}
	return prediction[:1]
}

// readTallies reads the cookie. What it does not understand is left out: a tally
// is not worth an error.
func (s *Server) readTallies(r *http.Request) map[string]labTally {
	all := map[string]labTally{}
	values := s.cookies().Values(r, labCookie)
	if len(values) == 0 || len(values[0]) > session.MaxCookie {
		return all
	}
	slugs := map[string]string{}
	for _, e := range s.Lab.Experiments() {
		slugs[labKey(e.Slug)] = e.Slug
	}
	for part := range strings.SplitSeq(values[0], ".") {
		if t, err := decodeTally(part); err == nil && slugs[part[:3]] != "" {
			t.Experiment = slugs[part[:3]]
			all[t.Experiment] = t
		}
	}
	return all
}

var errTally = errors.New("handlers: no progress of the lab")

func decodeTally(part string) (t labTally, err error) {
	if len(part) != tallyLength && len(part) != tallyLength+runLength {
		return t, errTally
	}
	words := map[byte]string{'a': string(lab.Accepted), 'r': string(lab.Refused), '-': ""}
	for i, into := range []*string{&t.JWT, &t.Server, &t.Hybrid} {
		word, ok := words[part[3+i]]
		if !ok {
			return t, errTally
		}
		*into = word
	}
	asked, guessed := part[6]-'0', part[7]-'0'
	if asked > 3 || guessed > asked {
		return t, errTally
	}
	t.Asked, t.Guessed = int(asked), int(guessed)
	if run := part[9:tallyLength]; isRunID(run) {
		t.RunID = run
		if part[8] == 'e' {
			t.ExplainedAt = explainedSometime
		}
	} else if run != noRun {
		return t, errTally
	}
	if t.Before = part[tallyLength:]; t.Before != "" && !isRunID(t.Before) {
		return t, errTally
	}
	return t, nil
}

// predicted reports whether a prediction stands for every family that is asked.
func predicted(e *lab.Experiment, p db.LabProgress) bool {
	for _, family := range e.Asks() {
		if *predictionFor(&p, family) == "" {
			return false
		}
	}
	return true
}

// predictionFor is where the prediction for a family is kept.
func predictionFor(p *db.LabProgress, family string) *string {
	return ofFamily(family, &p.JWT, &p.Server, &p.Hybrid)
}

// ofFamily is the one of three that belongs to a family.
func ofFamily[T any](family string, jwt, server, hybrid T) T {
	switch family {
	case lab.JWT:
		return jwt
	case lab.Hybrid:
		return hybrid
	}
	return server
}

// readPredictions reads what a form predicts, for as many families as were sent, and
// reports whether that was any. into is where each is to be kept.
func readPredictions(f formValues, e *lab.Experiment, into func(family string) *string) (said bool, err error) {
	for _, family := range e.Asks() {
		switch verdict := f.get(family); lab.Verdict(verdict) {
		case "":
		case lab.Accepted, lab.Refused:
			*into(family), said = verdict, true
		default:
			return said, &school.Invalid{Field: family, Reason: "Choose one of the two."}
		}
	}
	return said, nil
}

// score compares predictions with a run. What a broken column came to proves nothing.
func score(e *lab.Experiment, p *db.LabProgress, run *lab.Run) {
	p.Asked, p.Guessed = 0, 0
	for _, family := range e.Asks() {
		column := columnOf(run, e.Asked(family).Name)
		if column == nil || column.Outcome == "" || column.Outcome == lab.NotApplicable || len(column.Wrongs) > 0 {
			continue
		}
		p.Asked++
		if *predictionFor(p, family) == string(column.Outcome) {
			p.Guessed++
		}
	}
}

func columnOf(run *lab.Run, name string) *lab.Column {
	for i := range run.Columns {
		if run.Columns[i].Name == name {
			return &run.Columns[i]
		}
	}
	return nil
}
