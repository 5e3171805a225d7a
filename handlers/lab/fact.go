package lab

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fact is something that holds in a small world, or does not.
type Fact struct {
	Text   string // as it stands in the file
	name   string
	op     string
	value  string
	number float64
}

// measures are what can be compared with a number.
var measures = map[string]string{
	"status":       "status",
	"reads":        "store_reads",
	"writes":       "store_writes",
	"cookie_bytes": "cookie_bytes",
	"cookies":      "cookies",
	"rows":         "rows",
	"valid_for":    "valid_for_seconds",
	"micros":       "micros",
	"readable":     "readable",
	"personal":     "personal_data",
	"calls":        "calls",
	"kept_bytes":   "kept_bytes",
	// of a step that asks many times
	"reads_in_all":  "reads_in_all",
	"writes_in_all": "writes_in_all",
}

var (
	isStatus    = regexp.MustCompile(`^[1-5]\d\d$`)
	isMeasure   = regexp.MustCompile(`^(\w+) (=|<|<=|>|>=) (-?[\d.]+)$`)
	isReason    = regexp.MustCompile(`^reason ([\w-]+)$`)
	isRole      = regexp.MustCompile(`^role (\w+)$`)
	isText      = regexp.MustCompile(`^page (says|lacks) "([^"]+)"$`)
	isCookie    = regexp.MustCompile(`^cookie ([\w-]+) (set|cleared|dropped|untouched)$`)
	isCookieNow = regexp.MustCompile(`^cookie ([\w-]+) (good|expired|forged|unknown|foreign)$`)
)

// readFact reads one.
func readFact(text string) (Fact, error) {
	text = strings.TrimSpace(text)
	f := Fact{Text: text}
	switch {
	case isStatus.MatchString(text):
		f.name, f.op, f.value = "status", "=", text
		f.number, _ = strconv.ParseFloat(text, 64)
	case isMeasure.MatchString(text):
		m := isMeasure.FindStringSubmatch(text)
		if measures[m[1]] == "" {
			return f, fmt.Errorf("there is no measure %q", m[1])
		}
		f.name, f.op, f.value = m[1], m[2], m[3]
		var err error
		if f.number, err = strconv.ParseFloat(m[3], 64); err != nil {
			return f, err
		}
	case isReason.MatchString(text):
		f.name, f.value = "reason", isReason.FindStringSubmatch(text)[1]
	case isRole.MatchString(text):
		f.name, f.value = "role", isRole.FindStringSubmatch(text)[1]
	case isText.MatchString(text):
		m := isText.FindStringSubmatch(text)
		f.name, f.value = m[1], m[2]
	case isCookie.MatchString(text):
		m := isCookie.FindStringSubmatch(text)
		f.name, f.op, f.value = "cookie", m[2], m[1]
	case isCookieNow.MatchString(text):
		m := isCookieNow.FindStringSubmatch(text)
		f.name, f.op, f.value = "cookie state", m[2], m[1]
	default:
		return f, fmt.Errorf("%q is no fact that can be checked", text)
	}
	return f, nil
}

// compare holds two numbers against each other.
func compare(got float64, op string, want float64) bool {
	switch op {
	case "<":
		return got < want
	case "<=":
		return got <= want
	case ">":
		return got > want
	case ">=":
		return got >= want
	}
	return got == want
}

// check returns what is wrong about a fact after a step; empty if it holds.
func (w *world) check(f Fact) string {
	switch f.name {
	case "reason":
		if got := string(w.exchange().Trace.Reason); got != f.value {
			return fmt.Sprintf("the reason is %q", got)
		}
	case "role":
		if got := w.exchange().Trace.Role; got != f.value {
			return fmt.Sprintf("the role is %q", got)
		}
	case "says":
		if !strings.Contains(w.page.text(), f.value) {
			return fmt.Sprintf("the page says %q", w.page.excerpt())
		}
	case "lacks":
		if strings.Contains(w.page.text(), f.value) {
			return "the page says it"
		}
	case "cookie":
		return w.checkCookie(f)
	case "cookie state":
		for _, c := range w.exchange().Cookies {
			if c.Way == Sent && c.Name == w.cookieName(f.value) {
				if string(c.State) == f.op {
					return ""
				}
				return fmt.Sprintf("it is %s", c.State)
			}
		}
		return "no such cookie was sent"
	default:
		got, err := w.measure(f.name)
		if err != nil {
			return err.Error()
		}
		if !compare(got, f.op, f.number) {
			return fmt.Sprintf("%s is %s", f.name, strconv.FormatFloat(got, 'f', -1, 64))
		}
	}
	return ""
}

func (w *world) checkCookie(f Fact) string {
	name, got := w.cookieName(f.value), "untouched"
	for _, c := range w.exchange().Cookies {
		if c.Name == name && c.Way != Sent {
			got = string(c.Way)
		}
	}
	if got != f.op {
		return fmt.Sprintf("it is %s", got)
	}
	return ""
}

// measure reads a measure as it stands after the last step.
func (w *world) measure(name string) (float64, error) {
	if name == "rows" || name == "kept_bytes" {
		if err := w.measureKept(); err != nil {
			return 0, err
		}
	}
	x := w.exchange()
	switch name {
	case "status":
		return float64(x.Response.Status), nil
	case "reads":
		return float64(x.Trace.Reads), nil
	case "writes":
		return float64(x.Trace.Writes), nil
	case "cookie_bytes":
		return float64(w.bytesOf(x)), nil
	case "calls":
		return w.calls(), nil
	case "cookies":
		return float64(w.cookiesOf(w.last)), nil
	}
	value, ok := w.measured[measures[name]]
	if !ok {
		return 0, fmt.Errorf("%s was not measured", name)
	}
	return value, nil
}

// measureKept counts what lies on the servers now.
func (w *world) measureKept() error {
	kept, err := w.site.Kept(w.ctx)
	if err != nil {
		return err
	}
	w.measured["rows"], w.measured["kept_bytes"] = float64(len(kept)), 0
	for _, k := range kept {
		w.measured["kept_bytes"] += float64(k.Bytes)
	}
	return nil
}

// bytesOf is the length of the session cookies that went with an exchange, or were
// set by it where none went.
func (w *world) bytesOf(x *Exchange) int {
	sent, set := 0, 0
	for _, c := range x.Cookies {
		switch c.Way {
		case Sent:
			sent += c.Bytes
		case Set:
			set += c.Bytes
		}
	}
	if sent > 0 {
		return sent
	}
	return set
}

// cookiesOf counts the session cookies in somebody's jar.
func (w *world) cookiesOf(a *actor) int {
	if a == nil {
		return 0
	}
	n := 0
	for _, name := range a.jar.Names() {
		if slices.Contains(w.cookieNames, name) {
			n++
		}
	}
	return n
}
