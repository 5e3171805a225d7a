package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"lectern/handlers/session"
)

// TestCodeAgain_isSentForHalfAnHour: for one thing that was begun, another code can be had
// for thirty minutes from the first, each good for its ten; then it is over, and nothing
// is sent.
func TestCodeAgain_isSentForHalfAnHour(t *testing.T) {
	const number = "+447700900123"
	for says, begin := range map[string]func(s *site) (b *browser, flow, to string){
		"to sign in": func(s *site) (*browser, string, string) {
			b := s.browser()
			return b, b.flow(b.post("/signin/code", "email", ada)), ada
		},
		"to open an account": func(s *site) (*browser, string, string) {
			b := s.browser()
			return b, b.flow(b.post("/signup", "name", "Cleo Sand", "email", cleo, "password", otherPassword)), cleo
		},
		"for a new password": func(s *site) (*browser, string, string) {
			b := s.browser()
			return b, b.flow(b.post("/signin/forgotten", "email", ada)), ada
		},
		"as the second step": func(s *site) (*browser, string, string) {
			b, second := s.byText(number)
			return b, b.flow(b.post("/signin/second/text", "flow", second)), number
		},
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, session.Database)
			b, flow, to := begin(s)
			for range 3 {
				s.clock.move(9*time.Minute + 59*time.Second)
				flow = b.flow(b.post("/code/again", "flow", flow))
			}
			s.clock.move(3 * time.Second)
			flow = b.flow(b.post("/code/again", "flow", flow)) // thirty minutes to the second
			sent, code := s.letters(to), s.code(to)
			s.clock.move(time.Second)
			b.post("/code/again", "flow", flow).want(t, http.StatusBadRequest, "This is over")
			if s.letters(to) != sent {
				t.Error("a code is sent after half an hour")
			}
			s.clock.move(9*time.Minute + 58*time.Second)
			b.post("/code/again", "flow", flow).want(t, http.StatusBadRequest, "This is over")
			b.post("/code", "flow", flow, "code", code).want(t, http.StatusSeeOther)
		})
	}
}
