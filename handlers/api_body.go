package handlers

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// maxJSON bounds the body of a request to the API in bytes.
const maxJSON = 16 << 10

// badBody is why the body of a request is refused, in a sentence for whoever
// wrote the program.
type badBody struct {
	status int
	says   string
}

func (b *badBody) Error() string { return "handlers: body: " + b.says }

// readJSON reads a body into a struct: every member that the struct has, once,
// in the right case and of the right type, and none that it does not have. Two
// readers of the same lenient JSON can read different things in it (RFC 8259
// §4), and one of them may be the one that checks.
func readJSON(c echo.Context, into any) error {
	r := c.Request()
	if !isJSON(r.Header.Get(echo.HeaderContentType)) {
		return &badBody{http.StatusUnsupportedMediaType, "Send the body as application/json."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxJSON))
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	members := map[string]jsontext.Value{}
	names := memberNames(into)
	unread := &badBody{http.StatusBadRequest, "The body must be one JSON object with exactly these members, each once: " + strings.Join(names, ", ") + "."}
	if json.Unmarshal(body, &members) != nil || json.Unmarshal(body, into, json.RejectUnknownMembers(true)) != nil {
		return unread
	}
	for _, name := range names {
		if member := members[name]; member == nil || member.Kind() == 'n' {
			return unread
		}
	}
	return nil
}

// isJSON reports whether a Content-Type is JSON's, whose text is always UTF-8.
func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != echo.MIMEApplicationJSON {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

func memberNames(into any) []string {
	fields := reflect.VisibleFields(reflect.TypeOf(into).Elem())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Tag.Get("json")
	}
	return names
}
