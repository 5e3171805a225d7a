package bearer_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/bearer"
	"lectern/handlers/token"
)

const site = "https://school.example"

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ada  = school.User{ID: "adazzzzzzzzzzzzzzzzzzzzzzz", Role: school.Student}
)

// world is an issuer with a clock that tests move.
type world struct {
	now    time.Time
	issuer *token.Issuer
	tokens *bearer.Tokens
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := token.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := token.ParseKeys(token.HS256, key)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{now: noon}
	clock := func() time.Time { return w.now }
	w.issuer = token.NewIssuer(token.Config{Keys: token.NewKeyring(keys), Site: site, Now: clock, Random: rand.Reader})
	w.tokens = bearer.New(w.issuer, clock)
	return w
}

func (w *world) issue(t *testing.T, asked, from time.Time) string {
	t.Helper()
	text, err := w.tokens.Issue(ada, asked, from)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestRead_refusesWhatAnotherPartOfTheSiteSigned: the same key signs sessions,
// and whoever gets a claim wrong.
func TestRead_refusesWhatAnotherPartOfTheSiteSigned(t *testing.T) {
	t.Attr("asvs", "9.2.2")
	w := newWorld(t)
	common := token.Common{Subject: string(ada.ID), ID: "id", IssuedAt: noon.Unix(), Expires: noon.Add(bearer.Life).Unix(), AuthTime: noon.Unix(), Role: "student"}
	session := func(use token.Use) string {
		text, err := w.issuer.Sign(use, token.Claims{Common: common, Methods: []string{"pwd"}})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	access := func(change func(*token.APIClaims)) string {
		claims := token.APIClaims{Common: common, ClientID: "lectern-password"}
		change(&claims)
		text, err := w.issuer.SignAPI(claims)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if _, problem := w.tokens.Read(access(func(*token.APIClaims) {}), nil); problem != "" {
		t.Fatalf("the good one is refused: %s", problem)
	}
	for what, row := range map[string]struct {
		text string
		want token.Problem
	}{
		"a session's token":            {session(token.SessionUse), token.BadType},
		"a hybrid session's token":     {session(token.AccessUse), token.BadType},
		"another client's":             {access(func(c *token.APIClaims) { c.ClientID = "other" }), token.BadClaims},
		"no client's":                  {access(func(c *token.APIClaims) { c.ClientID = "" }), token.BadClaims},
		"nobody's":                     {access(func(c *token.APIClaims) { c.Subject = "1" }), token.BadClaims},
		"with a role there is not":     {access(func(c *token.APIClaims) { c.Role = "root" }), token.BadClaims},
		"for longer than an hour":      {access(func(c *token.APIClaims) { c.Expires++ }), token.BadClaims},
		"expired":                      {access(func(c *token.APIClaims) { c.IssuedAt -= 3600; c.Expires -= 3600 }), token.Expired},
		"from the future":              {access(func(c *token.APIClaims) { c.IssuedAt += 60; c.Expires += 60 }), token.NotYet},
		"without the time of asking":   {access(func(c *token.APIClaims) { c.AuthTime = 0 }), token.BadClaims},
		"asked for after it was given": {access(func(c *token.APIClaims) { c.AuthTime += 60 }), token.BadClaims},
	} {
		if a, problem := w.tokens.Read(row.text, nil); problem != row.want || a != (bearer.Access{}) {
			t.Errorf("%s: got %q and %+v, want %q", what, problem, a, row.want)
		}
	}
}

func TestRead_returnsWhatIssueWrote(t *testing.T) {
	w := newWorld(t)
	w.now = noon.Add(300 * time.Millisecond)
	a, problem := w.tokens.Read(w.issue(t, noon, time.Time{}), nil)
	if problem != "" || a.User != ada.ID || a.Role != ada.Role || !a.AuthAt.Equal(noon) || !a.IssuedAt.Equal(noon) || !a.ExpiresAt.Equal(noon.Add(bearer.Life)) || a.ID == "" {
		t.Errorf("got %+v, %q", a, problem)
	}
}

// TestEndedBy_isExactWithinASecond although tokens carry whole seconds.
func TestEndedBy_isExactWithinASecond(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	const ms = time.Millisecond
	for what, row := range map[string]struct {
		asked    time.Time
		knownEnd time.Time   // before the token was issued
		later    []time.Time // afterwards
		ended    bool
	}{
		"never ended":                                {asked: noon},
		"ended before, in another second":            {asked: at(2 * time.Second), knownEnd: noon},
		"ended before, in the same second":           {asked: at(700 * ms), knownEnd: at(200 * ms)},
		"ended at the same moment, and known":        {asked: noon, knownEnd: noon},
		"ended afterwards":                           {asked: noon, later: []time.Time{at(time.Minute)}, ended: true},
		"ended afterwards, in the same second":       {asked: at(200 * ms), later: []time.Time{at(700 * ms)}, ended: true},
		"ended while the password was looked at":     {asked: at(-2 * time.Second), later: []time.Time{at(-time.Second)}, ended: true},
		"ended before, and again in the same second": {asked: at(500 * ms), knownEnd: at(200 * ms), later: []time.Time{at(700 * ms)}, ended: true},
		"ended before, and again in the next second": {asked: at(700 * ms), knownEnd: at(200 * ms), later: []time.Time{at(1100 * ms)}, ended: true},
	} {
		w := newWorld(t)
		w.now = row.asked
		if w.now.Before(noon) {
			w.now = noon
		}
		var person school.User
		if !row.knownEnd.IsZero() {
			person.EndSessions(row.knownEnd)
		}
		a, problem := w.tokens.Read(w.issue(t, row.asked, person.SessionsFrom), nil)
		for _, end := range row.later {
			person.EndSessions(end)
		}
		if problem != "" || a.EndedBy(person.SessionsFrom) != row.ended {
			t.Errorf("%s: %q, ended is %v", what, problem, a.EndedBy(person.SessionsFrom))
		}
	}
}

func TestFromHeader_readsOneHeader(t *testing.T) {
	for what, row := range map[string]struct {
		values    []string
		presented bool
		want      string
	}{
		"nothing":            {nil, false, ""},
		"another scheme":     {[]string{"Basic YTpi"}, false, ""},
		"a longer word":      {[]string{"Bearers x"}, false, ""},
		"a token":            {[]string{"Bearer a.b-c_d~e+f/g=="}, true, "a.b-c_d~e+f/g=="},
		"lower case":         {[]string{"bearer x"}, true, "x"},
		"more spaces":        {[]string{"Bearer    x"}, true, "x"},
		"no token":           {[]string{"Bearer"}, true, ""},
		"spaces alone":       {[]string{"Bearer  "}, true, ""},
		"two tokens":         {[]string{"Bearer x y"}, true, ""},
		"two headers":        {[]string{"Bearer x", "Bearer x"}, true, ""},
		"the second of two":  {[]string{"Basic YTpi", "Bearer x"}, true, ""},
		"equals in between":  {[]string{"Bearer x=y"}, true, ""},
		"equals alone":       {[]string{"Bearer =="}, true, ""},
		"a control sequence": {[]string{"Bearer x\x1b[2J"}, true, ""},
		"a long one":         {[]string{"Bearer " + strings.Repeat("x", 60_000)}, true, strings.Repeat("x", 60_000)},
	} {
		r := &http.Request{Header: http.Header{"Authorization": row.values}}
		if got := bearer.Presented(r); got != row.presented {
			t.Errorf("%s: presented is %v", what, got)
		}
		if !row.presented {
			continue
		}
		if got, err := bearer.FromHeader(r); got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s: got %.20q, %v", what, got, err)
		}
	}
}
