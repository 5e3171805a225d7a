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
	for name, options := range map[string][]func(context.Context) error{
		"with scripts":           nil,
		"without scripts":        {withoutScripts},
		"on a telephone":         {telephone},
		"without scripts on one": {withoutScripts, telephone},
	} {
		t.Run(name, func(t *testing.T) {
			b := d.open(t, options...)
			b.signIn("ada")
			if got := b.cookies(); !slices.Contains(got, "lectern-sid") || slices.Contains(got, "lectern-jwt") {
				t.Errorf("after signing in the cookies are %v", got)
			}

			b.visit("/courses/statistics-by-hand?xray=open")
			b.do(chromedp.Click(chromedp.CSS(`.xray input[value="jwt"]`)))
			b.press(`.xray form[action="/session/backend"] button[type="submit"]`)
			b.says(".xray .cred", "JWT")
			if got := b.cookies(); slices.Contains(got, "lectern-sid") || !slices.Contains(got, "lectern-jwt") {
				t.Errorf("after the switch the cookies are %v", got)
			}

			b.visit("/courses/statistics-by-hand")
			b.press(`form[action="/courses/statistics-by-hand/join"] button`)
			b.says("main", "You have joined")
			b.visit("/courses/statistics-by-hand")
			b.press(".outline a.les")
			b.press(`form[action$="/done"] button`)
			b.visit("/courses/statistics-by-hand")
			b.says("main", "1 of 5")

			// Back to where it was, for the next journey.
			b.press(".outline a.les")
			b.press(`form[action$="/undone"] button`)
			b.visit("/courses/statistics-by-hand")
			b.says("main", "0 of 5")
			b.quiet("journey")
		})
	}
}
