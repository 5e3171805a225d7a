package views_test

import (
	"strings"
	"testing"

	"lectern/views"
)

// TestSessionsPage_speaksTrulyOfTheHybrid draws the page for a session whose end
// is noticed late: it says so before anything is pressed, and until when.
func TestSessionsPage_speaksTrulyOfTheHybrid(t *testing.T) {
	hybrid := views.Kind{Backend: "hybrid", Ends: true, Lists: true, Lag: "1 minute"}
	rows := []views.SessionRow{
		{Handle: "own", Device: "Firefox on Linux", Address: "127.0.0.1", Kind: hybrid, Started: "12:00:00", Seen: "12:00:00", Own: true, Until: "12:01:00"},
		{Handle: "other", Device: "Safari on iPhone", Address: "127.0.0.2", Kind: hybrid, Started: "11:00:00", Seen: "11:59:00", Until: "12:01:30"},
	}
	var page strings.Builder
	props := views.AccountSessionsProps{Sessions: rows, Own: hybrid, Unlisted: []views.Kind{hybrid}, SeenEvery: "once a minute"}
	if err := views.AccountSessionsPage(views.Frame{}, props).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"A copy of the short token is good until 12:01:00 at the latest",
		"The short token that it has at the moment is good until 12:01:30 at the latest",
		"is believed without asking anybody, for 1 minute at most",
	} {
		if !strings.Contains(page.String(), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	for _, text := range []string{"It is over at once", "opens nothing any more", "is in no list", "Nobody wrote it down"} {
		if strings.Contains(page.String(), text) {
			t.Errorf("the page says %q, which is not so", text)
		}
	}
}
