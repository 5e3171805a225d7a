package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number writes n with commas between its thousands: 1,204.
func Number(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Count writes n and the word for one or for many: "1 lesson", "14 lessons".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Isolate wraps a name that is put into a sentence before it reaches a page,
// where no bdi can be: its direction then stays its own.
func Isolate(name string) string { return "\u2068" + name + "\u2069" }

// Minutes writes a time for reading: "45 min", "5 h", "1 h 20 min".
func Minutes(n int) string {
	switch {
	case n < 60:
		return fmt.Sprintf("%d min", n)
	case n%60 == 0:
		return fmt.Sprintf("%d h", n/60)
	}
	return fmt.Sprintf("%d h %d min", n/60, n%60)
}

// Took writes how long a step took: "9.8 µs", "84 µs", "1.2 ms", "3 s".
func Took(d time.Duration) string {
	unit, name := time.Microsecond, "µs"
	switch {
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	}
	n := float64(d) / float64(unit)
	if n >= 10 {
		return fmt.Sprintf("%.0f %s", n, name)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + " " + name
}
