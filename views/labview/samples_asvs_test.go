package labview_test

import (
	"time"

	"lectern/views/labview"
	"lectern/views/ui"
)

// held is the site held against the ASVS, with a row of each verdict.
var held = labview.ASVSProps{
	Chapters: []ui.Option{{Label: "All chapters"}, {Value: "V6", Label: "V6 Authentication"}},
	Levels:   []ui.Option{{Value: "1", Label: "Level 1"}, {Label: "All levels"}},
	Verdicts: []ui.Option{{Label: "Any verdict"}, {Value: "proved", Label: "Proved"}},
	Testable: 4, Proved: 1, Partly: 1, Failed: 1, Unproved: 1,
	First: time.Date(2026, 10, 2, 14, 1, 0, 0, time.UTC), Last: time.Date(2026, 10, 2, 14, 12, 0, 0, time.UTC), Places: []string{"go1.26.8 on linux/amd64, 2 processors"},
	Order: []labview.ASVSVerdict{"proved", "partly", "failed", "unproved", "deviates", "reading", "not-here"},
	Sums:  []labview.ASVSSum{{Key: "V6", Title: "Authentication", Href: "/lab/asvs?chapter=V6#V6", Counts: []int{1, 1, 1, 1, 1, 1, 1}}, {Key: "V9", Title: "Self-contained tokens", Href: "/lab/asvs?chapter=V9#V9", Counts: []int{0, 0, 0, 0, 0, 0, 0}}},
	Shown: []labview.ASVSChapter{{Key: "V6", Title: "Authentication", Rows: []labview.ASVSRow{
		{Number: "6.1.1", Level: 1, Asks: "It is written down how guessing is slowed.", Verdict: "reading"},
		{Number: "6.3.6", Level: 3, Asks: "E-mail is no way to prove who one is.", Why: "The courses teach it.", Verdict: "deviates"},
		{Number: "6.4.5", Level: 3, Asks: "People are reminded before a factor expires.", Why: "None expires.", Verdict: "not-here"},
		{Number: "6.5.1", Level: 2, Asks: "A code works once.", Verdict: "proved", Tests: []labview.ASVSTest{
			{Package: "handlers", Name: "TestCode_isGoodOnceInItsBrowserForTenMinutes", Outcome: "pass", Kinds: []string{"jwt", "hybrid"}},
			{Package: "cmd/lectern", Name: "TestBrowser_code", Outcome: "skip"},
		}},
		{Number: "6.5.5", Level: 2, Asks: "Codes grow old.", Why: "The one before is taken too.", Verdict: "partly", Tests: []labview.ASVSTest{{Package: "handlers", Name: "TestCode_isGoodOnceInItsBrowserForTenMinutes", Outcome: "pass"}}},
		{Number: "6.6.2", Level: 2, Asks: "A code is good only for the request that asked for it.", Verdict: "failed", Tests: []labview.ASVSTest{{Package: "handlers", Name: "TestCode", Outcome: "fail"}}},
		{Number: "6.6.3", Level: 2, Asks: "A code cannot be tried out.", Verdict: "unproved"},
	}}},
}

// heldToNothing is kept to what no row is.
var heldToNothing = labview.ASVSProps{
	Chapters: held.Chapters, Chapter: "V6", Levels: held.Levels, Level: "1", Verdicts: held.Verdicts, Verdict: "proved",
	Testable: 1, Proved: 1, First: held.First, Last: held.Last, Places: held.Places, Order: held.Order, Sums: held.Sums,
}
