package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/handlers/lab"
	"lectern/handlers/openapi"
	"lectern/handlers/policy"
)

// labOperations are the part of the API that is the lab's.
var labOperations = []operation{
	{
		http.MethodGet, "/api/v1/lab/experiments", to(policy.LabUse), (*Server).listExperiments,
		"listExperiments", "The experiments of the session lab", "In the order in which the lab shows them.",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "All of them.", Body: experimentListJSON{}},
		nil,
	},
	{
		http.MethodPost, "/api/v1/lab/experiments/:experiment/runs", to(policy.LabUse), (*Server).runExperimentForProgram,
		"runExperiment", "Run an experiment", "It is carried out for each kind of session in a small world of its own, and nobody's data is touched. What comes out is kept like a run that was started on the page.",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "What each column came to.", Body: runJSON{}},
		[]int{http.StatusNotFound, http.StatusTooManyRequests},
	},
}

type experimentListJSON struct {
	Experiments []experimentJSON `json:"experiments"`
}

type experimentJSON struct {
	Slug     string       `json:"slug" doc:"its name in addresses"`
	Number   int          `json:"number"`
	Title    string       `json:"title"`
	Group    string       `json:"group"`
	Question string       `json:"question" doc:"what is predicted before a run"`
	Columns  []columnHead `json:"columns"`
}

type columnHead struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// runJSON is a run for programs; the names are part of the contract.
type runJSON struct {
	Experiment string       `json:"experiment"`
	Run        string       `json:"run" doc:"its name; the page shows it at /lab/EXPERIMENT?run=NAME"`
	At         time.Time    `json:"at"`
	TookMillis float64      `json:"took_ms"`
	Machine    string       `json:"machine" doc:"what the figures were measured on"`
	Columns    []columnJSON `json:"columns"`
	Why        string       `json:"why" doc:"the explanation, in Markdown"`
}

type columnJSON struct {
	Name      string             `json:"name"`
	Label     string             `json:"label"`
	Verdict   lab.Verdict        `json:"verdict" doc:"what was said to the deciding request"`
	Status    int                `json:"status" doc:"of the deciding exchange; 0 where nothing was asked"`
	Outcome   string             `json:"outcome,omitempty" doc:"the prediction that came true"`
	Measured  map[string]float64 `json:"measured"`
	Says      string             `json:"says,omitempty" doc:"what happened, in a sentence"`
	Note      string             `json:"note,omitempty" doc:"why there is nothing in this column"`
	Wrongs    []string           `json:"wrongs,omitempty" doc:"what the experiment expected and the program did not do"`
	Exchanges []exchangeJSON     `json:"exchanges"`
}

type exchangeJSON struct {
	Who      string       `json:"who"`
	Line     string       `json:"line" doc:"the step of the script"`
	Decides  bool         `json:"decides,omitempty"`
	Again    int          `json:"again,omitempty" doc:"how often the same was asked once more"`
	Request  requestJSON  `json:"request"`
	Response responseJSON `json:"response"`
	Trace    labTraceJSON `json:"trace" doc:"what the site did to find out who was asking"`
}

// labTraceJSON is a trace as a run keeps it, which is shorter than that of GET /session.
type labTraceJSON lab.Trace

type requestJSON struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
}

type responseJSON struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Excerpt string            `json:"excerpt"`
}

func (s *Server) listExperiments(c echo.Context) error {
	list := experimentListJSON{Experiments: []experimentJSON{}}
	for _, e := range s.Lab.Experiments() {
		x := experimentJSON{Slug: e.Slug, Number: e.Number, Title: e.Title, Group: e.Group.Title, Question: e.Predict.Question}
		for _, column := range e.Columns {
			x.Columns = append(x.Columns, columnHead{column.Name, column.Label})
		}
		list.Experiments = append(list.Experiments, x)
	}
	return c.JSON(http.StatusOK, list)
}

func (s *Server) runExperimentForProgram(c echo.Context) error {
	e, err := s.experimentAsked(c)
	if err != nil {
		return err
	}
	if err := s.LabRuns.Take(c.Request().Context(), address(c)); err != nil {
		return err
	}
	run, err := s.Lab.Run(c.Request().Context(), e.Slug, lab.Watcher{})
	if err != nil {
		return err
	}
	id := newRunID()
	if err := s.keepRun(detached(c), id, run); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, programRun(e, id, run))
}

func programRun(e *lab.Experiment, id string, run *lab.Run) runJSON {
	out := runJSON{
		Experiment: e.Slug, Run: id, At: run.At.UTC().Truncate(time.Second), TookMillis: float64(run.Took.Microseconds()) / 1000,
		Machine: run.Machine, Why: e.Why, Columns: []columnJSON{},
	}
	for _, column := range run.Columns {
		x := columnJSON{
			Name: column.Name, Label: column.Label, Verdict: column.Verdict, Status: column.Status, Outcome: string(column.Outcome),
			Measured: column.Measured, Note: column.Note, Wrongs: column.Wrongs, Exchanges: []exchangeJSON{},
		}
		if column.Headline != "" {
			x.Says = column.Headline + ". " + column.Sentence
		}
		for _, entry := range column.Transcript {
			if entry.Exchange != nil {
				x.Exchanges = append(x.Exchanges, programExchange(entry))
			}
		}
		out.Columns = append(out.Columns, x)
	}
	return out
}

// programExchange is an exchange with its headers as they went, cookies shortened.
func programExchange(entry lab.Entry) exchangeJSON {
	x := entry.Exchange
	out := exchangeJSON{
		Who: x.Who, Line: entry.Line, Decides: entry.Decides, Again: entry.Again, Trace: labTraceJSON(x.Trace),
		Request:  requestJSON{x.Request.Method, x.Request.Path, map[string]string{}},
		Response: responseJSON{x.Response.Status, map[string]string{}, x.Response.Excerpt},
	}
	for name, value := range x.Request.Headers {
		out.Request.Headers[name] = value
	}
	for name, value := range x.Response.Headers {
		out.Response.Headers[name] = value
	}
	cookies := ""
	for _, cookie := range x.Cookies {
		if cookie.Way == lab.Sent {
			if cookies != "" {
				cookies += "; "
			}
			cookies += cookie.Name + "=" + cookie.Value
		}
	}
	if cookies != "" {
		out.Request.Headers["Cookie"] = cookies
	}
	for i, line := range x.Response.SetCookie {
		if i > 0 {
			line = out.Response.Headers["Set-Cookie"] + ", " + line
		}
		out.Response.Headers["Set-Cookie"] = line
	}
	return out
}
