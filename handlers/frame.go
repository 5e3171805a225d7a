package handlers

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// frame fills what stands round every page. section names the link of the
// navigation that is the current one.
func (s *Server) frame(c echo.Context, title, section string) views.Frame {
	v := visitorOf(c)
	f := views.Frame{
		Title:   title,
		Section: section,
		Here:    here(c),
		Theme:   s.themeOf(c.Request()),
		Said:    s.said(c),
		Teaches: s.may(c, policy.TeachView, policy.Object{}),
		Manages: s.may(c, policy.UserManage, policy.Object{}),
		Demo:    s.Demo,
	}
	if rec, ok := v.visit.Record(); ok && v.SignedIn() {
		f.Reader = &views.Reader{
			Name:    v.user.Name,
			Role:    roleLabel(rec.Role),
			Backend: v.visit.Trace.Backend,
			Detail:  roleLabel(rec.Role) + ", signed in " + methodsLabel(rec.Methods) + " at " + clock(rec.AuthAt),
		}
	}
	f.XRay = s.xray(c)
	return f
}

// here is the address of the page that is being looked at, to come back to. An
// address that only takes forms leads back to the front page, and so does one that is a
// secret: the forms around a page would carry it elsewhere.
func here(c echo.Context) string {
	r := c.Request()
	if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, invitationPath) {
		return "/"
	}
	u := *r.URL
	q := u.Query()
	q.Del("xray")
	q.Del("said")
	q.Del("event")
	u.RawQuery = q.Encode()
	return localPath(u.RequestURI())
}

func roleLabel(r school.Role) string {
	switch r {
	case school.Admin:
		return "Admin"
	case school.Instructor:
		return "Instructor"
	}
	return "Student"
}

func clock(t time.Time) string { return t.Local().Format(ui.ClockTime) }

// sentences are what a page says about what has just been done. The address
// carries only the key, so nobody can put words into our mouth; see trueOnlyIf.
var sentences = merged(learnSentences, teachSentences, accountSentences, waySentences, adminSentences, map[string]string{
	"switched":        "Switched. You are still signed in; open the X-ray to see what has changed.",
	"chosen":          "Remembered for the next time you sign in.",
	"signed-out":      "You are signed out.",
	"account-deleted": "Your account is deleted, and you are signed out.",
	"welcome":         "Welcome. Your account is open and you are signed in.",
})

// said is the sentence that the address asks for, where it is true.
func (s *Server) said(c echo.Context) string {
	key := c.QueryParam("said")
	if holds, ok := trueOnlyIf[key]; ok && !holds(c) {
		return ""
	}
	if _, ok := teachSentences[key]; ok && !s.may(c, policy.TeachView, policy.Object{}) {
		return ""
	}
	return sentences[key]
}

// trueOnlyIf is what must be so for a sentence that claims how things stand.
// A link from elsewhere could otherwise tell somebody that they are signed out.
var trueOnlyIf = map[string]func(echo.Context) bool{
	"switched":        signedIn,
	"chosen":          signedOut,
	"signed-out":      signedOut,
	"welcome":         signedIn,
	"renamed":         signedIn,
	"closed-own":      signedOut,
	"account-deleted": signedOut,
	"demoted":         func(c echo.Context) bool { return signedIn(c) && visitorOf(c).actor().Role != school.Admin },

	"undone": func(c echo.Context) bool { return askedOf(c).lesson.ID != "" && askedOf(c).enrolment.Joined() },
	"lab-undone": func(c echo.Context) bool {
		return askedOf(c).lesson.Kind == school.Lab && askedOf(c).enrolment.Joined()
	},
	"joined": func(c echo.Context) bool { return askedOf(c).enrolment.Joined() },
	"left":   func(c echo.Context) bool { e := askedOf(c).enrolment; return !e.JoinedAt.IsZero() && !e.Joined() },

	"course-created":     teaches(func(t taught) bool { return t.course.Status == school.Draft }),
	"course-saved":       teaches(func(t taught) bool { return t.course.ID != "" }),
	"course-published":   teaches(func(t taught) bool { return t.course.Status == school.Published }),
	"course-unpublished": teaches(func(t taught) bool { return t.course.Status == school.Draft }),
	"lesson-created":     teaches(func(t taught) bool { return t.lesson.Status == school.Draft }),
	"lesson-published":   teaches(func(t taught) bool { return t.lesson.Status == school.Published }),
	"lesson-unpublished": teaches(func(t taught) bool { return t.lesson.Status == school.Draft }),
}

func signedIn(c echo.Context) bool  { return visitorOf(c).SignedIn() }
func signedOut(c echo.Context) bool { return !signedIn(c) }

// teaches is a condition on what the page of the desk is about.
func teaches(holds func(taught) bool) func(echo.Context) bool {
	return func(c echo.Context) bool { return holds(taughtOf(c)) }
}

func merged(all ...map[string]string) map[string]string {
	sum := map[string]string{}
	for _, one := range all {
		maps.Copy(sum, one)
	}
	return sum
}

// themeCookie holds the visitor's choice of light or dark.
const themeCookie = "lectern-theme"

// cookies are the site's one policy for cookies, for those that are no session.
func (s *Server) cookies() session.Cookies {
	return session.Cookies{Secure: s.BaseURL.Scheme == "https"}
}

func (s *Server) themeOf(r *http.Request) string {
	cookie, err := r.Cookie(s.cookies().Name(themeCookie))
	if err != nil || cookie.Value != "light" && cookie.Value != "dark" {
		return ""
	}
	return cookie.Value
}

// changeAppearance keeps the visitor's choice of light or dark, which is a
// preference and no secret.
func (s *Server) changeAppearance(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	now := s.Now()
	switch theme := f.get("theme"); theme {
	case "light", "dark":
		if err := s.cookies().Set(c.Response(), themeCookie, theme, now, now.AddDate(1, 0, 0)); err != nil {
			return err
		}
	case "system":
		s.cookies().Clear(c.Response(), themeCookie)
	default:
		return &school.Invalid{Field: "theme", Reason: "Choose light, dark or system."}
	}
	return seeOther(c, localPath(f.get("next")))
}
