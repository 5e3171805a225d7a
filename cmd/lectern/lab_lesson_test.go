package main

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"lectern/handlers/lab"
)

// TestBrowser_labLesson walks a lab lesson to its end: predict and run in the lesson,
// explain on the experiment's page, go back, and see it counted.
func TestBrowser_labLesson(t *testing.T) {
	d := startDemo(t)
	for _, journey := range []struct {
		says    string
		lesson  string
		done    string // of the course, afterwards
		options []func(context.Context) error
	}{
		{"with scripts", "what-signing-out-ends", "1 of 17", nil},
		{"without scripts on a telephone", "written-by-a-stranger", "2 of 17", []func(context.Context) error{withoutScripts, telephone}},
	} {
		t.Run(journey.says, func(t *testing.T) {
			b := d.open(t, journey.options...)
			b.signIn("ada")
			b.visit("/courses/breaking-sessions")
			if b.read(`document.querySelector('form[action$="/join"]') ? "yes" : "no"`) == "yes" {
				b.press(`section form[action$="/join"] button`)
			}
			lesson := "/courses/breaking-sessions/lessons/" + journey.lesson
			b.visit(lesson)
			b.says(".finish", "2 experiments are still to do")
			for left := 2; left > 0; left-- {
				card := b.read(`"#" + document.querySelector('.embed[data-state="new"]').id`)
				slug := card[len("#experiment-"):]
				b.says(card+" .state", "Not begun")
				for _, family := range []string{"jwt", "server", "hybrid"} {
					b.press(card + ` button[name="` + family + `"][value="refused"]`)
					b.says(card+` [name="`+family+`"][aria-pressed="true"]`, "")
				}
				b.says(card+" .state", "Predicted")
				b.press(card + ` form[action$="/run"] button`)
				b.says(card+" .state", "Run")
				b.says(card+" .verdicts", "You said")
				if at := b.read("location.pathname + location.hash"); at != lesson+card {
					t.Errorf("the run leads to %s", at)
				}
				b.press(card + " .row > a.btn")
				b.says("h1", titleOf(t, slug))
				b.do(chromedp.Click(chromedp.CSS(`.because input[value="` + rightReason(t, slug) + `"]`)))
				b.press(`form[action$="/explain"] button`)
				b.press(".finish a.btn")
				if at := b.read("location.pathname + location.hash"); at != lesson+card {
					t.Errorf("the way back leads to %s", at)
				}
				b.says(card+" .state", "Explained")
			}
			b.says(".finish", "Done")
			b.visit("/courses/breaking-sessions")
			b.says("main", journey.done)
			b.visit(lesson)
			b.press(`form[action$="/undone"] button`)
			b.says("main", "What you predicted, ran and explained is kept")
			b.press(`form[action$="/done"] button`)
			b.quiet(journey.says)
		})
	}
}

func experiment(t *testing.T, slug string) *lab.Experiment {
	t.Helper()
	all, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(e *lab.Experiment) bool { return e.Slug == slug })
	if i < 0 {
		t.Fatalf("there is no experiment %s", slug)
	}
	return all[i]
}

func titleOf(t *testing.T, slug string) string { return experiment(t, slug).Title }

// rightReason is the value of the answer that explains an experiment.
func rightReason(t *testing.T, slug string) string {
	return strconv.Itoa(1 + slices.IndexFunc(experiment(t, slug).Explain.Answers, func(a lab.Answer) bool { return a.Right }))
}
