package serverstore

import (
	"bytes"
	"io"
	randv2 "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
)

// TestSave_drawsNumbersFromWhatItWasGiven and from nothing else, and where that ends, no
// session begins.
func TestSave_drawsNumbersFromWhatItWasGiven(t *testing.T) {
	t.Attr("asvs", "6.5.3 7.2.3")
	number := func(random io.Reader) (string, http.Header, error) {
		b := New(Config{Name: "memory", Store: NewMemory(), Lifetimes: lifetimes, Now: func() time.Time { return noon }, Random: random})
		w, fresh := httptest.NewRecorder(), sessions.NewSession(b, cookieName)
		fresh.IsNew = true
		session.SetRecord(fresh, &session.Record{
			Identity:  session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon},
			CreatedAt: noon,
		})
		err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), w, fresh)
		return fresh.ID, w.Header(), err
	}
	for _, bytesLeft := range []int{0, 23} {
		if id, header, err := number(bytes.NewReader(make([]byte, bytesLeft))); err == nil || id != "" || len(header) > 0 {
			t.Errorf("a session begins with %d random bytes: %q, %v", bytesLeft, id, header)
		}
	}
	drawn := func(seed byte) string {
		id, _, err := number(randv2.NewChaCha8([32]byte{seed}))
		if err != nil || !wellFormed(id) {
			t.Fatalf("%q, %v", id, err)
		}
		return id
	}
	if first := drawn(1); drawn(1) != first || drawn(2) == first {
		t.Errorf("the same randomness gives %s and %s, another %s", first, drawn(1), drawn(2))
	}
}
