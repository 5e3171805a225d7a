package handlers

import (
	"slices"
	"strings"

	"lectern/views"
)

// maxCompared bounds the work of comparing two texts: lines of one times lines
// of the other, after what is the same at both ends is taken off.
const maxCompared = 1 << 20

// compareLines says line by line what stands in only one of two texts. Where
// the texts differ in more lines than can be compared in a moment, all of them
// are said to differ, which is true enough to decide by.
func compareLines(mine, theirs string) []views.DiffLine {
	a, b := strings.Split(mine, "\n"), strings.Split(theirs, "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var d difference
	d.same(head)
	d.compare(a[head:len(a)-tail], b[head:len(b)-tail])
	d.same(tail)
	return d.lines
}

type difference struct{ lines []views.DiffLine }

// same adds lines that both texts have, of which only the number is shown.
func (d *difference) same(n int) {
	if n == 0 {
		return
	}
	if last := len(d.lines) - 1; last >= 0 && d.lines[last].In == views.InBoth {
		d.lines[last].Same += n
		return
	}
	d.lines = append(d.lines, views.DiffLine{In: views.InBoth, Same: n})
}

func (d *difference) only(in views.DiffSide, lines ...string) {
	for _, line := range lines {
		d.lines = append(d.lines, views.DiffLine{In: in, Text: line})
	}
}

// compare finds the longest run of lines that both have in this order, by the
// book: common[i][j] is how many a[i:] and b[j:] have in common.
func (d *difference) compare(a, b []string) {
	if len(a)*len(b) > maxCompared {
		d.only(views.InTheirs, b...)
		d.only(views.InMine, a...)
		return
	}
	width := len(b) + 1
	common := make([]int32, (len(a)+1)*width)
	for i, line := range slices.Backward(a) {
		for j, other := range slices.Backward(b) {
			if line == other {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			d.same(1)
			i, j = i+1, j+1
		case common[i*width+j+1] >= common[(i+1)*width+j]:
			d.only(views.InTheirs, b[j])
			j++
		default:
			d.only(views.InMine, a[i])
			i++
		}
	}
	d.only(views.InTheirs, b[j:]...)
	d.only(views.InMine, a[i:]...)
}
