package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/handlers/markdown"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// experimentsOf are the experiments that a lesson asks for, in their order. What it
// names and there is not, it does not ask for.
func (s *Server) experimentsOf(l school.Lesson) []*lab.Experiment {
	if l.Kind != school.Lab || s.Lab == nil {
		return nil
	}
	var all []*lab.Experiment
	for _, slug := range school.Experiments(l.Body) {
		if e, err := s.Lab.Experiment(slug); err == nil {
			all = append(all, e)
		}
	}
	return all
}

// labSlugs names all experiments that there are.
func (s *Server) labSlugs() []string {
	if s.Lab == nil {
		return nil
	}
	var slugs []string
	for _, e := range s.Lab.Experiments() {
		slugs = append(slugs, e.Slug)
	}
	return slugs
}

// lessonText is the text of a lesson as this reader sees it. The rendered text is the
// same for everybody; where it embeds experiments, how far the reader has come with
// them is put into it here.
func (s *Server) lessonText(c echo.Context, a asked, doc markdown.Document) ([]views.LessonPart, views.LabStanding, error) {
	experiments := s.experimentsOf(a.lesson)
	standing := views.LabStanding{Experiments: len(experiments)}
	if len(experiments) == 0 {
		return textWith(doc, nil), standing, nil
	}
	if err := s.adoptProgress(c); err != nil {
		return nil, standing, err
	}
	progress, err := s.progressOf(c)
	if err != nil {
		return nil, standing, err
	}
	runs, err := s.runsOf(c.Request().Context(), experiments, progress)
	if err != nil {
		return nil, standing, err
	}
	cards := map[string]*labview.EmbedProps{}
	for _, e := range experiments {
		p := progress[e.Slug]
		p.Experiment = e.Slug
		if p.ExplainedAt.IsZero() {
			standing.Lacking = append(standing.Lacking, views.LabLack{Title: e.Title, Href: labAddress(e.Slug), Needs: needs(e, p)})
		}
		card := embedProps(e, p, runs[p.RunID], visitorOf(c).SignedIn())
		card.Back = a.lessonAddress(a.lesson.Slug)
		cards[e.Slug] = &card
	}
	return textWith(doc, cards), standing, nil
}

// textWith cuts a document where there is a card for what it embeds.
func textWith(doc markdown.Document, cards map[string]*labview.EmbedProps) []views.LessonPart {
	var parts []views.LessonPart
	at := 0
	text := func(to int) {
		if to > at {
			parts = append(parts, views.LessonPart{HTML: doc.HTML[at:to]})
		}
	}
	for _, e := range doc.Embeds {
		if card := cards[e.Experiment]; card != nil {
			card.Level = e.Level
			text(e.From)
			parts = append(parts, views.LessonPart{Experiment: card})
			at = e.To
		}
	}
	text(len(doc.HTML))
	return parts
}

// runsOf reads the runs that the reader has seen of some experiments.
func (s *Server) runsOf(ctx context.Context, experiments []*lab.Experiment, progress map[string]db.LabProgress) (map[string]*lab.Run, error) {
	var ids []string
	for _, e := range experiments {
		if id := progress[e.Slug].RunID; isRunID(id) {
			ids = append(ids, id)
		}
	}
	kept, err := s.DB.LabRunsByID(ctx, ids...)
	if err != nil {
		return nil, err
	}
	runs := map[string]*lab.Run{}
	for _, e := range experiments {
		id := progress[e.Slug].RunID
		if k, ok := kept[id]; ok && k.Experiment == e.Slug {
			if runs[id], err = unpacked(k.Result); err != nil {
				return nil, err
			}
		}
	}
	return runs, nil
}

// needs says what is lacking until an experiment is explained.
func needs(e *lab.Experiment, p db.LabProgress) string {
	switch {
	case p.RunID != "":
		return "explain it"
	case predicted(e, p):
		return "run it, and explain it"
	}
	return "predict, run it, and explain it"
}

// embedProps is an experiment as it stands in a lesson. run is nil where there is none.
func embedProps(e *lab.Experiment, p db.LabProgress, run *lab.Run, signedIn bool) labview.EmbedProps {
	props := labview.EmbedProps{
		Slug: e.Slug, Title: e.Title, Group: e.Group.Title, Number: e.Number,
		State: stateOf(e, p), Predict: predictProps(e, p, signedIn), Run: runProps(e, p, nil),
	}
	if run == nil {
		return props
	}
	for i := range run.Columns {
		column := &run.Columns[i]
		props.Broken = props.Broken || len(column.Wrongs) > 0
		if asked := e.Asked(column.Family); asked == nil || asked.Name != column.Name {
			props.More++
			continue
		}
		lane := laneHead(e, column)
		lane.Guess = guessOf(e, *predictionFor(&p, column.Family), column)
		props.Results = append(props.Results, lane)
	}
	return props
}

// preview is a text as whoever writes it sees it. Where it embeds an experiment, nothing
// can be pressed; where that does not exist, it says so.
func (s *Server) preview(ctx context.Context, doc markdown.Document, kind school.Kind) (string, error) {
	if kind != school.Lab || s.Lab == nil {
		return doc.HTML, nil
	}
	var html strings.Builder
	at := 0
	for _, embed := range doc.Embeds {
		html.WriteString(doc.HTML[at:embed.From])
		at = embed.To
		part := labview.NoEmbed(embed.Experiment)
		if e, err := s.Lab.Experiment(embed.Experiment); err == nil {
			card := embedProps(e, db.LabProgress{}, nil, true)
			card.Level = embed.Level
			part = labview.Embed(card)
		}
		if err := part.Render(ctx, &html); err != nil {
			return "", err
		}
	}
	html.WriteString(doc.HTML[at:])
	return html.String(), nil
}

// experimentLinks are the experiments that a lesson may embed.
func (s *Server) experimentLinks() []labview.Link {
	if s.Lab == nil {
		return nil
	}
	var links []labview.Link
	for _, e := range s.Lab.Experiments() {
		links = append(links, labview.Link{Href: labAddress(e.Slug), Label: e.Title})
	}
	return links
}

// unknownExperiments are those that a text embeds and there are not.
func (s *Server) unknownExperiments(body string) []string {
	known := s.labSlugs()
	return slices.DeleteFunc(school.Experiments(body), func(slug string) bool { return len(known) == 0 || slices.Contains(known, slug) })
}

// lackingError says what has to be done before a lab lesson counts.
type lackingError struct {
	lesson string // its address
	lacks  []string
}

func (e *lackingError) Error() string {
	return fmt.Sprintf("handlers: the lab lesson lacks %d experiments", len(e.lacks))
}

func (e *lackingError) sentence() string {
	return "This lesson counts once each of its experiments was predicted, run and explained. Still to do: " + strings.Join(e.lacks, "; ") + "."
}

// lacking is an error as long as an experiment of the lesson is not explained.
func (s *Server) lacking(c echo.Context, a asked) error {
	experiments := s.experimentsOf(a.lesson)
	if len(experiments) == 0 {
		return nil
	}
	if err := s.adoptProgress(c); err != nil {
		return err
	}
	progress, err := s.progressOf(c)
	if err != nil {
		return err
	}
	lack := lackingError{lesson: a.lessonAddress(a.lesson.Slug)}
	for _, e := range experiments {
		if p := progress[e.Slug]; p.ExplainedAt.IsZero() {
			lack.lacks = append(lack.lacks, "“"+ui.Isolate(e.Title)+"” ("+needs(e, p)+")")
		}
	}
	if len(lack.lacks) == 0 {
		return nil
	}
	return &lack
}

// joined puts somebody into a course. Experiments that they explained before count in
// it from then on.
func (s *Server) joined(c echo.Context, a asked) error {
	user, ctx := visitorOf(c).user.ID, c.Request().Context()
	if a.enrolment.Joined() {
		return s.DB.Join(ctx, user, a.course.ID, s.Now())
	}
	if s.Lab != nil {
		if err := s.adoptProgress(c); err != nil {
			return err
		}
	}
	if err := s.DB.Join(ctx, user, a.course.ID, s.Now()); err != nil {
		return err
	}
	return s.DB.CompleteLab(ctx, user, a.course.ID, s.labSlugs(), s.Now())
}

// lessonTo finds the lesson that an experiment belongs to. back is nil for whoever has
// not joined its course.
func (s *Server) lessonTo(c echo.Context, e *lab.Experiment) (link labview.Link, back *labview.ReturnProps, err error) {
	l, err := s.DB.LessonOfExperiment(c.Request().Context(), visitorOf(c).user.ID, e.Slug)
	if errors.Is(err, school.ErrNotFound) {
		return link, nil, nil
	}
	if err != nil {
		return link, nil, err
	}
	address := asked{course: school.Course{Slug: l.Course}}.lessonAddress(l.Slug) + "#" + labview.EmbedID(e.Slug)
	if l.Joined {
		back = &labview.ReturnProps{Href: address, Title: l.Title, Done: !l.DoneAt.IsZero()}
	}
	return labview.Link{Href: address, Label: l.Title}, back, nil
}

// labNext is where a form of the lab leads back to: the page that it says it stands on,
// or what is the next by itself.
func labNext(f formValues, next string) string {
	if asked := localPath(f.get("next")); asked != "/" {
		return asked
	}
	return next
}
