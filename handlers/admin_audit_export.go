package handlers

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// The log is handed out as it is filtered, and page by page, so that a log of millions
// of lines needs no more memory than one of ten.

// eventWriter writes lines of the log in some format.
type eventWriter interface {
	write(school.Event) error
	flush() error
}

func (s *Server) exportCSV(c echo.Context) error {
	return s.export(c, "csv", "text/csv; charset=utf-8", func(w io.Writer) eventWriter { return newCSVEvents(w) })
}

func (s *Server) exportJSON(c echo.Context) error {
	return s.export(c, "jsonl", "application/jsonl; charset=utf-8", func(w io.Writer) eventWriter { return jsonEvents{json.NewEncoder(w)} })
}

func (s *Server) export(c echo.Context, extension, contentType string, format func(io.Writer) eventWriter) error {
	asked := s.askedOfLog(c)
	if asked.wrong() {
		_, filter, _ := strings.Cut(listAddress(c, ""), "?")
		return seeOther(c, "/admin/audit?"+filter) // which says what is wrong with it
	}
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, contentType)
	w.Header().Set(echo.HeaderContentDisposition, `attachment; filename="lectern-audit.`+extension+`"`)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	s.record(c, school.ActionAuditExport, "the audit log", extension+asked.words())
	out, wire := format(w), http.NewResponseController(w)
	err := s.DB.EachEvent(c.Request().Context(), asked.query, func(page []school.Event) error {
		// As long as something is read, it may take as long as it takes.
		_ = wire.SetWriteDeadline(time.Now().Add(time.Minute))
		for _, e := range page {
			if !s.shows(c, policy.AuditLine, policy.Object{Owner: e.Actor.ID}) {
				continue
			}
			if err := out.write(e); err != nil {
				return err
			}
		}
		return out.flush()
	})
	switch {
	case err == nil && !w.Committed:
		return c.NoContent(http.StatusOK) // no line is such
	case err != nil && !w.Committed:
		w.Header().Del(echo.HeaderContentDisposition) // a page follows, that says what went wrong
	case err != nil && !hungUp(c, err):
		// A file that ends here would look whole. The connection is broken off, so that
		// whoever saves it learns that it is not.
		s.Log.Error("export of the log broken off", "id", requestID(c), "err", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// csvEvents writes a table for a spreadsheet (RFC 4180).
type csvEvents struct{ *csv.Writer }

func newCSVEvents(w io.Writer) csvEvents {
	table := csvEvents{csv.NewWriter(w)}
	table.UseCRLF = true
	// What goes wrong here is told by flush.
	_ = table.Write([]string{"at", "action", "actor", "actor_id", "subject", "subject_id", "detail", "session", "address", "id"})
	return table
}

func (t csvEvents) write(e school.Event) error {
	row := []string{e.At.UTC().Format(time.RFC3339), e.Action, e.Actor.Name, string(e.Actor.ID), e.Subject, string(e.SubjectID), e.Detail, e.Session, e.Address, string(e.ID)}
	for i := range row {
		row[i] = cell(row[i])
	}
	return t.Write(row)
}

func (t csvEvents) flush() error {
	t.Flush()
	return t.Error()
}

// cell is text that no spreadsheet takes for a formula: what begins like one gets a
// quotation mark in front (ASVS 1.2.10). A name may be anything that somebody typed.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

// jsonEvents writes an object to a line.
type jsonEvents struct{ *json.Encoder }

// eventJSON is a line of the log for a program.
type eventJSON struct {
	ID        school.ID `json:"id"`
	At        time.Time `json:"at"`
	Action    string    `json:"action"`
	Actor     string    `json:"actor"`
	ActorID   school.ID `json:"actor_id"`
	Subject   string    `json:"subject"`
	SubjectID school.ID `json:"subject_id"`
	Detail    string    `json:"detail"`
	Session   string    `json:"session"`
	Address   string    `json:"address"`
}

func (j jsonEvents) write(e school.Event) error {
	return j.Encode(eventJSON{e.ID, e.At.UTC(), e.Action, e.Actor.Name, e.Actor.ID, e.Subject, e.SubjectID, e.Detail, e.Session, e.Address})
}

func (jsonEvents) flush() error { return nil }
