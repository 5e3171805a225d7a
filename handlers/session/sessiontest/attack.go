package sessiontest

import (
	"errors"
	"strings"
	"time"

	"lectern/handlers/session"
)

// Cookies of either kind's shape that no site has issued.
const (
	wellFormedID    = "Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9y"
	wellFormedToken = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleSIsInR5cCI6InNlc3Npb24rand0In0" +
		".eyJzdWIiOiJhZGFhZGFhZGFhZGFhZGFhZGFhZGFhZGFhZCIsInJvbGUiOiJhZG1pbiJ9" +
		".c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2UtYWx0b2dldGg"
)

// fixation plays the attacker who gets an id into the victim's browser before
// the victim signs in.
func fixation(w *world) {
	old := w.arrive(Grace)
	ours := old.Cookie(w.cookie)
	w.clock.Move(2 * Lifetimes.Remember) // once issued here, over now
	for _, planted := range []string{ours, wellFormedID, wellFormedToken} {
		victim := w.browser()
		victim.Plant(w.cookie, planted)
		w.in(victim.Do(w.site.SignIn(Ada, session.StartOptions{})), "a planted cookie keeps somebody from signing in")
		if victim.Cookie(w.cookie) == planted {
			w.wrong("signing in adopts the id that was planted")
		}
		attacker := w.browser()
		attacker.Plant(w.cookie, planted)
		w.out(attacker.Visit(), "the id that was planted opens the victim's session")
		w.in(victim.Visit(), "somebody with a planted cookie cannot sign in")
	}
}

// slowSave plays the request that was under way when its session ended.
func slowSave(w *world) {
	ada := w.arrive(Ada)
	slow := ada.Copy()
	w.clock.Move(5 * time.Minute)
	a := slow.Do(w.save(func() { ada.Do(w.manager.End) }))
	if !errors.Is(a.Err, session.ErrEnded) {
		w.wrong("saving a session that has ended meanwhile gives %v and not ErrEnded", a.Err)
	}
	w.out(slow.Visit(), "a slow request has brought back a session that had ended")
	w.counts(0, "after a slow request saved")
}

// slowRenew plays the same with a request that wants a new id.
func slowRenew(w *world) {
	ada := w.arrive(Ada)
	slow := ada.Copy()
	a := slow.Do(after(func() { ada.Do(w.manager.End) }, w.manager.Renew))
	if !errors.Is(a.Err, session.ErrEnded) {
		w.wrong("renewing a session that has ended meanwhile gives %v and not ErrEnded", a.Err)
	}
	w.out(slow.Visit(), "a slow request has bought a new id for a session that had ended")
	w.counts(0, "after a slow request renewed")
}

func foreignCookie(w *world) {
	for _, foreign := range []string{wellFormedID, wellFormedToken} {
		b := w.browser()
		b.Plant(w.cookie, foreign)
		a := b.Visit()
		w.out(a, "a cookie that was not issued here signs in")
		if a.Trace.Reason == "" {
			w.wrong("a foreign cookie is refused without a reason")
		}
		if b.Cookie(w.cookie) != "" {
			w.wrong("a foreign cookie stays in the browser")
		}
	}
	ada := w.arrive(Ada)
	other := w.browser()
	other.Plant("lectern-other", ada.Cookie(w.cookie))
	w.out(other.Visit(), "the cookie works under another name")
}

func garbageCookie(w *world) {
	good := w.arrive(Ada).Cookie(w.cookie)
	for what, value := range map[string]string{
		"nothing":                 "",
		"a space":                 " ",
		"one character":           "x",
		"a full stop":             ".",
		"three full stops":        "...",
		"null":                    "null",
		"an empty object":         "{}",
		"a quotation mark":        `"`,
		"quoted":                  `"` + good + `"x`,
		"a percent sign":          "%",
		"a path":                  "../../../../etc/passwd",
		"a statement":             "' OR 1=1 --",
		"zero bytes":              "\x00\x00\x00",
		"not UTF-8":               "\xff\xfe\xfd",
		"other scripts":           "séance-сессия-会话",
		"32 equals signs":         strings.Repeat("=", 32),
		"very long":               strings.Repeat("A", 5000),
		"long, of three parts":    strings.Repeat("A", 2000) + "." + strings.Repeat("B", 2000) + ".C",
		"padded":                  good + "=",
		"cut short":               good[:len(good)-1],
		"one character too many":  good + "A",
		"twice":                   good + good,
		"reversed case":           strings.ToUpper(good),
		"followed by a full stop": good + ".",
		"called a bearer":         "Bearer " + good,
	} {
		b := w.browser()
		b.Plant(w.cookie, value)
		w.out(b.Visit(), "a cookie signs in that is "+what)
		w.out(b.Do(w.manager.End), "a cookie signs in that is "+what)
	}
	w.counts(1, "after all the garbage")
}

// junkInFront plays the neighbouring host that plants a cookie of the same
// name, which the browser sends first.
func junkInFront(w *world) {
	for _, junk := range []string{"junk", wellFormedID, wellFormedToken} {
		ada := w.arrive(Ada)
		ada.Plant(w.cookie, junk)
		a := ada.Visit()
		w.in(a, "junk in front of the cookie signs out")
		if a.Trace.Reason != "" {
			w.wrong("a good session has the reason %q because of junk in front", a.Trace.Reason)
		}
		if len(a.Cookies) > 0 {
			w.wrong("junk in front has the good cookie cleared")
		}
	}
	both := w.arrive(Ada)
	both.Plant(w.cookie, w.arrive(Grace).Cookie(w.cookie))
	if a := both.Visit(); a.Record.UserID != Grace {
		w.wrong("of two good cookies the first is not the one that counts")
	}
}

func handleOpensNothing(w *world) {
	ada := w.arrive(Ada)
	handle, value := ada.Visit().Record.Handle, ada.Cookie(w.cookie)
	if handle == "" || strings.Contains(handle, value) || strings.Contains(value, handle) {
		w.wrong("the name of the session, which may be logged, gives the cookie away")
	}
	thief := w.browser()
	thief.Plant(w.cookie, handle)
	w.out(thief.Visit(), "the name of the session, which may be logged, opens it")
}
