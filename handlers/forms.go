package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/views"
)

// form reads what was sent. Only the body counts, never the address, and of a
// field that is there twice the first (ASVS 15.3.7).
func form(c echo.Context) (formValues, error) {
	r := c.Request()
	if r.PostForm == nil {
		err := r.ParseForm()
		if strings.HasPrefix(r.Header.Get(echo.HeaderContentType), echo.MIMEMultipartForm) {
			err = r.ParseMultipartForm(maxForm)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnread, err)
		}
	}
	return formValues(r.PostForm), nil
}

type formValues map[string][]string

func (f formValues) get(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// typed is a value as it goes back into a form: what was typed, made valid.
func (f formValues) typed(name string) string { return school.Text(f.get(name)) }

// fieldErrors are the reasons why a form was refused, by field.
type fieldErrors map[string]string

// note keeps err if it is about a field. It returns any other error.
func (e fieldErrors) note(err error) error {
	var invalid *school.Invalid
	if errors.As(err, &invalid) {
		if e[invalid.Field] == "" {
			e[invalid.Field] = invalid.Reason
		}
		return nil
	}
	return err
}

// secretFields are never sent back to the browser.
var secretFields = []string{"password", "current", "new", "code", "passkey-answer"}

// isSecret reports whether a form was sent with a password or a code in it. It is not
// kept to be sent again: what is left of it without that does nothing.
func isSecret(c echo.Context) bool {
	values := posted(c)
	return slices.ContainsFunc(secretFields, func(name string) bool { return values.get(name) != "" })
}

// waitingForm is the form that came along with another one; see keptAgain.
func waitingForm(c echo.Context) *views.KeptForm { return keptAgain(posted(c)) }

// posted is the form that was sent; empty where none was, or none that can be read.
func posted(c echo.Context) formValues {
	if c.Request().Method != http.MethodPost {
		return nil
	}
	values, err := form(c)
	if err != nil {
		return nil
	}
	return values
}

// keptForm is what a form held whose sender turned out not to be signed in, so
// that it can be sent again afterwards. Nothing typed is ever lost.
func keptForm(c echo.Context) *views.KeptForm {
	r := c.Request()
	values := posted(c)
	if values == nil || localPath(r.URL.RequestURI()) == "/" {
		return nil
	}
	kept := &views.KeptForm{Action: r.URL.RequestURI()}
	for name, all := range values {
		if slices.Contains(secretFields, name) || len(name) > 64 {
			continue
		}
		for _, value := range all {
			kept.Fields = append(kept.Fields, views.KeptField{Name: name, Value: school.Text(value)})
		}
	}
	slices.SortStableFunc(kept.Fields, func(a, b views.KeptField) int { return strings.Compare(a.Name, b.Name) })
	return kept
}
