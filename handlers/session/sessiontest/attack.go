package sessiontest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"lectern/handlers/session"
)

// Cookies of each kind's shape that no site has issued.
const (
	wellFormedID    = "Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9y"
	wellFormedToken = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleSIsInR5cCI6InNlc3Npb24rand0In0" +
		".eyJzdWIiOiJhZGFhZGFhZGFhZGFhZGFhZGFhZGFhZGFhZCIsInJvbGUiOiJhZG1pbiJ9" +
		".c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2UtYWx0b2dldGg"
	wellFormedTicket = "Zm9yZ2VkLWZvcmdlZC1mb3Jn.Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2VkLWZvcmc"
)

var wellFormed = []string{wellFormedID, wellFormedToken, wellFormedTicket}

// fixation plays the attacker who gets an id into the victim's browser before
// the victim signs in.
func fixation(w *world) {
	ours := w.values(w.arrive(Grace))
	w.clock.Move(2 * Lifetimes.Remember) // once issued here, over now
	for _, name := range w.names {
		for _, planted := range append([]string{ours[name]}, wellFormed...) {
			victim := w.browser()
			victim.Plant(name, planted)
			w.in(victim.Do(w.site.SignIn(Ada, session.StartOptions{})), "a planted cookie keeps somebody from signing in")
			if victim.Cookie(name) == planted {
				w.wrong("signing in adopts the id that was planted in %s", name)
			}
			attacker := w.browser()
			attacker.Plant(name, planted)
			w.out(attacker.Visit(), "the id that was planted opens the victim's session")
			w.in(victim.Visit(), "somebody with a planted cookie cannot sign in")
		}
	}
}

// slowSave plays the request that was under way when its session ended.
func slowSave(w *world) {
	for _, wait := range []time.Duration{0, 5 * time.Minute} {
		ada := w.arrive(Ada)
		slow := ada.Copy()
		w.clock.Move(wait)
		a := slow.Do(w.save(func() { ada.Do(w.manager.End) }))
		if !errors.Is(a.Err, session.ErrEnded) {
			w.wrong("saving a session that has ended meanwhile gives %v and not ErrEnded", a.Err)
		}
		w.clock.Move(w.lag())
		w.out(slow.Visit(), "a slow request has brought back a session that had ended")
		w.counts(0, "after a slow request saved")
	}
}

// slowRenew plays the same with a request that wants a new id.
func slowRenew(w *world) {
	ada := w.arrive(Ada)
	slow := ada.Copy()
	a := slow.Do(after(func() { ada.Do(w.manager.End) }, w.manager.Renew))
	if !errors.Is(a.Err, session.ErrEnded) {
		w.wrong("renewing a session that has ended meanwhile gives %v and not ErrEnded", a.Err)
	}
	w.clock.Move(w.lag())
	w.out(slow.Visit(), "a slow request has bought a new id for a session that had ended")
	w.counts(0, "after a slow request renewed")
}

func foreignCookie(w *world) {
	for _, name := range w.names {
		for _, foreign := range wellFormed {
			b := w.browser()
			b.Plant(name, foreign)
			a := b.Visit()
			w.out(a, "a cookie that was not issued here signs in")
			if a.Trace.Reason == "" {
				w.wrong("a foreign cookie is refused without a reason")
			}
			if b.Cookie(name) != "" {
				w.wrong("a foreign cookie stays in the browser")
			}
		}
	}
	for name, value := range w.values(w.arrive(Ada)) {
		for _, wrong := range append([]string{"lectern-other"}, w.names...) {
			if wrong != name {
				other := w.browser()
				other.Plant(wrong, value)
				w.out(other.Visit(), "the cookie "+name+" works under the name "+wrong)
			}
		}
	}
}

func garbageCookie(w *world) {
	for name, value := range w.values(w.arrive(Ada)) {
		w.garbage(name, value)
	}
	w.counts(1, "after all the garbage")
}

// garbage plants under a name what is like a good cookie, or not like one at all.
func (w *world) garbage(name, good string) {
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
		b.Plant(name, value)
		w.out(b.Visit(), "a cookie signs in that is "+what)
		w.out(b.Do(w.manager.End), "a cookie signs in that is "+what)
	}
}

// junkInFront plays the neighbouring host that plants a cookie of the same
// name, which the browser sends first.
func junkInFront(w *world) {
	for name, good := range w.values(w.arrive(Ada)) {
		for _, junk := range append([]string{"junk"}, wellFormed...) {
			ada := w.browser()
			ada.Plant(name, good)
			ada.Plant(name, junk)
			a := ada.Visit()
			w.in(a, "junk in front of the cookie "+name+" signs out")
			if a.Trace.Reason != "" {
				w.wrong("a good session has the reason %q because of junk in front", a.Trace.Reason)
			}
			if slices.ContainsFunc(a.Cookies, func(c *http.Cookie) bool { return c.MaxAge < 0 }) || name == w.cookie && len(a.Cookies) > 0 {
				w.wrong("junk in front has the good cookie cleared")
			}
		}
	}
	both := w.arrive(Ada)
	for name, value := range w.values(w.arrive(Grace)) {
		both.Plant(name, value)
	}
	if a := both.Visit(); a.Record.UserID != Grace {
		w.wrong("of two good cookies the first is not the one that counts")
	}
}

func handleOpensNothing(w *world) {
	ada := w.arrive(Ada)
	handle := ada.Visit().Record.Handle
	for name, value := range w.values(ada) {
		if handle == "" || strings.Contains(handle, value) || strings.Contains(value, handle) {
			w.wrong("the name of the session, which may be logged, gives the cookie %s away", name)
		}
		thief := w.browser()
		thief.Plant(name, handle)
		w.out(thief.Visit(), "the name of the session, which may be logged, opens it")
	}
}

// otherSpelling plays the thief whose copy was ended, and who writes it in every
// other way that a lenient reader might take for the same.
func otherSpelling(w *world) {
	ada := w.arrive(Ada)
	values := w.values(ada)
	ada.Do(w.manager.End)
	w.clock.Move(w.lag())
	for name, value := range values {
		for _, other := range spellings(value) {
			thief := w.browser()
			thief.Plant(name, other)
			if !w.out(thief.Visit(), "a session that has ended opens when its cookie "+name+" is spelled in another way") {
				return
			}
		}
	}
}

// spellings are other ways to write a cookie. Six bits of base64 to a character do
// not come out even with eight to a byte, so the last character of a part may have
// bits that mean nothing.
func spellings(value string) []string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	others := []string{
		value + "=",
		value + "==",
		value[:1] + " " + value[1:],
		fmt.Sprintf("%%%02x", value[0]) + value[1:],
		strings.NewReplacer("-", "+", "_", "/").Replace(value),
		strings.ToLower(value),
		strings.ToUpper(value),
	}
	parts := strings.Split(value, ".")
	for i, part := range parts {
		means, err := base64.RawURLEncoding.DecodeString(part)
		if part == "" || err != nil {
			continue
		}
		for _, last := range alphabet {
			parts[i] = part[:len(part)-1] + string(last)
			if same, err := base64.RawURLEncoding.DecodeString(parts[i]); err == nil && bytes.Equal(same, means) {
				others = append(others, strings.Join(parts, "."))
			}
		}
		parts[i] = part
	}
	return slices.DeleteFunc(others, func(other string) bool { return other == value })
}

// exchangedTwice plays the thief who has copied a ticket of the kind that is
// exchanged now and then. Of the owner and the thief one comes second, and nobody
// can tell which of them: so both are out.
func exchangedTwice(w *world) {
	if _, ok := w.Backend.(session.Refresher); !ok {
		return
	}
	for _, thiefFirst := range []bool{true, false} {
		first, phone, grace := w.arrive(Ada), w.arrive(Ada), w.arrive(Grace)
		second := first.Copy()
		who := "the thief"
		if thiefFirst {
			first, second, who = second, first, "the owner"
		}
		w.clock.Move(w.lag())
		w.in(first.Visit(), "a ticket is not exchanged")
		w.clock.Move(2 * w.lag()) // no request is under way for so long
		w.out(second.Visit(), "a ticket that was exchanged before opens the session to "+who)
		w.clock.Move(w.lag())
		w.out(first.Visit(), "a session goes on whose ticket has come from two hands, in the end from "+who)
		w.in(phone.Visit(), "a ticket that came back ends another session of the same person")
		w.in(grace.Visit(), "a ticket that came back ends somebody else's session")
	}
}
