package handlers_test

import (
	"net/http"
	"testing"

	"lectern/handlers/session"
)

// TestSaid_onlyWhatIsTrue follows links that would tell somebody something that
// is not so.
func TestSaid_onlyWhatIsTrue(t *testing.T) {
	s := newSite(t, session.Database)
	visitor, her, owner, admin := s.browser(), s.as(ada), s.as(grace), s.as(alan)
	for _, row := range []struct {
		b        *browser
		path     string
		sentence string
		shown    bool
	}{
		{her, "/courses?said=signed-out", "You are signed out", false},
		{visitor, "/courses?said=signed-out", "You are signed out", true},
		{her, "/?said=closed-own", "Your account is closed", false},
		{visitor, "/signin?said=closed-own", "Your account is closed", true},
		{admin, "/account?said=demoted", "not an admin any more", false},
		{visitor, "/?said=demoted", "not an admin any more", false},
		{her, "/account?said=demoted", "not an admin any more", true},
		{visitor, "/?said=welcome", "Your account is open", false},
		{visitor, "/?said=switched", "You are still signed in", false},
		{her, "/?said=switched", "You are still signed in", true},
		{her, "/?said=chosen", "the next time you sign in", false},
		{visitor, "/?said=renamed", "Your new name", false},
		{her, "/courses/knots?said=joined", "You have joined", false},
		{her, "/courses/knots?said=left", "You have left the course", false},
		{visitor, "/?said=course-published", "stands in the catalogue", false},
		{her, "/?said=course-deleted", "lies in the bin", false},
		{visitor, "/?said=undone", "counts as not done", false},
		{owner, "/teach/courses/sails?said=course-published", "stands in the catalogue", false},
		{owner, "/teach/courses/knots?said=course-published", "stands in the catalogue", true},
		{owner, "/teach/courses/knots?said=course-unpublished", "Nobody sees it, and", false},
	} {
		page := row.b.get(row.path).want(t, http.StatusOK)
		if row.shown {
			page.want(t, http.StatusOK, row.sentence)
		} else {
			page.lacks(t, row.sentence)
		}
	}
}
