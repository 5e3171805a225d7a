// Package cover draws the covers of the courses.
//
// A cover is a pure function of the course's slug: the same slug gives the
// same bytes, for ever and on every machine, so that browsers may keep it for
// ever as well. The FNV-1a hash of the slug chooses one of eight patterns and
// one of eight cloths, and seeds the random numbers that the pattern draws
// with. The order in which a pattern asks for them is part of the format.
//
// Products are wrapped in float64(…) where something is added to them: the
// language allows a machine to round the two operations at once, and some do.
package cover

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
)

// The box that a cover is drawn in.
const (
	width  = 320
	height = 200
)

// cloth is what a book is bound in: a colour for the ground, one for the
// figure on it, and an accent.
type cloth struct{ ground, figure, accent string }

// cloths do not change with the theme: a cover is a printed thing.
var cloths = [8]cloth{
	{"#1e2b4a", "#ede4d0", "#d49a35"}, {"#ede4d0", "#1e2b4a", "#a3332f"},
	{"#6b2028", "#efd5c0", "#d49a35"}, {"#b9c4ae", "#1f3d36", "#f3ecda"},
	{"#cf9a3c", "#22222c", "#f3ecda"}, {"#1f3d36", "#b9c4ae", "#d9785f"},
	{"#c7d1da", "#1e2b4a", "#a3332f"}, {"#e6c6b1", "#6b2028", "#1e2b4a"},
}

// SVG draws the cover of the course whose slug this is.
func SVG(slug string) []byte {
	hash := fnv.New32a()
	hash.Write([]byte(slug))
	h := hash.Sum32()

	s := sheet{cloth: cloths[h>>8%8], random: newRandom(h)}
	s.draw(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" preserveAspectRatio="xMidYMid slice">`, width, height)
	s.draw(`<rect width="%d" height="%d" fill="%s"/>`, width, height, s.ground)
	patterns[h%8](&s)
	s.draw("</svg>\n")
	return s.Bytes()
}

// sheet is a cover while it is being drawn.
type sheet struct {
	bytes.Buffer
	cloth
	random
}

// draw appends SVG to the sheet, as fmt.Printf would.
func (s *sheet) draw(format string, args ...any) { fmt.Fprintf(s, format, args...) }

// random is Marsaglia's xorshift generator of 32 bits.
type random uint32

// newRandom seeds a generator. Its state is never zero, where it would stay.
func newRandom(seed uint32) random { return random(max(seed, 1)) }

// next is a number from 0 up to 1.
func (r *random) next() float64 {
	*r ^= *r << 13
	*r ^= *r >> 17
	*r ^= *r << 5
	return float64(*r) / (1 << 32)
}

// from is a number from low up to low + span.
func (r *random) from(low, span float64) float64 { return low + float64(r.next()*span) }

// below is a whole number from 0 up to n.
func (r *random) below(n int) int { return int(r.next() * float64(n)) }

// chance is true with probability p.
func (r *random) chance(p float64) bool { return r.next() < p }

// num prints a number with at most one decimal, rounded half up.
type num float64

func (v num) String() string {
	tenths := math.Floor(float64(v*10) + .5)
	if tenths == 0 {
		return "0" // not -0
	}
	return strconv.FormatFloat(tenths/10, 'f', -1, 64)
}
