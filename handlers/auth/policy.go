package auth

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"lectern/db/school"
)

const (
	// MinPassword is what NIST SP 800-63B-4 §3.1.1.2 asks of a password that
	// is used alone, in characters (code points). ASVS 6.2.1 advises the same.
	MinPassword = 15
	// MaxPassword is far above the 64 that must be allowed (ASVS 6.2.9) and
	// low enough that nobody sends us a novel to hash.
	MaxPassword = 1024

	// demoPassword is printed on the sign-in page.
	demoPassword = "open sesame please"

	// leftover is how much of a password must be its own once everything
	// that is tried first has been taken out of it.
	leftover = 8
)

// siteWords are the words that belong to this site and to signing in, which
// make a guess and not a secret (ASVS 6.1.2, 6.2.11).
var siteWords = []string{
	"lectern", "password", "passphrase", "passwort", "secret", "login", "signin", "welcome", "hello",
	"student", "instructor", "teacher", "admin", "administrator", "root", "user", "guest", "test", "demo",
	"course", "courses", "lesson", "school", "academy", "university", "learning",
	"wristband", "ticket", "cookie", "session", "sessions",
}

//go:embed common.txt
var commonText string

// common holds words and phrases as tidy writes them.
var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			set[tidy(line)] = true
		}
	}
	return set
})

// CheckNew says whether a new password is good enough, and if not why, as a
// *[school.Invalid] of the field "password". The context is what is known of
// the person: the name, the e-mail address.
//
// The rules are those of NIST SP 800-63B-4 §3.1.1.2 and ASVS 6.2: at least
// [MinPassword] characters of any kind, no rules about which, and nothing that
// is commonly used, expected or compromised, with the reason given.
//
// The usual lists of the most common passwords cannot be that blocklist here:
// hardly an entry in ten thousand is 15 characters long. Those that are, are
// short ones made long: doubled, tripled, joined, padded with a year, walked
// along the keyboard. So the check takes such padding away and looks at what
// is left; the embedded list holds the words that it takes away, and the
// famous phrases that are long already.
func CheckNew(password string, context ...string) error {
	if reason := refuseNew(password, context); reason != "" {
		return &school.Invalid{Field: "password", Reason: reason}
	}
	return nil
}

func refuseNew(password string, context []string) string {
	if len(password) > maxBytes {
		return fmt.Sprintf("A password has at most %d characters.", MaxPassword)
	}
	// UAX #15 §12.1, to which NIST refers: a form is only stable over time
	// for characters that Unicode has already assigned.
	if !utf8.ValidString(password) || strings.ContainsFunc(password, func(r rune) bool { return unicode.Is(unicode.Cn, r) }) {
		return "This has a character that we could not read the same way again. Leave it out, please."
	}
	switch n := utf8.RuneCount(normalise(password)); {
	case n < MinPassword:
		return fmt.Sprintf("A password has at least %d characters; this has %d. Four or five words that do not belong together are easy to remember.", MinPassword, n)
	case n > MaxPassword:
		return fmt.Sprintf("A password has at most %d characters; this has %d.", MaxPassword, n)
	}
	tidied := tidy(password)
	if tidied == tidy(demoPassword) {
		return "This is the password of the demo accounts, which everybody knows. Choose one that only you know."
	}
	for _, s := range []string{norm.NFKC.String(strings.ToLower(password)), tidied} {
		if utf8.RuneCountInString(s) < leftover {
			continue // nearly all signs: there is nothing in it to judge
		}
		if repeats(s) {
			return "This is one short piece said again and again, which is guessed early. Choose something that does not repeat."
		}
		if n, _ := own([]rune(s), nil); n < leftover {
			return "This walks along the keyboard or the alphabet, which is guessed early. Choose words instead."
		}
	}
	personal := contextWords(context)
	for _, s := range []string{tidied, unleet(tidied)} {
		if n, words := own([]rune(s), personal); words && n < leftover {
			return "This is mostly your name, your address or words of this site, which are tried first. Choose something that nobody would connect with you."
		}
		if n, words := own([]rune(s), personal, common()); words && n < leftover {
			return "This is on the list of passwords that many people use, which are tried first. Choose something that is yours alone."
		}
	}
	return ""
}

// tidy makes different ways of writing one guess the same: lower case, without
// spaces and ASCII signs. It is for comparing only; what is hashed stays as
// it was typed.
func tidy(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("@$", r) {
			return -1
		}
		return r
	}, norm.NFKC.String(strings.ToLower(s)))
}

// unleet reads digits and signs as the letters that they are often put for,
// unless there is nothing but digits.
func unleet(s string) string {
	if strings.ContainsFunc(s, unicode.IsLetter) {
		return leet.Replace(s)
	}
	return s
}

var leet = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "0", "o", "$", "s", "5", "s", "7", "t")

// contextWords are the words of what is known of a person: the parts of the
// name and of the address, and each of them run together.
func contextWords(context []string) map[string]bool {
	words := map[string]bool{}
	add := func(s string) {
		if s = tidy(s); utf8.RuneCountInString(s) >= 3 {
			words[s] = true
		}
	}
	for _, w := range siteWords {
		add(w)
	}
	for _, c := range context {
		local, domain, isAddress := strings.Cut(c, "@")
		add(c)
		add(local)
		for _, part := range strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) }) {
			add(part)
		}
		if isAddress {
			for part := range strings.SplitSeq(domain, ".") {
				add(part)
			}
		}
	}
	return words
}

// repeats reports whether s is one piece over and over, where the piece would
// be too short to be a password itself.
func repeats(s string) bool {
	runes := []rune(s)
	for period := 1; period < MinPassword && period <= len(runes)/2; period++ {
		same := true
		for i := period; i < len(runes) && same; i++ {
			same = runes[i] == runes[i-period]
		}
		if same {
			return true
		}
	}
	return false
}

// own counts the characters of s that are the person's own: those that remain
// when runs and the given words are cut out in the best way. A run counts as
// one character. When words have been cut out digits and signs count for
// nothing, since they are what people pad with.
func own(s []rune, dictionaries ...map[string]bool) (n int, words bool) {
	longest := 0
	for _, d := range dictionaries {
		for w := range d {
			longest = max(longest, utf8.RuneCountInString(w))
		}
	}
	// least[i] is the cheapest way through s[i:]. Letters count much more
	// than padding so that one pass serves both counts.
	type way struct {
		letters, padding int
		words            bool
	}
	cheaper := func(a, b way) bool {
		if a.letters != b.letters {
			return a.letters < b.letters
		}
		return a.padding < b.padding
	}
	least := make([]way, len(s)+1)
	for i := len(s) - 1; i >= 0; i-- {
		best := least[i+1]
		if isPadding(s[i]) {
			best.padding++
		} else {
			best.letters++
		}
		if r := run(s[i:]); r >= 4 {
			w := least[i+r]
			w.padding++
			if cheaper(w, best) {
				best = w
			}
		}
		for l := 3; l <= min(longest, len(s)-i); l++ {
			part := string(s[i : i+l])
			for _, d := range dictionaries {
				if w := least[i+l]; d[part] && cheaper(w, best) {
					w.words = true
					best = w
				}
			}
		}
		least[i] = best
	}
	if least[0].words {
		return least[0].letters, true
	}
	return least[0].letters + least[0].padding, false
}

func isPadding(r rune) bool { return r < utf8.RuneSelf && !unicode.IsLetter(r) }

// walks are the ways on which neighbours follow one another.
var walks = []string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890", "!@#$%^&*()_+",
	"qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "!qaz", "@wsx", "#edc", "$rfv",
}

// run measures the walk that s begins with, in either direction, or the
// repetition of one character.
func run(s []rune) int {
	longest := 1
	for longest < len(s) && s[longest] == s[0] {
		longest++
	}
	for _, walk := range walks {
		at := strings.IndexRune(walk, s[0])
		if at < 0 {
			continue
		}
		for _, step := range []int{1, -1} {
			n := 1
			for p := at + step; n < len(s) && p >= 0 && p < len(walk) && s[n] == rune(walk[p]); p += step {
				n++
			}
			longest = max(longest, n)
		}
	}
	return longest
}
