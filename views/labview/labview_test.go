package labview_test

import (
	"strings"
	"testing"

	"lectern/views/labview"
)

func TestExperiment_says(t *testing.T) {
	forged := with(ran, func(p *labview.ExperimentProps) {
		lane := jwtLane
		lane.Wire = []labview.Entry{{Who: "<b>thief</b>", Line: `GET /"><script>`, Exchange: &labview.Exchange{
			Status: 401, Sent: []labview.Cookie{{Name: "lectern-jwt", Value: "<script>", Way: labview.Sent}}, Excerpt: "<script>alert(1)</script>",
		}}}
		p.Result = &labview.ResultProps{Lanes: []labview.Lane{lane}}
	})
	for name, c := range map[string]struct {
		props    labview.ExperimentProps
		has, not []string
	}{
		"that it cannot be run without a prediction": {begun,
			[]string{`disabled aria-describedby="run-locked"`, "Locked until you have predicted all three."}, []string{"/reset"}},
		"that it can be run with one": {predicted,
			[]string{"Your prediction stands", `action="/lab/sign-out-then-replay/reset"`}, []string{"run-locked"}},
		"that what was predicted stands after the run": {ran,
			[]string{"<fieldset class=\"lane\" data-backend=\"jwt\" disabled>", "Reset to guess anew", "You said refused: not so", "You said refused: so it was"}, []string{"Save what I predict"}},
		"nothing of the reason before it is asked for": {ran,
			[]string{"Skip the question and read why"}, []string{"So it is.", "Not so."}},
		"what is not so about a wrong reason": {wronglyExplained,
			[]string{"Not so.", "The copy is in another jar."}, []string{"What is not written down cannot be crossed out."}},
		"why, once that was answered": {explained,
			[]string{"So it is.", "What is not written down cannot be crossed out."}, []string{"Skip the question"}},
		"when the lab is full": {full,
			[]string{"The lab is full", "try again in 10 seconds"}, nil},
		"whose run it is": {shared,
			[]string{"somebody else’s run", "Locked until you have predicted"}, []string{"You said"}},
		"that a run is not kept any more": {gone,
			[]string{"not kept any more"}, nil},
		"loudly that it is broken, and explains nothing": {broken,
			[]string{`role="alert"`, "401 was expected", "nothing to explain"}, []string{"Signing out told Ada"}},
		"why a column is empty": {many,
			[]string{"No Redis is configured on this installation."}, nil},
		"what a thief sent, as text": {forged,
			[]string{"&lt;script&gt;"}, []string{"<script", "<b>thief</b>"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, labview.Experiment(c.props))
			for _, want := range c.has {
				if !strings.Contains(got, want) {
					t.Errorf("it lacks %q", want)
				}
			}
			for _, bad := range c.not {
				if strings.Contains(got, bad) {
					t.Errorf("it has %q", bad)
				}
			}
		})
	}
}

func TestChart_drawsWhatIsThere(t *testing.T) {
	bars := func(values ...float64) labview.ChartProps {
		p := labview.ChartProps{ID: "c", Title: "Reads"}
		for _, v := range values {
			p.Bars = append(p.Bars, labview.Bar{Label: "JWT", Backend: "jwt", Value: v, Says: "so many"})
		}
		return p
	}
	for name, c := range map[string]struct {
		props labview.ChartProps
		want  []string
	}{
		"the largest as long as the chart": {bars(5, 10), []string{`width="180"`, `width="360"`}},
		"a little so that it is seen":      {bars(1, 100000), []string{`width="3"`}},
		"nothing for nothing":              {bars(0, 0), []string{`width="0"`}},
		"the whole in a sentence":          {bars(1, 2), []string{`aria-label="Reads: JWT so many; JWT so many."`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, labview.Chart(c.props))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("it lacks %s", want)
				}
			}
		})
	}
}

func TestScoreboard_isHonestAboutWhatWasNotMeasured(t *testing.T) {
	got := render(t, labview.Scoreboard(untouched))
	if n := strings.Count(got, "Not measured yet on this installation."); n != 12 {
		t.Errorf("%d cells say so, want 12", n)
	}
	if strings.Contains(got, `class="best"`) || strings.Contains(got, "/lab/class") {
		t.Error("a best cell, or the door to a class, for a new visitor")
	}
}
