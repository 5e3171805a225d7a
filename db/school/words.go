package school

import (
	"strings"
	"unicode"
)

// Limits of searching.
const (
	MaxWord       = 40 // characters of a word; the rest of it is passed over
	MaxQueryWords = 8  // words of a query; the rest of them are passed over
)

// Fold writes text as it is compared in searching and sorting: words of
// lower-case letters and digits without accents, one space between them.
// Folding what is folded changes nothing.
func Fold(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if f, ok := foldings[r]; ok {
			r = f
		}
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mc, r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		case r == '\'' || r == '’' || unicode.Is(unicode.Mn, r): // don't; e and a combining accent
		default:
			gap = true
		}
	}
	return b.String()
}

// Words takes text apart into the words by which it is found, folded, each
// once and in the order of the text. The same function serves what is searched
// and what is searched for.
func Words(s string) []string {
	var words []string
	seen := map[string]bool{}
	for word := range strings.FieldsSeq(Fold(s)) {
		if letters := []rune(word); len(letters) > MaxWord {
			word = string(letters[:MaxWord])
		}
		if !seen[word] {
			seen[word] = true
			words = append(words, word)
		}
	}
	return words
}

// QueryWords is Words for what somebody searches for: the first MaxQueryWords.
func QueryWords(s string) []string {
	words := Words(s)
	return words[:min(len(words), MaxQueryWords)]
}
