package labview_test

import (
	"lectern/views/labview"
	"lectern/views/ui"
)

// begun is an experiment that nobody has touched yet.
var begun = labview.ExperimentProps{
	Slug: "sign-out-then-replay", Title: "Sign out, then replay the stolen cookie", Group: "Revoke", Number: 11, Of: 26,
	Lede:   "A thief has copied Ada’s cookie. Now Ada presses Sign out, and her own browser forgets it. The thief’s does not. What does the site say to the thief?",
	Lesson: labview.Link{Href: "/courses/sessions/lessons/signing-out", Label: "Signing out, and what it ends"},
	Prints: []labview.Print{
		{Backend: "jwt", Says: "ada, exp 14:50:00"},
		{Backend: "database", Number: "4417", Says: "torn at 14:05:00", Torn: true},
		{Backend: "hybrid", Number: "882", Torn: true},
	},
	Predict: labview.PredictProps{
		Question: "What does the site say to the thief’s next request?",
		Accepted: labview.Outcome{Label: "Accepted", Meaning: "The thief is still Ada."},
		Refused:  labview.Outcome{Label: "Refused", Meaning: "Signed out is signed out."},
		Families: []labview.Prediction{{Family: "jwt", Label: "JWT"}, {Family: "server", Label: "Server session"}, {Family: "hybrid", Label: "Hybrid"}},
		Hints: []string{
			"Look at what the answer to the sign-out tells a browser, and ask which browser hears it.",
			"Ask of each kind of session: what was deleted on the server when Ada signed out?",
			"The wristband has nothing on the server. The ticket has one record. The hybrid has a record, but shows a wristband at the door.",
		},
	},
	Run: labview.RunProps{
		Button: "Run on all three", Locked: "Locked until you have predicted all three.",
		Columns: []labview.RunColumn{{Name: "jwt", Label: "JWT", Backend: "jwt"}, {Name: "database", Label: "Database", Backend: "database"}, {Name: "hybrid", Label: "Hybrid", Backend: "hybrid"}},
	},
	Explain:  labview.ExplainProps{Locked: true},
	Previous: ui.Neighbour{Href: "/lab/leak-the-secret", Note: "10, Steal", Title: "Leak the secret"},
	Next:     ui.Neighbour{Href: "/lab/sign-out-everywhere", Note: "12, Revoke", Title: "Sign out everywhere"},
}

// with is props with a change.
func with(p labview.ExperimentProps, change func(*labview.ExperimentProps)) labview.ExperimentProps {
	change(&p)
	return p
}

var predicted = with(begun, func(p *labview.ExperimentProps) {
	p.Predict.Families = []labview.Prediction{
		{Family: "jwt", Label: "JWT", Chosen: labview.Refused},
		{Family: "server", Label: "Server session", Chosen: labview.Refused},
		{Family: "hybrid", Label: "Hybrid", Chosen: labview.Accepted},
	}
	p.Predict.Kept = "It is kept in this browser; sign in to keep it for good."
	p.Run.Locked, p.Run.CanReset = "", true
})

var full = with(predicted, func(p *labview.ExperimentProps) {
	p.Run.Full = &labview.Full{Reason: "Six runs are under way, and more at once would make them all slow.", Wait: "in 10 seconds"}
})

var failed = with(predicted, func(p *labview.ExperimentProps) {
	p.Run.Failed = "A server of the small world did not start. Nothing was kept; run it again."
})

var ran = with(predicted, func(p *labview.ExperimentProps) {
	p.Predict.Fixed = true
	p.Run.Ran = "Ran on 2 October 2026 at 14:00:48, took 31 ms, on linux/amd64 with 2 processors."
	p.Result = &labview.ResultProps{Share: "/lab/sign-out-then-replay?run=k7Qm2x#what", Lanes: []labview.Lane{jwtLane, databaseLane, hybridLane}}
	p.Explain = labview.ExplainProps{
		Question: "Why did the token outlive the sign-out?",
		Answers: []labview.Answer{
			{Value: "1", Text: "The site forgot to clear the cookie."},
			{Value: "2", Text: "The site keeps nothing that it could delete, so only the date in the token can end it."},
			{Value: "3", Text: "The thief changed the date in the token."},
		},
		Why:        "<p>Signing out told Ada’s browser to throw its band away. That is all it could do: the band itself was never kept anywhere but on a wrist, so there was nothing on the server to cross out. The door checked the print and the date, found both good, and waved the thief through.</p><p>The ticket is another matter. Ada’s sign-out deleted the record that it led to. The number is still a fine number; it only leads nowhere now.</p>",
		Production: `<ul><li>Ending a session on the server when somebody signs out is what the <a href="https://github.com/OWASP/ASVS">OWASP ASVS 5.0</a> asks for (7.4.1).</li><li>Where tokens are wanted all the same, they are kept short, and renewed against something that can be ended.</li></ul>`,
		Sources: []labview.Source{
			{Backend: "jwt", Label: "JWT", Title: "handlers/session/cookiejwt/cookiejwt.go, lines 61–66", Note: "It checks the signature and the dates. There is no line here that could know of a sign-out.", Lines: []labview.SourceLine{
				{Number: 61, HTML: `<span class="c">// New is the session of a request.</span>`},
				{Number: 62, HTML: `<span class="k">func</span> (s *Store) <span class="f">New</span>(r *http.Request, name <span class="k">string</span>) (*sessions.Session, <span class="k">error</span>) {`},
				{Number: 63, HTML: `	claims, err := s.keys.<span class="f">Read</span>(raw, now)`, Hot: true},
				{Number: 64, HTML: `	<span class="k">if</span> err != <span class="k">nil</span> {`},
				{Number: 65, HTML: `		<span class="k">return</span> session, err`},
				{Number: 66, HTML: `	}`},
			}},
			{Backend: "database", Label: "Database", Title: "handlers/session/serverstore/serverstore.go, lines 99–101", Note: "It looks the number up. What is not found is nobody.", Lines: []labview.SourceLine{
				{Number: 99, HTML: `	record, err := s.records.<span class="f">Find</span>(ctx, hash(id))`},
				{Number: 100, HTML: `	<span class="k">if</span> errors.<span class="f">Is</span>(err, ErrNotFound) {`, Hot: true},
				{Number: 101, HTML: `		<span class="k">return</span> session, reason(<span class="s">"unknown-id"</span>)`},
			}},
		},
		Yourself: labview.Yourself{
			HTML:     "<p>Sign in, open the developer tools, copy the value of your own session cookie and keep this line. Then sign out, and run it.</p>",
			Commands: []string{"curl -s -H 'Accept: application/json' -b 'lectern-sid=PASTE-IT-HERE' http://localhost:8080/api/v1/me"},
		},
	}
})

var explained = with(ran, func(p *labview.ExperimentProps) {
	p.Explain.Told = true
	p.Explain.Answers = []labview.Answer{
		{Value: "1", Text: "The site forgot to clear the cookie."},
		{Value: "2", Text: "The site keeps nothing that it could delete, so only the date in the token can end it.", Chosen: true, Right: true, Feedback: "What is not written down cannot be crossed out."},
		{Value: "3", Text: "The thief changed the date in the token."},
	}
})

var wronglyExplained = with(ran, func(p *labview.ExperimentProps) {
	p.Explain.Answers = []labview.Answer{
		{Value: "1", Text: "The site forgot to clear the cookie.", Chosen: true, Feedback: "It did clear it, in Ada’s browser: look at the Set-Cookie line. The copy is in another jar."},
		{Value: "2", Text: "The site keeps nothing that it could delete, so only the date in the token can end it."},
		{Value: "3", Text: "The thief changed the date in the token."},
	}
})

var shared = with(begun, func(p *labview.ExperimentProps) {
	p.Shared = "on 2 October 2026 at 14:00:48"
	p.Result = &labview.ResultProps{Share: "/lab/sign-out-then-replay?run=k7Qm2x#what", Lanes: []labview.Lane{unguessed(jwtLane), unguessed(databaseLane), unguessed(hybridLane)}}
	p.Explain = ran.Explain
})

var gone = with(begun, func(p *labview.ExperimentProps) { p.Missing = true })

var broken = with(ran, func(p *labview.ExperimentProps) {
	lane := databaseLane
	lane.Verdict, lane.Status, lane.Tone, lane.Headline, lane.Sentence = labview.Accepted, 200, "", "", ""
	lane.Wrongs = []string{"thief: GET /account: the answer is 200, and 401 was expected", "server: shows what it keeps: rows = 1, and 0 was expected"}
	p.Result = &labview.ResultProps{Share: p.Result.Share, Lanes: []labview.Lane{jwtLane, lane, hybridLane}}
})

// many is an experiment with a lane for each kind and more.
var many = with(ran, func(p *labview.ExperimentProps) {
	p.Slug, p.Title, p.Number, p.Group = "restart-the-server", "Restart the server", 21, "Scale"
	memory, redis, sticky, odd := databaseLane, databaseLane, databaseLane, databaseLane
	memory.Name, memory.Label, memory.Backend, memory.Life, memory.Guess = "memory", "Server’s memory", "memory", nil, nil
	redis.Name, redis.Label, redis.Backend, redis.Guess = "redis", "Redis", "redis", nil
	redis.Verdict, redis.Status, redis.Tone, redis.Headline, redis.Note = labview.NotApplicable, 0, ui.None, "Not applicable", "No Redis is configured on this installation."
	redis.Life, redis.Figures, redis.Wire = nil, nil, nil
	sticky.Name, sticky.Label, sticky.Backend, sticky.Guess = "sticky", "Server’s memory, sticky balancer", "memory", nil
	sticky.Verdict, sticky.Status, sticky.Tone, sticky.Headline, sticky.Sentence = labview.Unavailable, 503, ui.Fail, "Unavailable: the store does not answer", "Nobody can tell who is signed in. The cookie is kept."
	odd.Name, odd.Label = "odd", "Database, own keys"
	odd.Guess = &labview.Guess{Said: "who are you? The site sees that this is not Ada’s browser"}
	p.Result = &labview.ResultProps{Charts: board.Charts, Lanes: []labview.Lane{jwtLane, memory, sticky, databaseLane, odd, redis, hybridLane}}
})

func unguessed(l labview.Lane) labview.Lane { l.Guess = nil; return l }

const (
	tokenPayload = "{\n  \"iss\": \"http://localhost\",\n  \"sub\": \"u_8fk2…\",\n  \"role\": \"student\",\n  \"exp\": 1790951400\n}"
	tokenHeader  = "{\n  \"alg\": \"HS256\",\n  \"kid\": \"2026-10\",\n  \"typ\": \"session+jwt\"\n}"
)

var (
	token = &labview.Token{Raw: [3]string{"eyJhbGciO…", "eyJpc3MiO…", "k0u9_3vDq…"}, Header: tokenHeader, Payload: tokenPayload, Signature: "32 bytes"}

	ticketSent = labview.Cookie{Name: "lectern-sid", Backend: "database", Way: labview.Sent, Bytes: 43, Value: "Qm7xT1…9c2", State: labview.Good}
	bandSent   = labview.Cookie{Name: "lectern-jwt", Backend: "jwt", Way: labview.Sent, Bytes: 324, State: labview.Good, Token: token}
	shortSent  = labview.Cookie{Name: "lectern-access", Backend: "hybrid", Way: labview.Sent, Bytes: 330, State: labview.Good, Token: token}
)

func in(c labview.Cookie, way labview.Way, state labview.CookieState) labview.Cookie {
	c.Way, c.State = way, state
	if way == labview.Cleared {
		c.Value, c.Token = "", nil
	} else if way != labview.Sent {
		c.Attributes = "Path=/; HttpOnly; SameSite=Lax"
	}
	return c
}

func transcript(sent labview.Cookie, last labview.Entry, more ...labview.Entry) []labview.Entry {
	return append([]labview.Entry{
		{Who: "ada", Line: "signs in as ada", Clock: "13:50:00", Exchange: &labview.Exchange{
			Request: "POST /signin", Status: 303, Text: "See Other", Writes: 1, Back: []labview.Cookie{in(sent, labview.Set, labview.Good)},
			Form: []labview.Fact{{Name: "email", Value: "ada@lectern.example"}, {Name: "password", Value: "open sesame please"}},
		}},
		{Who: "thief", Line: "copies the cookies of ada", Clock: "13:50:00"},
		{Line: "clock +15m", Clock: "14:05:00", Icon: "clock"},
		{Who: "ada", Line: "POST /signout", Clock: "14:05:00", Exchange: &labview.Exchange{
			Request: "POST /signout", Sent: []labview.Cookie{sent}, Status: 303, Text: "See Other", Reads: 1, Writes: 1, Back: []labview.Cookie{in(sent, labview.Cleared, "")},
		}},
		last,
	}, more...)
}

var jwtLane = labview.Lane{
	Name: "jwt", Label: "JWT", Backend: "jwt", Guess: &labview.Guess{Said: "refused"},
	Verdict: labview.Accepted, Status: 200, Tone: ui.Fail, Headline: "Accepted for 45 min more", Sentence: "The site read Ada’s account out to the thief, and asked nobody whether she had signed out.",
	Life:    &labview.Life{Issued: "signed in 13:50", Ended: "signed out 14:05", EndedAt: 25, OpenTo: 100, Open: "45 min", Rest: "open, then it expired", Label: "Signed in at 13:50, signed out at 14:05, and good for 45 minutes more"},
	Figures: []labview.Fact{{Name: "Cookie", Value: "324 bytes"}, {Name: "Store reads", Value: "0"}, {Name: "Went on for", Value: "45 min"}, {Name: "Left on the server", Value: "0 records"}},
	Wire: transcript(bandSent, labview.Entry{Who: "thief", Line: "GET /account", Clock: "14:05:00", Decides: true, Differs: labview.Difference{Status: true, Reason: true, Store: true}, Exchange: &labview.Exchange{
		Request: "GET /account", Sent: []labview.Cookie{bandSent}, Status: 200, Text: "OK", Role: "student, from the token", Excerpt: "Your account. Ada Byron, ada@lectern.example …",
	}}, labview.Entry{Who: "thief", Line: "GET /account until refused, every 1m", Clock: "14:50:00", Again: 44, Differs: labview.Difference{Status: true, Reason: true, Store: true}, Exchange: &labview.Exchange{
		Request: "GET /account", Sent: []labview.Cookie{in(bandSent, labview.Sent, labview.Expired)}, Status: 401, Text: "Unauthorized", Reason: "expired", Back: []labview.Cookie{in(bandSent, labview.Cleared, "")},
	}}, labview.Entry{Line: "shows what it keeps", Icon: "server", Notes: []string{"sessions: no rows"}}),
}

var databaseLane = labview.Lane{
	Name: "database", Label: "Database", Backend: "database", Guess: &labview.Guess{Said: "refused", Right: true},
	Verdict: labview.Refused, Status: 401, Tone: ui.Pass, Headline: "Refused: there is no such session", Sentence: "The record was deleted when Ada signed out; the thief’s number leads nowhere.",
	Life:    &labview.Life{Issued: "signed in 13:50", Ended: "signed out 14:05", EndedAt: 25, OpenTo: 25, Open: "0 s", Rest: "open", Label: "Signed in at 13:50, signed out at 14:05, and over at once"},
	Figures: []labview.Fact{{Name: "Cookie", Value: "43 bytes"}, {Name: "Store reads", Value: "1"}, {Name: "Went on for", Value: "0 s"}, {Name: "Left on the server", Value: "0 records"}},
	Wire: transcript(ticketSent, labview.Entry{Who: "thief", Line: "GET /account", Clock: "14:05:00", Decides: true, Differs: labview.Difference{Status: true, Reason: true, Store: true}, Exchange: &labview.Exchange{
		Request: "GET /account", Server: "b", Sent: []labview.Cookie{in(ticketSent, labview.Sent, labview.Unknown)}, Status: 401, Text: "Unauthorized", Reason: "unknown-id", Reads: 1, Back: []labview.Cookie{in(ticketSent, labview.Cleared, "")},
	}}, labview.Entry{Line: "shows what it keeps", Icon: "server", Notes: []string{"sessions: no rows"}}),
}

var hybridLane = labview.Lane{
	Name: "hybrid", Label: "Hybrid", Backend: "hybrid", Guess: &labview.Guess{Said: "accepted", Right: true},
	Verdict: labview.Accepted, Status: 200, Tone: ui.Fail, Headline: "Accepted for 58 s more", Sentence: "The short token goes on until it expires. The ticket behind it is torn, so there is no next one.",
	Life:    &labview.Life{Issued: "signed in 13:50", Ended: "signed out 14:05", EndedAt: 25, OpenTo: 27, Open: "58 s", Rest: "open, then it expired", Label: "Signed in at 13:50, signed out at 14:05, and good for 58 seconds more"},
	Figures: []labview.Fact{{Name: "Cookies", Value: "330 and 51 bytes"}, {Name: "Store reads", Value: "0"}, {Name: "Went on for", Value: "58 s"}, {Name: "Left on the server", Value: "0 records"}},
	Wire: transcript(shortSent, labview.Entry{Who: "thief", Line: "GET /account", Clock: "14:05:00", Decides: true, Differs: labview.Difference{Status: true, Reason: true, Store: true}, Exchange: &labview.Exchange{
		Request: "GET /account", Sent: []labview.Cookie{in(shortSent, labview.Sent, labview.Forged)}, Status: 200, Text: "OK", Role: "student, from the token",
		Back: []labview.Cookie{in(labview.Cookie{Name: "lectern-refresh", Backend: "hybrid", Bytes: 51, Value: "Zk81…a0"}, labview.Dropped, "")},
	}}, labview.Entry{Line: "shows what it keeps", Icon: "server", Notes: []string{"refresh records: no rows"}}),
}
