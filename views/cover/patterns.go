package cover

import (
	"math"
	"slices"
	"strings"
)

var patterns = [8]func(*sheet){moire, fall, truchet, guilloche, blocks, halftone, squeeze, scales}

// moire is two families of rings, and one solid disc where they meet.
func moire(s *sheet) {
	x1, y1 := s.from(70, 80), s.from(60, 80)
	x2, y2 := x1+70+float64(s.next()*60), s.from(50, 100)
	s.draw(`<circle cx="%v" cy="%v" r="%v" fill="%s"/>`, num((x1+x2)/2), num((y1+y2)/2), num(s.from(26, 12)), s.accent)
	s.draw(`<g fill="none" stroke="%s" stroke-width="1.6">`, s.figure)
	for _, centre := range [][2]float64{{x1, y1}, {x2, y2}} {
		for i := 1; i <= 34; i++ {
			s.draw(`<circle cx="%v" cy="%v" r="%d"/>`, num(centre[0]), num(centre[1]), i*7)
		}
	}
	s.draw(`</g>`)
}

// fall is ruled lines that bend as if a hand were drawn across them.
func fall(s *sheet) {
	half, amplitude, phase := s.from(32, 20), s.from(22, 14), s.next()
	hot := 8 + s.below(14)
	waves := strings.Repeat("t"+num(half).String()+" 0", int(math.Ceil(width/half))+4)
	s.draw(`<g fill="none" stroke-width="3.4">`)
	for i := -5; i < 33; i++ {
		rise := amplitude * math.Sin(math.Pi*float64(i+5)/38)
		x := float64(-half*2*phase) - float64(half*float64(.9*math.Sin(float64(i)/7)))
		colour := s.figure
		if i == hot || i == hot+1 {
			colour = s.accent
		}
		s.draw(`<path d="M%v %vq%v %v %v 0%s" stroke="%s"/>`, num(x-half), num(i*7), num(half/2), num(-rise), num(half), waves, colour)
	}
	s.draw(`</g>`)
}

// truchet is one tile of nested quarter-circles, turned or not by a coin.
func truchet(s *sheet) {
	const side = 40
	s.draw(`<defs><g id="t" fill="none" stroke="%s" stroke-width="4.2">`, s.figure)
	for _, q := range []int{10, 20, 30} {
		s.draw(`<path d="M%[1]d 0a%[1]d %[1]d 0 0 1-%[1]d %[1]dM%[2]d %[3]da%[1]d %[1]d 0 0 1 %[1]d-%[1]d"/>`, q, side-q, side)
	}
	s.draw(`</g></defs>`)
	hotX, hotY := 1+s.below(6), 1+s.below(3)
	for y := range 5 {
		for x := range 8 {
			turned := s.chance(.5)
			if x == hotX && y == hotY {
				s.draw(`<circle cx="%d" cy="%d" r="20" fill="%s"/>`, x*side+20, y*side+20, s.accent)
				continue
			}
			turn := ""
			if turned {
				turn = " rotate(90 20 20)"
			}
			s.draw(`<use href="#t" transform="translate(%d %d)%s"/>`, x*side, y*side, turn)
		}
	}
}

// guilloche is the engine-turned rosette of a banknote.
func guilloche(s *sheet) {
	x, y := s.from(110, 100), s.from(80, 40)
	rosette := func(rx, ry float64, petals int, colour string, stroke float64) {
		s.draw(`<g fill="none" stroke="%s" stroke-width="%v">`, colour, num(stroke))
		for i := range petals {
			turn := float64(i*180) / float64(petals)
			s.draw(`<ellipse cx="%[1]v" cy="%[2]v" rx="%[3]v" ry="%[4]v" transform="rotate(%[5]v %[1]v %[2]v)"/>`, num(x), num(y), num(rx), num(ry), num(turn))
		}
		s.draw(`</g>`)
	}
	inner := s.from(28, 22)
	rosette(230, 100, 36, s.figure, .8)
	rosette(92, inner, 18, s.accent, 1.3)
	rosette(inner-6, inner/3, 12, s.figure, 1.1)
}

// blocks is tumbling blocks: one face solid, one ruled, one bare; a few of
// them lit.
func blocks(s *sheet) {
	const side = 20
	half := side * math.Sqrt(3) / 2
	var solid, ruled, lit sheet
	for j := -1; j < 8; j++ {
		for i := -1; i < 11; i++ {
			x, y := float64(float64(i)*half*2), float64(j*30+10)
			if j&1 == 1 {
				x += half
			}
			if s.chance(.09) {
				lit.draw("M%v %vl%v %vl%v %vl%v %vz", num(x), num(y-side), num(half), num(side/2), num(-half), num(side/2), num(-half), num(-side/2))
			}
			solid.draw("M%v %vv%dl%v %vv%dz", num(x-half), num(y-side/2), side, num(half), num(side/2), -side)
			for k := 1; k < 5; k++ {
				ruled.draw("M%v %vv%d", num(x+half*float64(k)/5), num(y-side*float64(k)/10), side)
			}
		}
	}
	s.draw(`<path d="%s" fill="%s"/>`, &solid, s.figure)
	s.draw(`<path d="%s" stroke="%s" stroke-width="1.1" fill="none"/>`, &ruled, s.figure)
	s.draw(`<path d="%s" fill="%s"/>`, &lit, s.accent)
}

// halftone is a grid of dots that swell towards a light somewhere on the
// sheet, or away from it.
func halftone(s *sheet) {
	const step = 16
	lightX, lightY := s.from(60, 200), s.from(40, 120)
	away := s.chance(.5)
	s.draw(`<g fill="%s">`, s.figure)
	for row := range 13 {
		for column := range 21 {
			x, y := column*step+row&1*step/2, row*step+4
			far := min(1, math.Hypot(float64(x)-lightX, float64(y)-lightY)/190)
			r := 8.8 - float64(8*far)
			if away {
				r = .8 + float64(8*far)
			}
			s.draw(`<circle cx="%d" cy="%d" r="%v"/>`, x, y, num(r))
		}
	}
	s.draw(`</g><circle cx="%v" cy="%v" r="20" fill="%s"/>`, num(lightX), num(lightY), s.accent)
}

// squeeze is a chequerboard whose columns narrow into a fold.
func squeeze(s *sheet) {
	const (
		rows   = 8
		square = height / rows
	)
	type column struct{ x, w float64 }
	wider := func(w float64) float64 { return min(26, float64(w*1.17)) }

	fold := s.from(90, 140)
	var left, right []column
	for x, w := fold, 2.6; x < width; x, w = x+w, wider(w) {
		right = append(right, column{x, w})
	}
	for x, w := fold, 2.6; x > 0; w = wider(w) {
		x -= w
		left = append(left, column{x, w})
	}
	slices.Reverse(left)

	var board sheet
	for i, c := range append(left, right...) {
		for row := i & 1; row < rows; row += 2 {
			board.draw("M%v %dh%vv%dh%vz", num(c.x), row*square, num(c.w), square, num(-c.w))
		}
	}
	s.draw(`<path d="%s" fill="%s"/>`, &board, s.figure)
	s.draw(`<path d="M%v 0v%d" stroke="%s" stroke-width="3"/>`, num(fold), height, s.accent)
}

// scales is overlapping fans, about one in seven of them coloured.
func scales(s *sheet) {
	const radius = 32
	shift := 1
	if s.chance(.5) {
		shift = 0
	}
	s.draw(`<defs><g id="f" stroke="%s" stroke-width="2.2">`, s.figure)
	s.draw(`<circle r="%d"/><circle r="23"/><circle r="14.5"/><circle r="6" fill="%s"/></g></defs>`, radius, s.figure)
	for j := -1; j < 9; j++ {
		for i := -1; i < 7; i++ {
			x, y := i*radius*2, float64(float64(j)*radius*.8)+20
			if (j+shift)&1 == 1 {
				x += radius
			}
			colour := s.ground
			if s.chance(.14) {
				colour = s.accent
			}
			s.draw(`<use href="#f" x="%d" y="%v" fill="%s"/>`, x, num(y), colour)
		}
	}
}
