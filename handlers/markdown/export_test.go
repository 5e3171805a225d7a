package markdown

// Gate is the last thing that a document goes through.
func Gate(html string) string { return newPolicy().Sanitize(html) }
