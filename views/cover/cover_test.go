package cover_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lectern/views/cover"
)

// The files in testdata were drawn by the first implementation, in another
// language. A cover that has been published never changes.
func TestSVG_drawsWhatItAlwaysDrew(t *testing.T) {
	files, err := filepath.Glob("testdata/*.svg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no covers to compare with (%v)", err)
	}
	for _, file := range files {
		slug := strings.TrimSuffix(filepath.Base(file), ".svg")
		t.Run(slug, func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := cover.SVG(slug); !bytes.Equal(got, want) {
				t.Errorf("the cover has changed at byte %d of %d", differ(got, want), len(want))
			}
		})
	}
}

func differ(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestSVG_isWellFormedForAnySlug(t *testing.T) {
	for _, slug := range []string{"", "a", "untitled", `"><script>`, "ünïcode", strings.Repeat("x", 10_000)} {
		d := xml.NewDecoder(bytes.NewReader(cover.SVG(slug)))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("SVG(%.20q): %v", slug, err)
			}
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	for b.Loop() {
		cover.SVG("sessions")
	}
}
