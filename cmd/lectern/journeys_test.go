package main

import (
	"context"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowser_learnerJourney walks in, switches the session, joins a course and
// finishes a lesson, once with scripts and once without.
func TestBrowser_learnerJourney(t *testing.T) {
	d := startDemo(t)
	for _, journey := range []struct {
		says    string
		course  string // of five lessons, which she has not joined
		options []func(context.Context) error
	}{
		{"with scripts", "statistics-by-hand", nil},
		{"without scripts", "typography-for-readers", []func(context.Context) error{withoutScripts}},
		{"on a telephone", "plain-words", []func(context.Context) error{telephone}},
		{"without scripts on a telephone", "threat-modelling", []func(context.Context) error{withoutScripts, telephone}},
	} {
		t.Run(journey.says, func(t *testing.T) {
			course := "/courses/" + journey.course
			b := d.open(t, journey.options...)
			b.signIn("ada")
			if got := b.cookies(); !slices.Contains(got, "lectern-sid") || slices.Contains(got, "lectern-jwt") {
				t.Errorf("after signing in the cookies are %v", got)
			}

			b.visit(course + "?xray=open")
			b.do(chromedp.Click(chromedp.CSS(`.xray input[value="jwt"]`)))
			b.press(`.xray form[action="/session/backend"] button[type="submit"]`)
			b.do(chromedp.WaitReady(chromedp.CSS(`.xray[data-backend="jwt"]`)))
			if got := b.cookies(); slices.Contains(got, "lectern-sid") || !slices.Contains(got, "lectern-jwt") {
				t.Errorf("after the switch the cookies are %v", got)
			}

			b.visit(course)
			b.press(`section form[action="` + course + `/join"] button`)
			b.says("main", "You have joined")
			b.visit(course)
			b.press(".outline a.les")
			b.press(`form[action$="/done"] button`)
			b.visit(course)
			b.says("main", "1 of 5")

			b.press(".outline a.les")
			b.press(`form[action$="/undone"] button`)
			b.visit(course)
			b.says("main", "0 of 5")
			b.quiet("journey")
		})
	}
}
