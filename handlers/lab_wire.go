package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"lectern/handlers/lab"
	"lectern/handlers/session"
	"lectern/views/labview"
)

// wireOf is the transcript of a column, ready for its page.
func wireOf(c *lab.Column) []labview.Entry {
	entries := make([]labview.Entry, 0, len(c.Transcript))
	for _, e := range c.Transcript {
		entries = append(entries, entryOf(&e, c.Transcript[0].At))
	}
	return entries
}

func entryOf(e *lab.Entry, first time.Time) labview.Entry {
	entry := labview.Entry{Line: withoutColumns(e.Line), Clock: worldClock(e.At, first), Notes: e.Notes, Decides: e.Decides, Differs: labview.Difference(e.Differs), Again: e.Again}
	switch who, rest, ok := strings.Cut(entry.Line, ": "); {
	case strings.HasPrefix(entry.Line, "clock "):
		entry.Icon = "clock"
	case strings.HasPrefix(entry.Line, "server"), strings.HasPrefix(entry.Line, "store: "):
		entry.Icon = "server"
	case strings.HasPrefix(entry.Line, "keys: "):
		entry.Icon = "key"
	case ok:
		entry.Who, entry.Line = who, rest
	}
	entry.Line = strings.TrimSuffix(entry.Line, " (decides)")
	if e.Exchange != nil {
		entry.Exchange = exchangeOf(e.Exchange)
	}
	return entry
}

// withoutColumns leaves out in which columns a step happens: this is one of them.
func withoutColumns(line string) string {
	if rest, ok := strings.CutPrefix(line, "on "); ok {
		if _, rest, ok = strings.Cut(rest, ": "); ok {
			return rest
		}
	}
	return line
}

func exchangeOf(x *lab.Exchange) *labview.Exchange {
	exchange := &labview.Exchange{
		Request: x.Request.Method + " " + x.Request.Path, Server: x.Server,
		Status: x.Response.Status, Text: http.StatusText(x.Response.Status),
		Reason: string(x.Trace.Reason), Reads: x.Trace.Reads, Writes: x.Trace.Writes, Excerpt: x.Response.Excerpt,
	}
	for _, name := range []string{"Origin", "Sec-Fetch-Site"} {
		if value := x.Request.Headers[name]; value != "" {
			exchange.Form = append(exchange.Form, labview.Fact{Name: name, Value: value})
		}
	}
	for _, f := range x.Request.Form {
		exchange.Form = append(exchange.Form, labview.Fact{Name: f.Name, Value: f.Value})
	}
	if x.Trace.Role != "" {
		exchange.Role = x.Trace.Role + ", from the " + x.Trace.From
	}
	set := 0
	for _, c := range x.Cookies {
		cookie := labview.Cookie{
			Name: c.Name, Backend: familyOfCookie(c.Name), Way: labview.Way(c.Way), Bytes: c.Bytes, Value: c.Value, State: labview.CookieState(c.State),
		}
		if c.Token != nil {
			cookie.Token = &labview.Token{Raw: c.Token.Raw, Header: lines(c.Token.Header), Payload: lines(c.Token.Payload), Signature: fmt.Sprintf("%d bytes", c.Token.Signature)}
		}
		if c.Way == lab.Sent {
			exchange.Sent = append(exchange.Sent, cookie)
			continue
		}
		if set < len(x.Response.SetCookie) {
			_, cookie.Attributes, _ = strings.Cut(x.Response.SetCookie[set], "; ")
		}
		set++
		exchange.Back = append(exchange.Back, cookie)
	}
	return exchange
}

// lines is JSON with a line for each member.
func lines(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// familyOfCookie is the kind of session that a cookie belongs to, by its name.
func familyOfCookie(name string) string {
	switch strings.TrimPrefix(name, "__Host-") {
	case "lectern-jwt":
		return session.JWT
	case "lectern-access", "lectern-refresh":
		return session.Hybrid
	}
	return session.Database
}
