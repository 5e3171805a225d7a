package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Code is a number of eight digits that is sent to somebody: 26 bits, of which a
// flow bears five guesses (ASVS 6.5.4, 6.6.3).
type Code string

const codeDigits, codeNumbers = 8, 100_000_000

// newCode draws a code, each as likely as any other: numbers past the last whole
// multiple are drawn anew (ASVS 6.5.3).
func newCode(random io.Reader) (Code, error) {
	const fair = (1 << 32) / codeNumbers * codeNumbers
	var raw [4]byte
	for {
		if _, err := io.ReadFull(random, raw[:]); err != nil {
			return "", fmt.Errorf("auth: random numbers: %w", err)
		}
		if n := binary.BigEndian.Uint32(raw[:]); n < fair {
			return Code(fmt.Sprintf("%0*d", codeDigits, n%codeNumbers)), nil
		}
	}
}

// Spaced is the code as people read it: two groups of four.
func (c Code) Spaced() string {
	if len(c) != codeDigits {
		return string(c)
	}
	return string(c[:4]) + " " + string(c[4:])
}

// parseCode reads what somebody typed, with the spaces that they saw. What is no code
// is empty, which matches nothing.
func parseCode(typed string) Code {
	return Code(digitsOf(typed, codeDigits))
}

// digitsOf are the digits of what was typed, if there are exactly so many and nothing
// beside them but spaces and dashes.
func digitsOf(typed string, n int) string {
	digits := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\u00a0', '\t':
			return -1
		}
		return r
	}, typed)
	if len(digits) != n || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return ""
	}
	return digits
}

// hash is what a flow keeps of its code.
func (c Code) hash(browser Browser, flow FlowID) string {
	return hex.EncodeToString(c.mac(browser, flow))
}

func (c Code) mac(browser Browser, flow FlowID) []byte {
	mac := hmac.New(sha256.New, []byte(browser))
	mac.Write([]byte("code\x00" + string(flow) + "\x00" + string(c)))
	return mac.Sum(nil)
}

func (c Code) matches(hash string, browser Browser, flow FlowID) bool {
	want, err := hex.DecodeString(hash)
	return err == nil && c != "" && hmac.Equal(want, c.mac(browser, flow))
}
