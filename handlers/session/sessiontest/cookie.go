package sessiontest

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"lectern/handlers/session"
)

// tooLarge signs somebody in who has more to say than a cookie holds. A backend
// whose cookie does not grow may accept that; what none may do is send a cookie
// that the browser drops without a word.
func tooLarge(w *world) {
	methods := make([]string, 600)
	for i := range methods {
		methods[i] = "otp-by-mail"
	}
	ada := w.arrive(Ada)
	a := ada.Do(w.site.signIn(Ada, session.StartOptions{}, methods...))
	switch {
	case errors.Is(a.Err, session.ErrTooLarge):
		if len(a.Cookies) > 0 {
			w.wrong("a session that is too large is refused, but a cookie is sent")
		}
	case a.Err != nil:
		w.wrong("a session that is too large is refused with %v and not ErrTooLarge", a.Err)
	}
	next := ada.Visit()
	w.in(next, "somebody whose session is too large is signed out without a word")
	if a.Err == nil && len(next.Record.Methods) != len(methods) {
		w.wrong("a large session is accepted, but not kept: the browser dropped the cookie")
	}
}

func cookieFlags(w *world) {
	b := w.browser()
	signIn := w.site.SignIn(Ada, session.StartOptions{Remember: true})
	for what, act := range map[string]Act{"signing in": signIn, "renewing": w.manager.Renew, "signing out": w.manager.End} {
		b.Do(signIn)
		a := b.Do(act)
		if len(a.Cookies) == 0 {
			w.wrong("%s sends no cookie", what)
		}
		for _, c := range a.Cookies {
			w.flags(what, c)
		}
	}
}

// flags holds where a cookie is as the site's policy wants it.
func (w *world) flags(what string, c *http.Cookie) {
	if strings.HasPrefix(c.Name, "__Host-") != w.cookies.Secure {
		w.wrong("%s: the cookie is called %s, with https %v", what, c.Name, w.cookies.Secure)
	}
	for flag, good := range map[string]bool{
		"HttpOnly":                        c.HttpOnly,
		"SameSite=Lax":                    c.SameSite == http.SameSiteLaxMode,
		"Path=/":                          c.Path == "/",
		"no Domain":                       c.Domain == "",
		"Secure on https and not on http": c.Secure == w.cookies.Secure,
		"no Expires beside Max-Age":       c.RawExpires == "",
		"at most 400 days":                c.MaxAge <= 400*24*60*60,
	} {
		if !good {
			w.wrong("%s: the cookie lacks %s", what, flag)
		}
	}
}

func oneSetCookie(w *world) {
	ada := w.arrive(Ada)
	signIn := w.site.SignIn(Ada, session.StartOptions{})
	for what, act := range map[string]Act{
		"signing in over a session":      signIn,
		"renewing":                       w.manager.Renew,
		"signing out":                    w.manager.End,
		"signing in twice in one answer": both(signIn, signIn),
		"signing out and in":             both(w.manager.End, signIn),
		"renewing and signing out":       both(w.manager.Renew, w.manager.End),
		"ending all": func(rw http.ResponseWriter, r *http.Request) error {
			_, err := w.manager.SwitchSite(rw, r, w.Backend.Name(), session.EndThem)
			return err
		},
	} {
		ada.Do(signIn)
		a := ada.Do(act)
		w.done(a.Err, what)
		seen := map[string]bool{}
		for _, c := range a.Cookies {
			if seen[c.Name] {
				w.wrong("%s sends the cookie %s twice", what, c.Name)
			}
			seen[c.Name] = true
		}
	}
}

// both does one thing after another in the same request.
func both(first, second Act) Act {
	return func(w http.ResponseWriter, r *http.Request) error {
		return errors.Join(first(w, r), second(w, r))
	}
}

// after does an act when something else has happened since the session was
// loaded.
func after(meanwhile func(), act Act) Act {
	return func(w http.ResponseWriter, r *http.Request) error {
		meanwhile()
		return act(w, r)
	}
}

func noPersonalData(w *world) {
	const address, device = "198.51.100.7", "Netscape Navigator"
	ada := w.browser()
	ada.Do(w.site.SignIn(Ada, session.StartOptions{Address: address, Device: device}))
	text := ""
	for _, value := range w.values(ada) {
		text += value + "."
	}
	for part := range strings.SplitSeq(text, ".") {
		if plain, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			text += string(plain)
		}
	}
	user, err := w.site.School.User(w.ctx, Ada)
	w.done(err, "asking for a person")
	for what, personal := range map[string]string{"the name": user.Name, "the e-mail address": string(user.Email), "the network address": address, "the device": device} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(personal)) {
			w.wrong("the cookie holds %s", what)
		}
	}
}

// clearedOnPageLoads: a request in the background may be older than the cookie
// that the browser holds by the time of the answer.
func clearedOnPageLoads(w *world) {
	for _, name := range w.names {
		b := w.browser()
		b.Plant(name, wellFormedID)
		if a := b.Fetch(); len(a.Cookies) > 0 {
			w.wrong("a request in the background clears the cookie %s", name)
		}
		b.Visit()
		if b.Cookie(name) != "" {
			w.wrong("loading a page leaves a bad cookie %s in the browser", name)
		}
		if a := b.Visit(); len(a.Cookies) > 0 {
			w.wrong("a cookie is cleared that was not there")
		}
	}
}
