package handlers

import (
	"errors"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/handlers/lab"
	"lectern/handlers/session"
)

// labCookie holds how far a visitor has come who is not signed in. It is no secret
// and believed by nobody else: whoever changes it changes their own tally.
const labCookie = "lectern-lab"

// progressOf is how far the visitor has come with all experiments, by slug.
func (s *Server) progressOf(c echo.Context) (map[string]db.LabProgress, error) {
	v := visitorOf(c)
	if !v.SignedIn() {
		return s.readProgress(c.Request()), nil
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

// adoptProgress takes over what the visitor did before they signed in, where they
// have not begun as themselves. The cookie has done its work then.
func (s *Server) adoptProgress(c echo.Context) error {
	v := visitorOf(c)
	before := s.readProgress(c.Request())
	if !v.SignedIn() || len(before) == 0 {
		return nil
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
		if err := s.DB.ExplainExperiments(c.Request().Context(), v.user.ID, s.labSlugs(), s.Now(), adopted...); err != nil {
			return err
		}
	}
	s.cookies().Clear(c.Response(), labCookie)
	return nil
}

// saveExplained notes that the visitor has found the reason. Where it was the last
// experiment that a lesson lacked, the lesson is done.
func (s *Server) saveExplained(c echo.Context, p db.LabProgress) error {
	v := visitorOf(c)
	if !v.SignedIn() {
		return s.saveProgress(c, p)
	}
	p.UpdatedAt = s.Now()
	return s.DB.ExplainExperiments(detached(c), v.user.ID, s.labSlugs(), s.Now(), p)
}

// saveProgress notes how far the visitor has come with an experiment.
func (s *Server) saveProgress(c echo.Context, p db.LabProgress) error {
	p.UpdatedAt = s.Now()
	if v := visitorOf(c); v.SignedIn() {
		return s.DB.SaveLabProgress(detached(c), v.user.ID, p)
	}
	all := s.readProgress(c.Request())
	all[p.Experiment] = p
	return s.writeProgress(c.Response(), all)
}

// forgetProgress has the visitor begin an experiment anew.
func (s *Server) forgetProgress(c echo.Context, slug string) error {
	if v := visitorOf(c); v.SignedIn() {
		return s.DB.ForgetLabProgress(c.Request().Context(), v.user.ID, slug)
	}
	all := s.readProgress(c.Request())
	delete(all, slug)
	return s.writeProgress(c.Response(), all)
}

// In the cookie each experiment is three letters that stand for it, the predictions
// for the three families, how many were asked and guessed, whether it was
// explained, and the name of the run. All have one length each.
const progressLength = 3 + 3 + 2 + 1 + 10

// labKey is the short name of an experiment in the cookie.
func labKey(slug string) string {
	h := fnv.New32a()
	h.Write([]byte(slug))
	key := strconv.FormatUint(uint64(h.Sum32()%(36*36*36)), 36)
	return strings.Repeat("0", 3-len(key)) + key
}

const noRun = "----------"

func (s *Server) writeProgress(w http.ResponseWriter, all map[string]db.LabProgress) error {
	var parts []string
	for _, e := range s.Lab.Experiments() { // in their order, so that one tally has one text
		if p, begun := all[e.Slug]; begun {
			parts = append(parts, encodeProgress(p))
		}
	}
	if len(parts) == 0 {
		s.cookies().Clear(w, labCookie)
		return nil
	}
	now := s.Now()
	return s.cookies().Set(w, labCookie, strings.Join(parts, "."), now, now.AddDate(1, 0, 0))
}

func encodeProgress(p db.LabProgress) string {
	explained, run := "-", p.RunID
	if !p.ExplainedAt.IsZero() {
		explained = "e"
	}
	if run == "" {
		run = noRun
	}
	return labKey(p.Experiment) + letter(p.JWT) + letter(p.Server) + letter(p.Hybrid) + strconv.Itoa(p.Asked) + strconv.Itoa(p.Guessed) + explained + run
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

// readProgress reads the cookie. What it does not understand is left out: a tally
// is not worth an error.
func (s *Server) readProgress(r *http.Request) map[string]db.LabProgress {
	all := map[string]db.LabProgress{}
	values := s.cookies().Values(r, labCookie)
	if len(values) == 0 || len(values[0]) > session.MaxCookie {
		return all
	}
	slugs := map[string]string{}
	for _, e := range s.Lab.Experiments() {
		slugs[labKey(e.Slug)] = e.Slug
	}
	for part := range strings.SplitSeq(values[0], ".") {
		if p, err := decodeProgress(part); err == nil && slugs[part[:3]] != "" {
			p.Experiment = slugs[part[:3]]
			all[p.Experiment] = p
		}
	}
	return all
}

var errProgress = errors.New("handlers: no progress of the lab")

func decodeProgress(part string) (p db.LabProgress, err error) {
	if len(part) != progressLength {
		return p, errProgress
	}
	words := map[byte]string{'a': string(lab.Accepted), 'r': string(lab.Refused), '-': ""}
	for i, into := range []*string{&p.JWT, &p.Server, &p.Hybrid} {
		word, ok := words[part[3+i]]
		if !ok {
			return p, errProgress
		}
		*into = word
	}
	asked, guessed := part[6]-'0', part[7]-'0'
	if asked > 3 || guessed > asked {
		return p, errProgress
	}
	p.Asked, p.Guessed = int(asked), int(guessed)
	if run := part[9:]; isRunID(run) {
		p.RunID = run
		if part[8] == 'e' {
			p.ExplainedAt = explainedSometime
		}
	} else if run != noRun {
		return p, errProgress
	}
	return p, nil
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
	switch family {
	case lab.JWT:
		return &p.JWT
	case lab.Hybrid:
		return &p.Hybrid
	}
	return &p.Server
}

// score compares predictions with a run.
func score(e *lab.Experiment, p *db.LabProgress, run *lab.Run) {
	p.Asked, p.Guessed = 0, 0
	for _, family := range e.Asks() {
		column := columnOf(run, e.Asked(family).Name)
		if column == nil || column.Outcome == "" || column.Outcome == lab.NotApplicable {
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
