package labview_test

import (
	"lectern/views/labview"
)

func experiment(n string) labview.Link {
	return labview.Link{Href: "/lab/experiment-" + n, Label: "Experiment " + n}
}

// board is the scoreboard of somebody who is half through.
var board = labview.ScoreboardProps{
	Progress: []labview.Fact{{Name: "Run by you", Value: "10 of 26"}, {Name: "Guessed right", Value: "6 of 10, which is usual"}, {Name: "Explained", Value: "4 of 26"}},
	Next:     labview.Link{Href: "/lab/sign-out-then-replay", Label: "Go on with experiment 11"},
	Measured: "Last measured on 2 October 2026 at 14:01, on linux/amd64 with 2 processors.",
	Class:    true,
	Rows: []labview.ScoreRow{
		{
			Name: "Storage", Asks: "What the server keeps for each person signed in",
			JWT:    labview.ScoreCell{Figure: "0 bytes", Text: "324 bytes ride in the cookie, on every request.", Best: "Least kept", Link: experiment("1")},
			Server: labview.ScoreCell{Figure: "284 bytes", Text: "One row each; 10,000 people are 2.7 MiB. The cookie is 43 bytes.", Link: experiment("1")},
			Hybrid: labview.ScoreCell{Figure: "196 bytes", Text: "One refresh row each, and 381 bytes of cookies.", Link: experiment("1")},
		},
		{
			Name: "Scalability", Asks: "Signed-in requests answered by three servers behind a balancer",
			JWT:    labview.ScoreCell{Link: experiment("22")},
			Server: labview.ScoreCell{Link: experiment("22")},
			Hybrid: labview.ScoreCell{Link: experiment("22")},
		},
		{
			Name: "Revocation", Asks: "How long a stolen cookie works after sign-out",
			JWT:    labview.ScoreCell{Figure: "45 min", Text: "Until it expires. At worst its whole life, an hour.", Link: experiment("11")},
			Server: labview.ScoreCell{Figure: "0 s", Text: "The next request is refused: the row is gone.", Best: "Soonest over", Link: experiment("11")},
			Hybrid: labview.ScoreCell{Figure: "58 s", Text: "Until the short band ends; it cannot be renewed.", Link: experiment("11")},
		},
		{
			Name: "Cost", Asks: "Time at the door, for each request",
			JWT:    labview.ScoreCell{Figure: "9.8 µs", Text: "84 % of it verifies the signature.", Best: "Cheapest", Link: experiment("26")},
			Server: labview.ScoreCell{Figure: "31 µs", Text: "Most of it waits for SQLite. Over a network: ask again.", Link: experiment("26")},
			Hybrid: labview.ScoreCell{Figure: "10.4 µs", Text: "And 410 µs once a minute.", Link: experiment("26")},
		},
		{
			Name: "Use case", Asks: "Where you would choose it again",
			JWT:    labview.ScoreCell{Figure: "Between services", Text: "Short calls, many doors, no shared store.", Link: labview.Link{Href: "/courses/sessions", Label: "Lesson III.4"}},
			Server: labview.ScoreCell{Figure: "One web site", Text: "People, browsers, and a “sign out everywhere” that is true.", Link: labview.Link{Href: "/courses/sessions", Label: "Lesson II.4"}},
			Hybrid: labview.ScoreCell{Figure: "Apps and an API", Text: "When both of the above are on your desk.", Link: labview.Link{Href: "/courses/sessions", Label: "Lesson IV.1"}},
		},
	},
	Charts: []labview.ChartProps{
		{ID: "micros", Title: "Time at the door", Unit: "Median of 1,000 requests", Bars: []labview.Bar{
			{Label: "JWT", Backend: "jwt", Value: 9.8, Says: "9.8 µs"}, {Label: "Memory", Backend: "memory", Value: 2.1, Says: "2.1 µs"},
			{Label: "Database", Backend: "database", Value: 31, Says: "31 µs"}, {Label: "Hybrid", Backend: "hybrid", Value: 10.4, Says: "10.4 µs"},
		}},
		{ID: "bytes", Title: "Bytes on the wire", Unit: "Cookies sent with each request", Bars: []labview.Bar{
			{Label: "JWT", Backend: "jwt", Value: 324, Says: "324 bytes"}, {Label: "Memory", Backend: "memory", Value: 43, Says: "43 bytes"},
			{Label: "Database", Backend: "database", Value: 43, Says: "43 bytes"}, {Label: "Hybrid", Backend: "hybrid", Value: 381, Says: "381 bytes"},
		}},
		{ID: "reads", Title: "Store reads", Unit: "In 1,000 requests", Bars: []labview.Bar{
			{Label: "JWT", Backend: "jwt", Value: 0, Says: "0"}, {Label: "Memory", Backend: "memory", Value: 1000, Says: "1,000"},
			{Label: "Database", Backend: "database", Value: 1000, Says: "1,000"}, {Label: "Hybrid", Backend: "hybrid", Value: 1, Says: "1"},
		}},
	},
	Groups: []labview.Group{
		{Name: "Issue", About: "how a session begins", Experiments: []labview.Listed{
			{Number: 1, Href: "/lab/issue-a-session", Title: "Issue a session", State: labview.Explained},
			{Number: 2, Href: "/lab/read-the-payload", Title: "Read the payload without a key", State: labview.Explained},
			{Number: 3, Href: "/lab/fill-the-session", Title: "Put more and more into the session", State: labview.Ran},
			{Number: 4, Href: "/lab/fix-the-session", Title: "Fix a session before the victim signs in", State: labview.Predicted},
		}},
		{Name: "Steal", About: "when somebody else holds it", Experiments: []labview.Listed{
			{Number: 5, Href: "/lab/steal-the-cookie", Title: "Copy the cookie to another browser", State: labview.Ran},
			{Number: 6, Href: "/lab/steal-by-script", Title: "Read the cookie from a script", State: labview.New},
		}},
		{Name: "Revoke", About: "how a session ends", Experiments: []labview.Listed{
			{Number: 11, Href: "/lab/sign-out-then-replay", Title: "Sign out, then replay the stolen cookie", State: labview.Ran},
			{Number: 12, Href: "/lab/sign-out-everywhere", Title: "Sign out everywhere", State: labview.New},
		}},
	},
}

// untouched is the scoreboard of a new visitor, where nothing was measured.
var untouched = func() labview.ScoreboardProps {
	p := board
	p.Progress, p.Measured, p.Charts, p.Class = nil, "", nil, false
	p.Next = labview.Link{Href: "/lab/issue-a-session", Label: "Begin with the first"}
	p.Kept = "What you predict is kept in this browser. Sign in to keep it for good."
	p.Rows = nil
	for _, r := range board.Rows {
		for _, c := range []*labview.ScoreCell{&r.JWT, &r.Server, &r.Hybrid} {
			if r.Name != "Use case" {
				*c = labview.ScoreCell{Link: c.Link}
			}
		}
		p.Rows = append(p.Rows, r)
	}
	p.Groups = nil
	for _, g := range board.Groups {
		var all []labview.Listed
		for _, e := range g.Experiments {
			e.State = labview.New
			all = append(all, e)
		}
		g.Experiments = all
		p.Groups = append(p.Groups, g)
	}
	return p
}()
