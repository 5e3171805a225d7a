package views_test

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"lectern/views"
)

// TestPasskey_whereThereCanBeNoneNothingCanBePressed draws the parts where passkeys
// cannot work, or no more may be added: the reason stands there, and no form.
func TestPasskey_whereThereCanBeNoneNothingCanBePressed(t *testing.T) {
	for says, row := range map[string]struct {
		part templ.Component
		want string
	}{
		"the button at an address without passkeys": {views.PasskeyButton(views.PasskeyButtonProps{Form: "signin", WhyNot: "Not by a number."}), "Not by a number."},
		"adding at an address without passkeys":     {views.PasskeyAdd(views.PasskeyAddProps{WhyNot: "Not by a number."}), "Not by a number."},
		"adding one more than there may be":         {views.PasskeyAdd(views.PasskeyAddProps{Full: true}), "You have 20 passkeys"},
	} {
		t.Run(says, func(t *testing.T) {
			got := drawn(t, row.part)
			if !strings.Contains(got, row.want) {
				t.Errorf("it lacks %q:\n%s", row.want, got)
			}
			for _, part := range []string{"<form", "<button", "<input"} {
				if strings.Contains(got, part) {
					t.Errorf("it has %s:\n%s", part, got)
				}
			}
		})
	}
}

func TestPasskey_aNameThatWasRefusedIsKept(t *testing.T) {
	got := drawn(t, views.PasskeyAdd(views.PasskeyAddProps{Action: "/account/passkeys", Options: "/account/passkeys/question", Name: "My <b>key", Error: "Too long."}))
	for _, part := range []string{`action="/account/passkeys"`, `data-options="/account/passkeys/question"`, `value="My &lt;b&gt;key"`, "Too long.", `aria-invalid="true"`} {
		if !strings.Contains(got, part) {
			t.Errorf("it lacks %s:\n%s", part, got)
		}
	}
}

func drawn(t *testing.T, part templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := part.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
