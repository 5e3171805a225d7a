package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// showClasses is where somebody opens a class, and finds those they have open.
func (s *Server) showClasses(c echo.Context) error {
	return s.classesPage(c, http.StatusOK, labview.ClassesProps{Chosen: c.QueryParam("experiment")})
}

func (s *Server) classesPage(c echo.Context, status int, p labview.ClassesProps) error {
	open, err := s.DB.Classes(c.Request().Context(), visitorOf(c).user.ID, s.Now())
	if err != nil {
		return err
	}
	for i := range open {
		class := &open[i]
		line := labview.OpenClass{
			Code: string(class.Code), Lead: leadAddress(class.Code), Join: classAddress(class.Code), Since: class.OpenedAt.Local().Format("15:04"),
			Asked: "nothing yet", Learners: class.Tally.Learners,
		}
		if e := s.askedIn(class); e != nil {
			line.Asked = e.Title
		}
		p.Open = append(p.Open, line)
	}
	p.Most = db.ClassesAtOnce
	p.Experiments = s.experimentGroups()
	return s.page(c, status, views.LabClassesPage(s.frame(c, "Class view", "lab"), p))
}

// experimentGroups are all experiments, to choose one.
func (s *Server) experimentGroups() []labview.ExperimentGroup {
	var groups []labview.ExperimentGroup
	for _, e := range s.Lab.Experiments() {
		if n := len(groups); n == 0 || groups[n-1].Title != e.Group.Title {
			groups = append(groups, labview.ExperimentGroup{Title: e.Group.Title})
		}
		last := &groups[len(groups)-1]
		last.Options = append(last.Options, ui.Option{Value: e.Slug, Label: e.Title})
	}
	return groups
}

// experimentIn is the experiment that a form names; nil where it names none.
func (s *Server) experimentIn(f formValues) (*lab.Experiment, error) {
	slug := f.get("experiment")
	if slug == "" {
		return nil, nil
	}
	e, err := s.Lab.Experiment(slug)
	if errors.Is(err, lab.ErrUnknown) {
		return nil, &school.Invalid{Field: "experiment", Reason: "Choose one of the experiments."}
	}
	return e, err
}

// maxDraws is how often a code is drawn until one is free. Of millions, a few are
// taken.
const maxDraws = 5

// openClass opens a class, and asks it what was chosen.
func (s *Server) openClass(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	e, err := s.experimentIn(f)
	if err != nil {
		return err
	}
	ctx := toTheEnd(c)
	var code school.ClassCode
	for range maxDraws {
		if code, err = school.NewClassCode(s.Random); err != nil {
			return err
		}
		if err = s.DB.OpenClass(ctx, code, visitorOf(c).user.ID, s.Now()); !errors.Is(err, school.ErrCodeTaken) {
			break
		}
	}
	if errors.Is(err, school.ErrTooManyClasses) && !wantsJSON(c) {
		return s.classesPage(c, http.StatusConflict, labview.ClassesProps{Chosen: f.get("experiment"), TooMany: true})
	}
	if err == nil && e != nil {
		err = s.DB.AskClass(ctx, code, e.Slug, s.Now())
	}
	if err != nil {
		return err
	}
	return seeOther(c, leadAddress(code))
}

// showClass is the screen in front of a class.
func (s *Server) showClass(c echo.Context) error {
	props, err := s.leadProps(c)
	if err != nil {
		return err
	}
	f := s.frame(c, props.Heading(), "lab")
	f.Scripts = append(f.Scripts, labview.ClassScripts...)
	return s.page(c, http.StatusOK, views.LabClassPage(f, props))
}

func (s *Server) leadProps(c echo.Context) (labview.LeadProps, error) {
	class := classOf(c)
	p := labview.LeadProps{
		Code: string(class.Code), Lead: leadAddress(class.Code), Version: s.versionOf(&class, true), Over: class.Over(s.Now()),
		Door: s.shortAddress("/c"), Address: s.shortAddress(classAddress(class.Code)), OnlyHere: onlyHere(s.BaseURL),
		Phase: labview.ClassPhase(class.Phase), Round: class.Round, Learners: class.Tally.Learners, Hidden: class.Hidden,
		Experiments: s.experimentGroups(),
	}
	var err error
	if p.QRSize, p.QRPath, err = qrCode(s.longAddress(classAddress(class.Code))); err != nil {
		return p, err
	}
	e := s.askedIn(&class)
	if e == nil {
		p.Phase = labview.ClassWaiting
		return p, nil
	}
	p.Title, p.Lede, p.Question = e.Title, e.Lede, e.Predict.Question
	p.Accepted = labview.Outcome{Label: e.Predict.Accepted.Label, Meaning: e.Predict.Accepted.Means}
	p.Refused = labview.Outcome{Label: e.Predict.Refused.Label, Meaning: e.Predict.Refused.Means}
	p.Place = e.Group.Title + ", experiment " + ui.Number(e.Number) + " of " + ui.Number(len(s.Lab.Experiments()))
	p.Page = labAddress(e.Slug)
	if _, next := s.besides(e); next.Href != "" {
		p.Next = s.Lab.Experiments()[e.Number].Slug
	}
	for _, family := range familiesOf(e) {
		p.Families = append(p.Families, labview.FamilyTally{ClassFamily: family, Split: splitOf(class.Tally, family.Name)})
	}
	for _, column := range e.Columns {
		if column.None == "" {
			p.Columns = append(p.Columns, labview.RunColumn{Name: column.Name, Label: column.Label, Backend: column.Kind})
		}
	}
	if p.Phase != labview.ClassRan {
		return p, nil
	}
	run, err := s.classRun(c.Request().Context(), &class)
	if errors.Is(err, school.ErrNotFound) {
		return p, nil // runs are kept for longer than a class lives, but only so many
	}
	if err != nil {
		return p, err
	}
	p.Page = withQuery(labAddress(e.Slug), "run", class.RunID)
	for i, lane := range lanesOf(e, run, nil) {
		shown := labview.ClassLane{Lane: lane}
		column := &run.Columns[i]
		if asked := e.Asked(column.Family); asked != nil && asked.Name == column.Name {
			split := splitOf(class.Tally, column.Family)
			shown.Said, shown.Outcome = &split, labview.Verdict(column.Outcome)
		}
		p.Lanes = append(p.Lanes, shown)
	}
	return p, nil
}

// askClass begins the next experiment. The telephones follow.
func (s *Server) askClass(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	e, err := s.experimentIn(f)
	if err != nil {
		return err
	}
	if e == nil {
		return &school.Invalid{Field: "experiment", Reason: "Choose one of the experiments."}
	}
	class := classOf(c)
	if err := s.DB.AskClass(detached(c), class.Code, e.Slug, s.Now()); err != nil {
		return err
	}
	return seeOther(c, leadAddress(class.Code))
}

// hideTally keeps the tally from the screen, so that nobody copies, or shows it.
func (s *Server) hideTally(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	tally, class := f.get("tally"), classOf(c)
	if tally != "hidden" && tally != "shown" {
		return &school.Invalid{Field: "tally", Reason: "Choose whether to hide the tally or to show it."}
	}
	if err := s.DB.HideClassTally(detached(c), class.Code, tally == "hidden", s.Now()); err != nil {
		return err
	}
	return seeOther(c, leadAddress(class.Code))
}

// endClass ends a class, and forgets what was predicted in it.
func (s *Server) endClass(c echo.Context) error {
	class := classOf(c)
	if err := s.DB.EndClass(detached(c), class.Code, s.Now()); err != nil {
		return err
	}
	return seeOther(c, leadAddress(class.Code))
}

// runClass closes the predictions and carries the experiment out, in front of
// everybody. A run in front of a class is not counted with those of its address,
// from which all its learners come too; of each round there is one, and whoever
// leads has a pace to keep.
func (s *Server) runClass(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	class, round := classOf(c), roundAsked(f)
	e := s.askedIn(&class)
	if e == nil || class.Round != round {
		return school.ErrClassMoved
	}
	leader := visitorOf(c).user.ID
	if err := s.classPace.take(leader, s.Now()); err != nil {
		if class.Phase != db.ClassAsking {
			return seeOther(c, leadAddress(class.Code)) // pressed twice, as below
		}
		return err
	}
	ctx, cancel := context.WithTimeout(detached(c), db.ClassRunTime-5*time.Second)
	defer cancel()
	begun := s.Now().Truncate(time.Millisecond) // as it is kept
	if err := s.DB.BeginClassRun(ctx, class.Code, round, begun); err != nil {
		s.classPace.giveBack(leader) // nothing is run
		if errors.Is(err, school.ErrClassMoved) {
			return seeOther(c, leadAddress(class.Code)) // pressed twice: the first press runs it
		}
		return err
	}
	id := "" // of a run that came to its end
	defer func() {
		// Also where the run failed, or panicked: then predictions are taken again.
		if err := s.DB.EndClassRun(detached(c), class.Code, round, begun, id, s.Now()); err != nil && !errors.Is(err, school.ErrClassOver) {
			s.Log.Error("run of a class not ended", "id", requestID(c), "err", err)
		}
	}()
	run, err := s.Lab.Run(ctx, e.Slug, lab.Watcher{
		Column: func(name, label string) {
			s.hall.tellLeaders(class.Code, eventOf("column", map[string]string{"name": name, "label": label}))
		},
		Step: func(column, line string, status int) {
			s.hall.tellLeaders(class.Code, eventOf("step", map[string]any{"column": column, "line": line, "status": status}))
		},
	})
	if err != nil {
		return err
	}
	kept := newRunID()
	if err := s.keepRun(ctx, kept, run); err != nil {
		return err
	}
	id = kept
	return seeOther(c, leadAddress(class.Code))
}

// watchAsLeader tells the screen in front how the class stands.
func (s *Server) watchAsLeader(c echo.Context) error {
	return s.streamClass(c, classOf(c).Code, looker{leads: true})
}
