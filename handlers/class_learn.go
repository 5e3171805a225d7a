package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// errNoLearner: somebody predicts whose browser did not keep the cookie that it was
// given; each of their clicks would count as one learner more.
var errNoLearner = errors.New("handlers: a learner without a number")

// classConflict says why something cannot be done in a class as things stand; it is
// empty for any other error.
func classConflict(err error) string {
	switch {
	case errors.Is(err, school.ErrClassOver):
		return "The class is over, so nothing can be asked or predicted in it any more."
	case errors.Is(err, school.ErrClassMoved):
		return "The class has moved on meanwhile. Look again, and go on from what is there now."
	case errors.Is(err, school.ErrClassFull):
		return "As many people as a class holds, " + ui.Number(db.ClassLearners) + ", have predicted in it. You can still watch."
	case errors.Is(err, school.ErrTooManyClasses):
		return "You have as many open classes as one person may have. End one of them first."
	case errors.Is(err, errNoLearner):
		return "Your browser did not keep the one cookie by which a class tells its telephones apart, so nothing was counted. Open the class again, and let it keep that cookie."
	}
	return ""
}

// showClassDoor is where a code is typed. What was typed stands in the address, so
// the form works without a script and a wrong code can be mended.
func (s *Server) showClassDoor(c echo.Context) error {
	if _, sent := c.QueryParams()["code"]; !sent {
		return s.classDoor(c, http.StatusOK, labview.DoorProps{})
	}
	typed := c.QueryParam("code")
	code, err := school.ParseClassCode(typed)
	var invalid *school.Invalid
	if errors.As(err, &invalid) {
		return s.classDoor(c, http.StatusUnprocessableEntity, labview.DoorProps{Typed: school.Text(typed), Error: invalid.Reason})
	}
	return seeOther(c, classAddress(code))
}

func (s *Server) classDoor(c echo.Context, status int, p labview.DoorProps) error {
	p.Leads = s.may(c, policy.ClassLead, policy.Object{})
	return s.page(c, status, views.LabClassDoorPage(s.frame(c, "Join a class", "lab"), p))
}

// notEntered answers somebody whose code leads nowhere with the door, where it can be
// typed again.
func (s *Server) notEntered(c echo.Context, err error) error {
	var throttled *auth.Throttled
	p := labview.DoorProps{Typed: school.Text(c.Param("code"))}
	switch {
	case wantsJSON(c):
		return err
	case errors.As(err, &throttled):
		c.Response().Header().Set(echo.HeaderRetryAfter, seconds(throttled.RetryAfter))
		p.Error = "So many wrong codes have come from your network that none is looked up for a moment. Try again in " + ui.Count(max(1, int(throttled.RetryAfter.Seconds())), "second", "seconds") + "."
		return s.classDoor(c, http.StatusTooManyRequests, p)
	case errors.Is(err, school.ErrNotFound):
		p.Error = "No class has this code. It may be mistyped, or the class may be long over: a class lasts for a day at most."
		return s.classDoor(c, http.StatusNotFound, p)
	}
	return err
}

// showClassToLearner is the class on a telephone.
func (s *Server) showClassToLearner(c echo.Context) error {
	class, err := s.classEntered(c)
	if err != nil {
		return s.notEntered(c, err)
	}
	if !class.Over(s.Now()) {
		if err := s.greetLearner(c); err != nil {
			return err
		}
	}
	return s.learnerPage(c, http.StatusOK, class, "")
}

func (s *Server) learnerPage(c echo.Context, status int, class db.Class, refused string) error {
	p, err := s.learnerProps(c, class)
	if err != nil {
		return err
	}
	p.Refused = refused
	f := s.frame(c, p.Heading(), "lab")
	f.Scripts = append(f.Scripts, labview.ClassScripts...)
	return s.page(c, status, views.LabLearnerPage(f, p))
}

func (s *Server) learnerProps(c echo.Context, class db.Class) (labview.LearnerProps, error) {
	p := labview.LearnerProps{
		Code: string(class.Code), At: classAddress(class.Code), Version: s.versionOf(&class, false), Over: class.Over(s.Now()),
		Phase: labview.ClassPhase(class.Phase), Round: class.Round,
	}
	e := s.askedIn(&class)
	if e == nil || p.Over {
		p.Phase = labview.ClassWaiting
		return p, nil
	}
	said, err := s.predictionIn(c, class.Code)
	if err != nil && !errors.Is(err, school.ErrNotFound) {
		return p, err
	}
	if said.Round != class.Round {
		said = db.ClassPrediction{} // of an earlier question
	}
	p.Title, p.Lede, p.Page = e.Title, e.Lede, labAddress(e.Slug)
	p.Question = labview.PredictProps{
		Question: e.Predict.Question,
		Accepted: labview.Outcome{Label: e.Predict.Accepted.Label, Meaning: e.Predict.Accepted.Means},
		Refused:  labview.Outcome{Label: e.Predict.Refused.Label, Meaning: e.Predict.Refused.Means},
		Fixed:    class.Phase != db.ClassAsking,
	}
	for _, family := range familiesOf(e) {
		chosen := labview.Verdict(*predictionOf(&said, family.Name))
		p.Families = append(p.Families, family)
		p.Question.Families = append(p.Question.Families, labview.Prediction{Family: family.Name, Label: family.Label, Chosen: chosen})
	}
	if class.Phase != db.ClassRan {
		return p, nil
	}
	run, err := s.classRun(c.Request().Context(), &class)
	if errors.Is(err, school.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.Page = withQuery(labAddress(e.Slug), "run", class.RunID)
	p.Lanes, p.Why = lanesOf(e, run, &said), s.rendered(e.Why).HTML
	for _, lane := range p.Lanes {
		if lane.Guess != nil {
			p.Asked++
			if lane.Guess.Right {
				p.Guessed++
			}
		}
	}
	return p, nil
}

// predictInClass keeps what a learner expects.
func (s *Server) predictInClass(c echo.Context) error {
	if err := s.ClassForms.Take(c.Request().Context(), address(c)); err != nil {
		return err
	}
	class, err := s.classEntered(c)
	if err != nil {
		return s.notEntered(c, err)
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	id, known := s.learner(c)
	if !known {
		return errNoLearner
	}
	p := db.ClassPrediction{Round: roundAsked(f)}
	e := s.askedIn(&class)
	if e == nil || class.Round != p.Round {
		return s.notCounted(c, class, school.ErrClassMoved)
	}
	said, err := readPredictions(f, e, func(family string) *string { return predictionOf(&p, family) })
	if err != nil {
		return err
	}
	if !said {
		return &school.Invalid{Field: e.Asks()[0], Reason: "Choose one of the two first."}
	}
	if err := s.DB.SaveClassPrediction(detached(c), class.Code, learnerIn(class.Code, id), p, s.Now()); err != nil {
		return s.notCounted(c, class, err)
	}
	if wantsJSON(c) {
		return c.NoContent(http.StatusNoContent)
	}
	return seeOther(c, classAddress(class.Code))
}

// notCounted shows a learner whose prediction did not count how the class stands.
func (s *Server) notCounted(c echo.Context, class db.Class, why error) error {
	if classConflict(why) == "" || wantsJSON(c) {
		return why
	}
	now, err := s.DB.Class(c.Request().Context(), class.Code)
	if err != nil {
		return err
	}
	return s.learnerPage(c, http.StatusConflict, now, "What you sent was not counted. "+classConflict(why))
}

// watchAsLearner tells a telephone how the class stands.
func (s *Server) watchAsLearner(c echo.Context) error {
	class, err := s.classEntered(c)
	if err != nil {
		return err
	}
	number, _ := s.learner(c)
	_, err = s.predictionIn(c, class.Code)
	if err != nil && !errors.Is(err, school.ErrNotFound) {
		return err
	}
	return s.streamClass(c, class.Code, looker{number: number, newcomer: err != nil, network: auth.NetworkOf(address(c))})
}
