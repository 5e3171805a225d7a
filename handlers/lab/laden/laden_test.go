package laden_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gorilla/sessions"

	"lectern/handlers/lab/laden"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
)

// plain is a kind of session that keeps what it was last given.
type plain struct {
	session.Backend
	kept []string
}

func (p *plain) Save(_ *http.Request, _ http.ResponseWriter, s *sessions.Session) error {
	if rec, ok := session.RecordOf(s); ok {
		p.kept = rec.Methods
	}
	return nil
}

func TestNew_loadsWhatBegins(t *testing.T) {
	things := []string{"0001", "0002"}
	for _, row := range []struct {
		says    string
		had     []string
		begins  bool
		carries []string
	}{
		{says: "a session that begins carries the things", had: []string{"pwd"}, begins: true, carries: []string{"pwd", "course-0001", "course-0002"}},
		{says: "one that continues another carries them once", had: []string{"pwd", "course-0001", "course-0009"}, begins: true, carries: []string{"pwd", "course-0001", "course-0002"}},
		{says: "one that was read stays as it is", had: []string{"pwd"}, carries: []string{"pwd"}},
	} {
		t.Run(row.says, func(t *testing.T) {
			kind := &plain{}
			b := laden.New(kind, func() []string { return things })
			s := sessions.NewSession(nil, "session")
			s.IsNew = row.begins
			had := slices.Clone(row.had)
			session.SetRecord(s, &session.Record{Identity: session.Identity{Methods: had}})
			if err := b.Save(nil, nil, s); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(kind.kept, row.carries) {
				t.Errorf("it carries %q, want %q", kind.kept, row.carries)
			}
			if !slices.Equal(had, row.had) {
				t.Errorf("what it had was changed to %q", had)
			}
		})
	}
	if err := laden.New(&plain{}, nil).Save(nil, nil, sessions.NewSession(nil, "session")); err != nil {
		t.Errorf("a visitor without a session gives %v", err)
	}
}

func TestNew_takesNoAbilityAway(t *testing.T) {
	for _, kind := range []session.Backend{&cookiejwt.Backend{}, &serverstore.Backend{}, &hybrid.Backend{}} {
		b := laden.New(kind, nil)
		for ability, has := range map[string]func(session.Backend) bool{
			"ends copies":    func(b session.Backend) bool { _, ok := b.(session.Ender); return ok },
			"ends a user's":  func(b session.Backend) bool { _, ok := b.(session.Revoker); return ok },
			"lists":          func(b session.Backend) bool { _, ok := b.(session.Lister); return ok },
			"keeps roles":    func(b session.Backend) bool { _, ok := b.(session.RoleKeeper); return ok },
			"counts":         func(b session.Backend) bool { _, ok := b.(session.Counter); return ok },
			"refreshes":      func(b session.Backend) bool { _, ok := b.(session.Refresher); return ok },
			"refuses by age": func(b session.Backend) bool { _, ok := b.(session.Cutter); return ok },
		} {
			if has(b) != has(kind) {
				t.Errorf("%T: %s is %v, and laden %v", kind, ability, has(kind), has(b))
			}
		}
	}
}
