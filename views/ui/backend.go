package ui

import "strings"

// Family is the family of colours and shapes that a session backend belongs
// to, for a data-backend attribute: "jwt" is the wristband, "server" the
// coat-check ticket, "hybrid" both, and "none" nothing at all.
func Family(backend string) string {
	switch backend {
	case "jwt", "bearer":
		return "jwt"
	case "memory", "database", "redis":
		return "server"
	case "hybrid":
		return "hybrid"
	}
	return "none"
}

// BackendLabel is what a backend is called on a page.
func BackendLabel(backend string) string {
	switch backend {
	case "jwt":
		return "JWT"
	case "bearer":
		return "Bearer token"
	case "memory":
		return "Memory"
	case "database":
		return "Database"
	case "redis":
		return "Redis"
	case "hybrid":
		return "Hybrid"
	case "none", "":
		return "No session"
	}
	return strings.ToUpper(backend[:1]) + backend[1:]
}

// smallPrint is the tiny drawing of a family: a symbol of the sprite and the
// width of its box, whose height is always 16.
type smallPrint struct {
	symbol string
	width  string
}

var smallPrints = map[string]smallPrint{
	"jwt":    {"band-s", "48"},
	"server": {"ticket-s", "36"},
	"hybrid": {"hybrid-s", "60"},
}
