package school_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"lectern/db/school"
)

func TestWords(t *testing.T) {
	for _, c := range []struct {
		situation string
		text      string
		want      []string
	}{
		{"nothing", "", nil},
		{"no words", " -- !? \t\n", nil},
		{"case and punctuation", "Sessions, and JWTs!", []string{"sessions", "and", "jwts"}},
		{"accents", "Ångström Žižek naïve", []string{"angstrom", "zizek", "naive"}},
		{"accents of their own", "e\u0301tude", []string{"etude"}},
		{"apostrophes", "don't l’eau", []string{"dont", "leau"}},
		{"digits", "RFC 9457", []string{"rfc", "9457"}},
		{"a word twice", "bread, Bread, BREAD", []string{"bread"}},
		{"an address", "ada@lectern.example", []string{"ada", "lectern", "example"}},
		{"other scripts", "Привет 世界", []string{"привет", "世界"}},
		{"what SQL knows", `100% _x 'q" \ *`, []string{"100", "x", "q"}},
		{"not UTF-8", "a\xffb", []string{"a", "b"}},
		{"a long word", strings.Repeat("é", 60), []string{strings.Repeat("e", school.MaxWord)}},
	} {
		t.Run(c.situation, func(t *testing.T) {
			if got := school.Words(c.text); !slices.Equal(got, c.want) {
				t.Errorf("Words(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

func TestQueryWords_takesTheFirst(t *testing.T) {
	got := school.QueryWords("a b c d e f g h i j")
	if want := strings.Fields("a b c d e f g h"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Ångström’s naïve café, e\u0301")
	f.Add("İstanbul \xff ǅ")
	f.Fuzz(func(t *testing.T, s string) {
		folded := school.Fold(s)
		if again := school.Fold(folded); again != folded {
			t.Errorf("Fold(%q) = %q, and folded again %q", s, folded, again)
		}
		if !utf8.ValidString(folded) || strings.TrimSpace(folded) != folded {
			t.Errorf("Fold(%q) = %q", s, folded)
		}
	})
}
