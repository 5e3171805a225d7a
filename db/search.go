package db

import (
	"context"
	"strings"
	"unicode/utf8"
)

// wordIndex is a table of the words by which rows are found.
type wordIndex struct {
	table string
	id    string // its column with the row's id
}

var (
	courseWords = wordIndex{"course_words", "course_id"}
	userWords   = wordIndex{"user_words", "user_id"}
)

// A word of a query finds every word that it begins. Both are ordered by their
// bytes, so those are the words from it up to, but without, it and the last of
// all letters. Nothing in it has a meaning to SQL.
const afterAll = string(utf8.MaxRune)

// search is a query's words as one of the tables of words sees them.
//
// There are two ways to find a page of rows that have all the words. If one word
// is rare, at most maxRare rows have it: they are taken from the table of words,
// and sorted. If all of them are frequent, the rows are read in the order of the
// page and looked at one after another until the page is full.
//
// That is soon if many rows have all the words, and never if none has. So the
// catalogue looks at no more than maxLooked courses for one page (see window);
// a page may then be short, even empty, and still have a next one, which goes on
// from there. The list of people has no such bound: two frequent words that
// nobody has both of are looked for in everybody.
type search struct {
	index wordIndex
	words []string // the rarest first
	rare  bool     // whether the first of them is rare
}

// search prepares to look for words.
func (d *DB) search(ctx context.Context, index wordIndex, words []string) (search, error) {
	s := search{index: index, words: words}
	if len(words) == 0 {
		return s, nil
	}
	var b builder
	b.add("SELECT ")
	for i, word := range words {
		if i > 0 {
			b.add(", ")
		}
		b.add("(SELECT COUNT(*) FROM (SELECT 1 FROM "+index.table+" WHERE word >= ? AND word < ? LIMIT ?) AS found)",
			word, word+afterAll, maxRare+1)
	}
	counts, err := one(ctx, d, b.query("count words"), func(row scanner) ([]int, error) {
		counts := make([]int, len(words))
		dest := make([]any, len(words))
		for i := range counts {
			dest[i] = &counts[i]
		}
		return counts, row.Scan(dest...)
	}, b.args...)
	if err != nil {
		return search{}, err
	}
	rarest := 0
	for i, n := range counts {
		if n < counts[rarest] {
			rarest = i
		}
	}
	words[0], words[rarest] = words[rarest], words[0]
	s.rare = counts[rarest] <= maxRare
	return s, nil
}

// from adds the tables to read, the outermost first: the table under its alias,
// and before it the rare word if there is one. CROSS JOIN is what keeps SQLite
// to that order.
func (s search) from(b *builder, table, alias string) {
	b.add(" FROM ")
	if s.rare {
		b.add("(SELECT DISTINCT "+s.index.id+" AS id FROM "+s.index.table+" WHERE word >= ? AND word < ?) AS found CROSS JOIN ",
			s.words[0], s.words[0]+afterAll)
	}
	b.add(table + " AS " + alias)
}

// where adds the conditions that a row of alias has the words.
func (s search) where(b *builder, alias string) {
	words := s.words
	if s.rare {
		b.add(" AND " + alias + ".id = found.id")
		words = words[1:]
	}
	for _, word := range words {
		b.add(" AND EXISTS (SELECT 1 FROM "+s.index.table+" AS w WHERE w."+s.index.id+" = "+alias+".id AND w.word >= ? AND w.word < ?)",
			word, word+afterAll)
	}
}

// tuple is a row of n parameters.
func tuple(n int) string {
	return "(" + strings.Repeat("?, ", n-1) + "?)"
}
