package markdown

import (
	"regexp"
	"strings"
)

// drawings are the fenced blocks that become figures. Each reports whether it
// could read its lines; if not they are shown as code.
var drawings = map[string]func(w *writer, body, caption string) bool{
	"wristband": (*writer).wristband,
	"ticket":    (*writer).ticket,
}

var captionInfo = regexp.MustCompile(`(?:^|\s)caption="([^"]*)"`)

func captionOf(info string) string {
	if m := captionInfo.FindStringSubmatch(info); m != nil {
		return m[1]
	}
	return ""
}

type line struct{ key, value string }

// keyed reads lines of the form "key: value", and nothing else.
func keyed(body string) (lines []line, ok bool) {
	for l := range strings.Lines(body) {
		if strings.TrimSpace(l) == "" {
			continue
		}
		key, value, found := strings.Cut(l, ":")
		if !found {
			return nil, false
		}
		lines = append(lines, line{strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return lines, true
}

// wristband draws a token of three joined parts.
func (w *writer) wristband(body, caption string) bool {
	parts, ok := keyed(body)
	if !ok || len(parts) != 3 {
		return false
	}
	w.raw("<figure>\n", `<div class="band" data-backend="jwt" data-size="l" role="img" aria-label="A token drawn as a wristband of three joined segments.`)
	for _, p := range parts {
		w.escaped(" " + p.key + ": " + p.value + ".")
	}
	w.raw(`">`)
	for _, p := range parts {
		w.raw("<span><b>")
		w.escaped(p.key)
		w.raw("</b><code>")
		w.escaped(p.value)
		w.raw("</code></span>")
	}
	w.raw("</div>\n")
	w.caption(caption)
	w.raw("</figure>\n")
	return true
}

// ticket draws the number that leads to a record.
func (w *writer) ticket(body, caption string) bool {
	lines, ok := keyed(body)
	if !ok {
		return false
	}
	values := map[string]string{"title": "Coat check"}
	for _, l := range lines {
		values[l.key] = l.value
	}
	if values["number"] == "" {
		return false
	}
	w.raw("<figure>\n", `<div class="ticket" data-backend="server" data-size="l" role="img" aria-label="`)
	w.escaped("A session drawn as a coat-check ticket, number " + values["number"] + ". " + values["title"] + ": " + values["text"])
	w.raw(`"><div><small>Ticket</small><b>`)
	w.escaped(values["number"])
	w.raw("</b></div><div><b>")
	w.escaped(values["title"])
	w.raw("</b><code>")
	w.escaped(values["text"])
	w.raw("</code></div></div>\n")
	w.caption(caption)
	w.raw("</figure>\n")
	return true
}
