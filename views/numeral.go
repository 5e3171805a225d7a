package views

import "strconv"

// roman writes the number of a chapter as the outlines of the site do.
func roman(n int) string {
	if n <= 0 || n >= 4000 {
		return strconv.Itoa(n)
	}
	s := ""
	for _, digit := range []struct {
		value  int
		letter string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for n >= digit.value {
			s += digit.letter
			n -= digit.value
		}
	}
	return s
}
