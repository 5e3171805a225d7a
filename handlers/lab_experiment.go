package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// showExperiment is an experiment's own page. Its address says which run is looked
// at; without one, the visitor's own is shown.
func (s *Server) showExperiment(c echo.Context) error {
	e, p, err := s.experimentBegun(c)
	if err != nil {
		return err
	}
	props, err := s.experimentProps(c, e, p)
	if err != nil {
		return err
	}
	return s.experimentPage(c, http.StatusOK, e, props)
}

func (s *Server) experimentPage(c echo.Context, status int, e *lab.Experiment, p labview.ExperimentProps) error {
	link, back, err := s.lessonTo(c, e)
	if err != nil {
		return err
	}
	p.Lesson = link
	f := s.frame(c, p.Title, "lab")
	f.Scripts = append(f.Scripts, labview.Scripts...)
	if p.InBrowser != nil {
		f.Scripts = append(f.Scripts, labview.InBrowserScript)
	}
	return s.page(c, status, views.LabExperimentPage(f, p, back))
}

// runAsked is the run that the page shows: the one in its address, or the visitor's
// own. It is nil where there is none, and missing where there was one.
func (s *Server) runAsked(c echo.Context, e *lab.Experiment, p *db.LabProgress) (run *lab.Run, id string, err error) {
	id = c.QueryParam("run")
	if id == "" {
		id = p.RunID
	}
	if id == "" {
		return nil, "", nil
	}
	run, err = s.runOf(c.Request().Context(), id, e.Slug)
	if errors.Is(err, school.ErrNotFound) {
		return nil, id, nil
	}
	return run, id, err
}

// experimentProps is what the page of an experiment shows to this visitor.
func (s *Server) experimentProps(c echo.Context, e *lab.Experiment, p db.LabProgress) (labview.ExperimentProps, error) {
	run, id, err := s.runAsked(c, e, &p)
	if err != nil {
		return labview.ExperimentProps{}, err
	}
	own := id == p.RunID
	if own && run != nil {
		asked, guessed := p.Asked, p.Guessed
		if score(e, &p, run); !visitorOf(c).SignedIn() && (asked != p.Asked || guessed != p.Guessed) {
			if err := s.noteRan(c, e, id, run); err != nil { // its stream could not
				return labview.ExperimentProps{}, err
			}
		}
	}
	props := labview.ExperimentProps{
		Slug: e.Slug, Title: e.Title, Lede: e.Lede, Group: e.Group.Title, Number: e.Number, Of: len(s.Lab.Experiments()),
		Prints:  printsOf(e),
		Missing: !own && run == nil,
		Predict: predictProps(e, p, visitorOf(c).SignedIn()),
		Run:     runProps(e, p, run),
		Explain: labview.ExplainProps{Locked: run == nil},
	}
	props.Previous, props.Next = s.besides(e)
	if props.InBrowser, err = s.inBrowser(c, e); err != nil {
		return props, err
	}
	if run == nil {
		return props, nil
	}
	if !own {
		props.Shared = "on " + run.At.Local().Format(ui.DayTime)
	}
	props.Result = resultProps(e, p, run, own)
	props.Result.Share = withQuery(labAddress(e.Slug), "run", id) + "#what"
	props.Explain, err = s.explainProps(c, e, p, own)
	return props, err
}

// printsOf are the drawings beside the title, one for each family that plays a part.
func printsOf(e *lab.Experiment) []labview.Print {
	var prints []labview.Print
	for _, family := range e.Asks() {
		switch kind := e.Asked(family).Kind; family {
		case lab.JWT:
			prints = append(prints, labview.Print{Backend: kind, Header: e.Asked(family).Algorithm, Says: "role student"})
		case lab.Server:
			prints = append(prints, labview.Print{Backend: kind, Number: "4417", Says: "hung up at 09:00"})
		case lab.Hybrid:
			prints = append(prints, labview.Print{Backend: kind, Number: "882", Header: e.Asked(family).Algorithm, Says: "exp 09:01"})
		}
	}
	return prints
}

// besides are the experiments before and after.
func (s *Server) besides(e *lab.Experiment) (previous, next ui.Neighbour) {
	all := s.Lab.Experiments()
	at := func(i int) ui.Neighbour {
		if i < 0 || i >= len(all) {
			return ui.Neighbour{}
		}
		return ui.Neighbour{Href: labAddress(all[i].Slug), Note: strconv.Itoa(all[i].Number) + ", " + all[i].Group.Title, Title: all[i].Title}
	}
	return at(e.Number - 2), at(e.Number)
}

// familyLabels are the families by the names that pages have for them.
var familyLabels = map[string]string{lab.JWT: "JWT", lab.Server: "Server session", lab.Hybrid: "Hybrid"}

// familyLabel is a family as an experiment asks about it. Server sessions lie in the
// database unless it says otherwise.
func familyLabel(e *lab.Experiment, family string) string {
	if asked := e.Asked(family); family == lab.Server && asked.Kind != session.Database {
		return asked.Label
	}
	return familyLabels[family]
}

func predictProps(e *lab.Experiment, p db.LabProgress, signedIn bool) labview.PredictProps {
	props := labview.PredictProps{
		Question: e.Predict.Question,
		Accepted: labview.Outcome{Label: e.Predict.Accepted.Label, Meaning: e.Predict.Accepted.Means},
		Refused:  labview.Outcome{Label: e.Predict.Refused.Label, Meaning: e.Predict.Refused.Means},
		Fixed:    p.RunID != "",
		Hints:    e.Hints,
	}
	for _, family := range e.Asks() {
		props.Families = append(props.Families, labview.Prediction{Family: family, Label: familyLabel(e, family), Chosen: labview.Verdict(*predictionFor(&p, family))})
	}
	if !signedIn {
		props.Kept = "It is kept in this browser; sign in, and it is kept for you."
	}
	return props
}

func runProps(e *lab.Experiment, p db.LabProgress, run *lab.Run) labview.RunProps {
	props := labview.RunProps{Button: "Run it", Script: e.ScriptRaw, CanReset: p.JWT+p.Server+p.Hybrid+p.RunID != ""}
	for _, c := range e.Columns {
		if c.None == "" {
			props.Columns = append(props.Columns, labview.RunColumn{Name: c.Name, Label: c.Label, Backend: c.Kind})
		}
	}
	if n := len(props.Columns); n > 1 {
		props.Button = "Run on all " + strconv.Itoa(n)
	}
	if !predicted(e, p) {
		props.Locked = "Locked until you have said what you expect: it is the surprise that teaches."
	}
	if run != nil {
		props.Ran = fmt.Sprintf("Ran on %s, took %s, on %s.", run.At.Local().Format("2 January 2006 at 15:04:05"), ui.Took(run.Took), run.Machine)
	}
	return props
}

func resultProps(e *lab.Experiment, p db.LabProgress, run *lab.Run, own bool) *labview.ResultProps {
	result := &labview.ResultProps{}
	for i := range run.Columns {
		column := &run.Columns[i]
		lane := laneOf(e, column)
		if asked := e.Asked(column.Family); own && asked != nil && asked.Name == column.Name {
			lane.Guess = guessOf(e, *predictionFor(&p, column.Family), column)
		}
		result.Lanes = append(result.Lanes, lane)
	}
	result.Charts = chartsOf(run)
	return result
}

// guessOf says whether a prediction came true.
func guessOf(e *lab.Experiment, said string, column *lab.Column) *labview.Guess {
	if said == "" || column.Outcome == "" || column.Outcome == lab.NotApplicable || len(column.Wrongs) > 0 {
		return nil
	}
	label := e.Predict.Accepted.Label
	if said == string(lab.Refused) {
		label = e.Predict.Refused.Label
	}
	return &labview.Guess{Said: "“" + label + "”", Right: said == string(column.Outcome)}
}

// laneHead is what one column came to, in short.
func laneHead(e *lab.Experiment, c *lab.Column) labview.Lane {
	return labview.Lane{
		Name: c.Name, Label: c.Label, Backend: c.Kind, Verdict: labview.Verdict(c.Verdict), Status: c.Status,
		Tone: verdictTone(e.Predict.Good, c), Headline: c.Headline, Note: c.Note,
	}
}

// laneOf is what one column came to.
func laneOf(e *lab.Experiment, c *lab.Column) labview.Lane {
	lane := laneHead(e, c)
	lane.Sentence, lane.Wrongs, lane.Figures, lane.Wire = c.Sentence, c.Wrongs, figuresOf(e, c.Measured), wireOf(c)
	if c.Life != nil {
		lane.Life = lifeOf(c.Life)
	}
	return lane
}

// lifeOf draws how long something went on that somebody had ended.
func lifeOf(l *lab.Life) *labview.Life {
	whole, until := l.Refused.Sub(l.Issued), l.Ended.Sub(l.Issued)
	life := &labview.Life{
		Issued: worldClock(l.Issued, l.Issued), Ended: "ended at " + worldClock(l.Ended, l.Issued), EndedAt: 100, OpenTo: 100,
		Open: lab.Span(l.Refused.Sub(l.Ended)), Rest: "open, then refused",
	}
	if whole > 0 {
		life.EndedAt = int(until * 100 / whole)
	}
	if l.Refused.Equal(l.Ended) {
		// What ended at once still has a line, with nothing behind the mark.
		life.EndedAt, life.OpenTo, life.Rest = 72, 72, "open: it was over at once"
	}
	life.Label = fmt.Sprintf("Issued at %s, ended at %s; it went on for %s.", life.Issued, worldClock(l.Ended, l.Issued), life.Open)
	return life
}

// worldClock is a time in a small world, whose clock knows no time zones. On another
// day than the first it says which.
func worldClock(t, first time.Time) string {
	clock := t.UTC().Format("15:04:05")
	if days := int(t.UTC().Truncate(24*time.Hour).Sub(first.UTC().Truncate(24*time.Hour)) / (24 * time.Hour)); days > 0 {
		return fmt.Sprintf("day %d, %s", days+1, clock)
	}
	return clock
}

// figureWords say what was measured, in the order in which a page lists it.
var figureWords = []struct {
	name, label string
	write       func(float64) string
}{
	{"cookie_bytes", "Cookies, deciding request", func(v float64) string { return ui.Count(int(v), "byte", "bytes") }},
	{"store_reads", "Store reads", func(v float64) string { return ui.Number(int(v)) }},
	{"store_writes", "Store writes", func(v float64) string { return ui.Number(int(v)) }},
	{"rows", "Records on the server", func(v float64) string { return ui.Number(int(v)) }},
	{"kept_bytes", "Bytes kept on the server", func(v float64) string { return ui.Number(int(v)) }},
	{"valid_for_seconds", "Went on for", func(v float64) string { return lab.Span(time.Duration(v) * time.Second) }},
	{"micros", "Time at the door, the median", func(v float64) string { return ui.Took(time.Duration(v * float64(time.Microsecond))) }},
	{"reads_in_all", "Store reads in all", func(v float64) string { return ui.Number(int(v)) }},
	{"writes_in_all", "Store writes in all", func(v float64) string { return ui.Number(int(v)) }},
	{"calls", "Calls to the site", func(v float64) string { return ui.Number(int(v)) }},
}

func figuresOf(e *lab.Experiment, measured map[string]float64) []labview.Fact {
	var facts []labview.Fact
	for _, f := range figureWords {
		if value, ok := measured[f.name]; ok && (f.name != "calls" || e.Predict.By != nil && strings.HasPrefix(e.Predict.By.Text, f.name)) {
			facts = append(facts, labview.Fact{Name: f.label, Value: f.write(value)})
		}
	}
	return facts
}

// labAnswers are the reasons that are offered. Which is right stands in none of
// them until it was chosen.
func labAnswers(e *lab.Experiment) []labview.Answer {
	answers := make([]labview.Answer, len(e.Explain.Answers))
	for i, a := range e.Explain.Answers {
		answers[i] = labview.Answer{Value: strconv.Itoa(i + 1), Text: a.Text}
	}
	return answers
}

func (s *Server) explainProps(c echo.Context, e *lab.Experiment, p db.LabProgress, own bool) (labview.ExplainProps, error) {
	props := labview.ExplainProps{
		Question: e.Explain.Text, Answers: labAnswers(e), Told: !own || !p.ExplainedAt.IsZero(),
		Why: s.rendered(e.Why).HTML, Production: s.rendered(e.Production).HTML, Yourself: s.yourself(c, e),
	}
	for i, a := range e.Explain.Answers {
		if props.Answers[i].Value == c.QueryParam("because") {
			props.Answers[i].Chosen, props.Answers[i].Right, props.Answers[i].Feedback = true, a.Right, a.Reply
			props.Told = true
		}
	}
	var err error
	props.Sources, err = sourcesOf(e)
	return props, err
}

// cookieToPaste is the Cookie header of somebody with this kind of session, without
// its values. Where visitors choose a kind for themselves, the choice has to go along,
// or the site looks for another cookie.
func (s *Server) cookieToPaste(backend string) string {
	var pairs []string
	if s.Sessions.Choice() && backend != s.Sessions.Site().Backend {
		pairs = append(pairs, s.Sessions.ChoiceCookie()+"="+backend)
	}
	for _, name := range s.Sessions.CookieNamesOf(backend) {
		pairs = append(pairs, name+"=PASTE-THE-VALUE-HERE")
	}
	return strings.Join(pairs, "; ")
}

var commandLine = regexp.MustCompile(`(?m)^ {4}(.+)$`)

// yourself is what to try with one's own session. The value of a cookie is never
// written into a page; its owner knows where to find it.
func (s *Server) yourself(c echo.Context, e *lab.Experiment) labview.Yourself {
	fill := strings.NewReplacer("{cookie}", s.cookieToPaste(visitorOf(c).visit.Backend()), "{site}", s.BaseURL.String()).Replace
	var y labview.Yourself
	for _, m := range commandLine.FindAllStringSubmatch(e.Yourself, -1) {
		y.Commands = append(y.Commands, fill(m[1]))
	}
	y.HTML = s.rendered(fill(commandLine.ReplaceAllString(e.Yourself, ""))).HTML
	return y
}
