package handlers

import (
	"fmt"
	"strings"

	"github.com/piglig/go-qr"
)

// qrCode draws an address for the cameras of telephones: how many modules a side
// has, and the outline of the dark ones.
func qrCode(text string) (size int, path string, err error) {
	code, err := go_qr.EncodeText(text, go_qr.Medium)
	if err != nil {
		return 0, "", err
	}
	var b strings.Builder
	for y := range code.Size() {
		for x := 0; x < code.Size(); x++ {
			from := x
			for x < code.Size() && code.Module(x, y) {
				x++
			}
			if n := x - from; n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, n, n)
			}
		}
	}
	return code.Size(), b.String(), nil
}
