package token

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func TestMAC_isHS256OneTokenAfterTheOther(t *testing.T) {
	secret := bytes.Repeat([]byte("secret-of-32-byt"), 2)
	m := newMAC(secret)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 200 {
				signed := strings.Repeat("a.b", n)
				want, err := jwt.SigningMethodHS256.Sign(signed, secret)
				if err != nil {
					t.Error(err)
				}
				if got, err := m.Sign(signed, nil); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes are signed with %x, %v; HS256 is %x", len(signed), got, err, want)
				}
				if err := m.Verify(signed, want, nil); err != nil {
					t.Errorf("a good signature of %d bytes is refused: %v", len(signed), err)
				}
				for _, bad := range [][]byte{nil, want[:31], append(bytes.Clone(want), 0), append([]byte{want[0] ^ 1}, want[1:]...)} {
					if m.Verify(signed, bad, nil) == nil {
						t.Errorf("%x is taken for the signature %x", bad, want)
					}
				}
			}
		})
	}
	wg.Wait()
}
