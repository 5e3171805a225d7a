package handlers

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/handlers/lab"
	"lectern/handlers/policy"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// showLab is the scoreboard, with all experiments below it.
func (s *Server) showLab(c echo.Context) error {
	if err := s.adoptProgress(c); err != nil {
		return err
	}
	progress, err := s.progressOf(c)
	if err != nil {
		return err
	}
	figures, err := s.figures(c)
	if err != nil {
		return err
	}
	p := labview.ScoreboardProps{
		Rows: scoreRows(figures), Charts: s.scoreCharts(figures), Measured: figures.measured(),
		Class: s.may(c, policy.TeachView, policy.Object{}),
	}
	if len(s.Providers) > 0 {
		first := s.Providers[0]
		p.Watch = labview.Link{Href: "/signin/with/" + first.Slug() + "?watch=1&next=%2Flab", Label: "Sign in with " + first.Name() + ", and watch"}
	}
	s.tellProgress(&p, progress)
	if !visitorOf(c).SignedIn() && len(p.Progress) > 0 {
		p.Kept = "It is kept in this browser; sign in, and it is kept for you."
	}
	f := s.frame(c, "The session lab", "lab")
	f.Scripts = append(f.Scripts, labview.Scripts...)
	return s.page(c, http.StatusOK, views.LabPage(f, p))
}

// figures are what was last measured on this installation, by experiment and column.
type figures map[string]db.LabFigures

func (s *Server) figures(c echo.Context) (figures, error) {
	all, err := s.DB.LabFigures(c.Request().Context())
	if err != nil {
		return nil, err
	}
	f := figures{}
	for _, row := range all {
		f[row.Experiment+" "+row.Column] = row
	}
	return f, nil
}

// of is one measure; false where it was never measured.
func (f figures) of(experiment, column, measure string) (float64, bool) {
	value, ok := f[experiment+" "+column].Figures[measure]
	return value, ok
}

// measured says when and on what the figures of the scoreboard were measured.
func (f figures) measured() string {
	var first, last time.Time
	machines := map[string]bool{}
	for _, q := range questions {
		for _, column := range scored {
			row, ok := f[q.experiment+" "+column]
			if !ok {
				continue
			}
			machines[row.Machine] = true
			if first.IsZero() || row.At.Before(first) {
				first = row.At
			}
			if row.At.After(last) {
				last = row.At
			}
		}
	}
	if last.IsZero() {
		return ""
	}
	const layout = "2 January 2006 at 15:04"
	on := ", on " + strings.Join(slices.Sorted(maps.Keys(machines)), " and ") + "."
	if from, to := first.Local().Format(layout), last.Local().Format(layout); from != to {
		return "Last measured between " + from + " and " + to + on
	}
	return "Last measured on " + last.Local().Format(layout) + on
}

// scored are the columns that stand for the three families on the scoreboard.
var scored = [3]string{"jwt", "database", "hybrid"}

// question is a row of the scoreboard: what is asked, and what is best in it.
type question struct {
	name, asks string
	experiment string // where the figure is measured
	best       string // what the best cell is called
	most       bool   // the best is the largest, and not the smallest
	// value is the figure of a column; false where there is none.
	value func(f figures, column string) (float64, bool)
	write func(float64) string
	// tells says more about each cell, in the order of scored.
	tells [3]func(f figures, column string) string
	// links are the experiments behind the cells.
	links [3]string
}

// said is the same sentence whatever was measured.
func said(text string) func(figures, string) string {
	return func(figures, string) string { return text }
}

// with puts a measure into a sentence, and says nothing where it was not measured.
func with(experiment, measure, format string) func(figures, string) string {
	return func(f figures, column string) string {
		value, ok := f.of(experiment, column, measure)
		if !ok {
			return ""
		}
		return fmt.Sprintf(format, ui.Number(int(value+0.5)))
	}
}

// beside tells how often a store was asked, and what the same costs in another
// column of the experiment.
func beside(reads, column, format string) func(figures, string) string {
	return func(f figures, own string) string {
		text := with("count-the-cost", "reads_in_all", reads)(f, own)
		if micros, ok := f.of("count-the-cost", column, "micros"); ok && text != "" {
			text += fmt.Sprintf(format, ui.Took(time.Duration(micros*float64(time.Microsecond))))
		}
		return text
	}
}

func measure(experiment, name string) func(figures, string) (float64, bool) {
	return func(f figures, column string) (float64, bool) { return f.of(experiment, column, name) }
}

var questions = []question{
	{
		name: "Storage", asks: "What the server keeps for each person signed in", experiment: "issue-a-session", best: "Least kept",
		value: measure("issue-a-session", "kept_bytes"),
		write: func(v float64) string { return ui.Count(int(v), "byte", "bytes") },
		tells: [3]func(figures, string) string{
			with("issue-a-session", "cookie_bytes", "%s bytes ride in the cookie, on every request."),
			with("issue-a-session", "cookie_bytes", "One record each. The cookie has %s bytes."),
			with("issue-a-session", "cookie_bytes", "One record each, and %s bytes of cookies."),
		},
		links: [3]string{"issue-a-session", "issue-a-session", "issue-a-session"},
	},
	{
		name: "Scalability", asks: "Sessions that one processor could check in a second, by the time measured below", experiment: "count-the-cost", best: "Most of these", most: true,
		value: func(f figures, column string) (float64, bool) {
			micros, ok := f.of("count-the-cost", column, "micros")
			return 1e6 / max(micros, 0.1), ok
		},
		write: func(v float64) string { return ui.Number(int(v/100+0.5) * 100) },
		tells: [3]func(figures, string) string{
			said("Any server that has the key can answer, and asks nobody."),
			said("Every server has to reach the one store; with memory in its place, only the server that has the record can answer."),
			said("Any server that has the key, until the short token is exchanged."),
		},
		links: [3]string{"add-a-second-server", "add-a-second-server", "lose-the-store"},
	},
	{
		name: "Revocation", asks: "How long a stolen cookie works after the sign-out", experiment: "sign-out-then-replay", best: "Soonest over",
		value: measure("sign-out-then-replay", "valid_for_seconds"),
		write: func(v float64) string { return lab.Span(time.Duration(v) * time.Second) },
		tells: [3]func(figures, string) string{
			said("Until it expires, whatever anybody does. At worst that is its whole life: " + lab.Span(lab.Lifetimes().Token) + " here."),
			said("The next request is refused: the record is gone."),
			said("Until the short token expires. It cannot be exchanged for another."),
		},
		links: [3]string{"sign-out-then-replay", "sign-out-then-replay", "sign-out-then-replay"},
	},
	{
		name: "Cost", asks: "Time at the door, the median of a request", experiment: "count-the-cost", best: "Cheapest of these",
		value: measure("count-the-cost", "micros"),
		write: func(v float64) string { return ui.Took(time.Duration(v * float64(time.Microsecond))) },
		tells: [3]func(figures, string) string{
			beside("%s look-ups in a thousand requests.", "eddsa", " Signed with EdDSA in place of HS256 it is %s."),
			beside("%s look-ups in a thousand requests, in SQLite without a disk. On a disk, and over a network, each is dearer.", "memory", " In the server’s own memory it is %s."),
			with("count-the-cost", "reads_in_all", "%s look-ups in a thousand requests, when the short token is exchanged."),
		},
		links: [3]string{"count-the-cost", "count-the-cost", "count-the-cost"},
	},
}

// scoreRows are the rows of the scoreboard; the last has no figures in it.
func scoreRows(f figures) []labview.ScoreRow {
	var rows []labview.ScoreRow
	for _, q := range questions {
		rows = append(rows, q.row(f))
	}
	cell := func(figure, text, slug, label string) labview.ScoreCell {
		return labview.ScoreCell{Figure: figure, Text: text, Link: labview.Link{Href: labAddress(slug), Label: label}}
	}
	return append(rows, labview.ScoreRow{
		Name: "Use case", Asks: "Where one would choose it again",
		JWT:    cell("Between services", "Short calls, many doors, and no store that all of them share.", "verify-elsewhere", "Verify elsewhere"),
		Server: cell("One web site", "People with browsers, and a “sign out everywhere” that is true.", "sign-out-everywhere", "Sign out everywhere"),
		Hybrid: cell("Apps and an API", "Many requests, and an end that may come a minute late.", "replay-a-refresh-token", "Replay a refresh token"),
	})
}

func (q question) row(f figures) labview.ScoreRow {
	var cells [3]labview.ScoreCell
	best, bestAt, alone := 0.0, -1, true
	for i, column := range scored {
		cells[i].Link = labview.Link{Href: labAddress(q.links[i]), Label: "The experiment"}
		value, ok := q.value(f, column)
		if !ok {
			continue
		}
		cells[i].Figure, cells[i].Text = q.write(value), q.tells[i](f, column)
		switch better := value < best == !q.most && value != best; {
		case bestAt < 0 || better:
			best, bestAt, alone = value, i, true
		case value == best:
			alone = false
		}
	}
	if bestAt >= 0 && alone && cells[0].Figure != "" && cells[1].Figure != "" && cells[2].Figure != "" {
		cells[bestAt].Best = q.best
	}
	return labview.ScoreRow{Name: q.name, Asks: q.asks, JWT: cells[0], Server: cells[1], Hybrid: cells[2]}
}

// scoreCharts draws what a request costs with each kind of session, as last
// measured.
func (s *Server) scoreCharts(f figures) []labview.ChartProps {
	e, err := s.Lab.Experiment("count-the-cost")
	if err != nil {
		return nil
	}
	run := &lab.Run{}
	for _, setup := range e.Columns {
		if row, ok := f[e.Slug+" "+setup.Name]; ok {
			run.Columns = append(run.Columns, lab.Column{Name: setup.Name, Label: setup.Label, Kind: setup.Kind, Measured: row.Figures})
		}
	}
	return chartsOf(run)
}

// tellProgress says how far the visitor has come, and where to go on.
func (s *Server) tellProgress(p *labview.ScoreboardProps, progress map[string]db.LabProgress) {
	experiments := s.Lab.Experiments()
	ran, explained, asked, guessed := 0, 0, 0, 0
	for _, e := range experiments {
		mine := progress[e.Slug]
		state := stateOf(e, mine)
		if len(p.Groups) == 0 || p.Groups[len(p.Groups)-1].Name != e.Group.Title {
			p.Groups = append(p.Groups, labview.Group{Name: e.Group.Title, About: e.Group.Subtitle})
		}
		last := &p.Groups[len(p.Groups)-1]
		last.Experiments = append(last.Experiments, labview.Listed{Number: e.Number, Href: labAddress(e.Slug), Title: e.Title, State: state})
		if mine.RunID != "" {
			ran++
			asked, guessed = asked+mine.Asked, guessed+mine.Guessed
		}
		if state == labview.Explained {
			explained++
		} else if p.Next.Href == "" {
			p.Next = labview.Link{Href: labAddress(e.Slug), Label: "Go on: " + e.Title}
		}
	}
	if len(progress) == 0 {
		p.Next.Label = "Begin with the first"
		return
	}
	of := " of " + ui.Number(len(experiments))
	p.Progress = []labview.Fact{{Name: "Run by you", Value: ui.Number(ran) + of}, {Name: "Explained", Value: ui.Number(explained) + of}}
	if asked > 0 {
		p.Progress = append(p.Progress, labview.Fact{Name: "Guessed right", Value: ui.Number(guessed) + " of " + ui.Number(asked)})
	}
}

// stateOf is how far somebody has come with an experiment.
func stateOf(e *lab.Experiment, p db.LabProgress) labview.State {
	switch {
	case !p.ExplainedAt.IsZero():
		return labview.Explained
	case p.RunID != "":
		return labview.Ran
	case predicted(e, p):
		return labview.Predicted
	}
	return labview.New
}
