package school

import (
	"errors"
	"io"
	"strings"
)

// The errors of a class of the session lab. All of them are conflicts (409): what
// was asked for is fine, and does not fit how things stand.
var (
	// ErrClassOver: the class has been ended, or is older than a day.
	ErrClassOver = errors.New("school: the class is over")
	// ErrClassMoved: another question is asked by now, or none.
	ErrClassMoved = errors.New("school: the class has moved on")
	// ErrClassFull: as many people as a class holds have predicted in it.
	ErrClassFull = errors.New("school: the class is full")
	// ErrTooManyClasses: the person has as many open classes as one may have.
	ErrTooManyClasses = errors.New("school: too many open classes")
	// ErrCodeTaken: another class has this code.
	ErrCodeTaken = errors.New("school: the code of the class is taken")
)

// ClassCode is what people type to come into a class. It is read from the back
// wall, so no two of its signs look alike (no 0 and O, 1 and I, 2 and Z, 5 and S,
// 8 and B, G and 6, U and V), and none is a vowel, so that it spells no word.
//
// There are 3.2 million. Whoever guesses finds one of ten open classes in 320,000
// tries; the site lets nobody have so many in the day that a class lives.
type ClassCode string

const (
	classCodeSigns  = "34679CDFHJKMNPRTVWXY"
	classCodeLength = 5
)

// NewClassCode draws a code from random.
func NewClassCode(random io.Reader) (ClassCode, error) {
	const fair = 256 / len(classCodeSigns) * len(classCodeSigns) // a byte above it would favour the first signs
	code := make([]byte, 0, classCodeLength)
	for len(code) < classCodeLength {
		var raw [1]byte
		if _, err := io.ReadFull(random, raw[:]); err != nil {
			return "", err
		}
		if int(raw[0]) < fair {
			code = append(code, classCodeSigns[int(raw[0])%len(classCodeSigns)])
		}
	}
	return ClassCode(code), nil
}

// ParseClassCode parses what somebody typed: in either case, with spaces or
// hyphens wherever they like.
func ParseClassCode(s string) (ClassCode, error) {
	if len(s) > 40 {
		return "", &Invalid{"code", "A code has five signs, such as K7M3P."}
	}
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\t", "", "\u00a0", "").Replace(s))
	switch {
	case code == "":
		return "", &Invalid{"code", "Type the code that you see on the screen in front."}
	case len(code) != classCodeLength:
		return "", &Invalid{"code", "A code has five signs, such as K7M3P."}
	case strings.Trim(code, classCodeSigns) != "":
		return "", &Invalid{"code", "Some sign of that is in no code. There are no vowels in codes, and no 0, 1, 2, 5 or 8."}
	}
	return ClassCode(code), nil
}
