package token

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestParseKeys_refusesWeakKeysByTheirName(t *testing.T) {
	t.Attr("asvs", "11.2.3")
	secret := strings.TrimPrefix(testKey, "test:")
	const other = "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmFaWVhXVlU"
	for _, row := range []struct {
		what, keys, says string
	}{
		{"nothing", "", "kid:base64url"},
		{"a secret without a kid", secret, "kid:base64url"},
		{"a kid without a secret", "k:", `key "k" has 0 bytes`},
		{"an empty kid", ":" + secret, "kid:base64url"},
		{"a kid with a slash", "a/b:" + secret, "kid:base64url"},
		{"a secret in the place of its kid", secret + ":k", "kid:base64url"},
		{"31 bytes", "k:" + encoded(testSecret[:31]), `key "k" has 31 bytes; HS256 needs at least 32`},
		{"not base64url", "k:" + strings.Repeat("!", 43), `key "k" is not base64url`},
		{"the other base64", "k:" + strings.Repeat("+/", 22), `key "k" is not base64url`},
		{"one byte repeated", "k:" + encoded(strings.Repeat("x", 32)), `key "k" is one byte repeated`},
		{"all zeros", "k:" + encoded(strings.Repeat("\x00", 64)), `key "k" is one byte repeated`},
		{"one kid twice", "k:" + secret + ",k:" + other, `key "k" is there twice`},
		{"one secret twice", "a:" + secret + ",b:" + secret, `key "b" is there twice`},
		{"a comma at the end", "k:" + secret + ",", "kid:base64url"},
		{"a weak key behind a good one", "a:" + secret + ",b:c2hvcnQ", `key "b" has 5 bytes`},
	} {
		t.Run(row.what, func(t *testing.T) {
			keys, err := ParseKeys(HS256, row.keys)
			if err == nil || len(keys.all) > 0 {
				t.Fatalf("accepted: %d keys, %v", len(keys.all), err)
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("it says %q, want %q", err, row.says)
			}
			for entry := range strings.SplitSeq(row.keys, ",") {
				if _, value, _ := strings.Cut(entry, ":"); len(value) > 4 && strings.Contains(err.Error(), value) {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

// An EdDSA key is a seed, of exactly its length.
func TestParseKeys_refusesWhatIsNoSeed(t *testing.T) {
	t.Attr("asvs", "11.2.3")
	secret := strings.TrimPrefix(testKey, "test:")
	for _, row := range []struct {
		what, keys, says string
	}{
		{"nothing", "", "kid:base64url"},
		{"a kid without a seed", "k:", `key "k" has 0 bytes`},
		{"31 bytes", "k:" + encoded(testSecret[:31]), `key "k" has 31 bytes; the seed of an EdDSA key has 32`},
		{"33 bytes, which HS256 would take", "k:" + encoded(testSecret+"x"), `key "k" has 33 bytes`},
		{"a seed with its public key behind it", "k:" + encoded(string(pair(testSecret))), `key "k" has 64 bytes`},
		{"one byte repeated", "k:" + encoded(strings.Repeat("x", 32)), `key "k" is one byte repeated`},
		{"one seed twice", "a:" + secret + ",b:" + secret, `key "b" is there twice`},
		{"one kid twice", "k:" + secret + ",k:" + secret, `key "k" is there twice`},
	} {
		if keys, err := ParseKeys(EdDSA, row.keys); err == nil || len(keys.all) > 0 || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", row.what, err, row.says)
		}
	}
}

func TestParseAlgorithm_knowsTwo(t *testing.T) {
	files := map[string]bool{}
	for _, name := range []string{"HS256", "EdDSA"} {
		algorithm, err := ParseAlgorithm(name)
		if err != nil || string(algorithm) != name || files[algorithm.FileName()] {
			t.Errorf("%s: %q in %q, %v", name, algorithm, algorithm.FileName(), err)
		}
		files[algorithm.FileName()] = true
	}
	for _, name := range []string{"", "none", "hs256", "eddsa", "HS512", "RS256", "Ed25519", "HS256 "} {
		if algorithm, err := ParseAlgorithm(name); err == nil || algorithm != "" {
			t.Errorf("%q is taken for %q", name, algorithm)
		}
	}
}

func TestParseKeys_keepsTheirOrder(t *testing.T) {
	keys, err := ParseKeys(HS256, " b:"+encoded(testSecret)+" , a:"+encoded(testSecret+"more")+"==\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := keys.signing(); got.ID != "b" || string(got.secret) != testSecret {
		t.Errorf("%q signs", got.ID)
	}
	if keys.find("a") == nil {
		t.Error("the second key is not found")
	}
}

func TestNewKey_isGoodAndNeverTheSame(t *testing.T) {
	one, err1 := NewKey(rand.Reader)
	two, err2 := NewKey(rand.Reader)
	if err1 != nil || err2 != nil || one == two {
		t.Fatalf("%v, %v, the same: %v", err1, err2, one == two)
	}
	if _, err := ParseKeys(HS256, one+","+two); err != nil {
		t.Error(err)
	}
	if _, err := NewKey(bytes.NewReader(make([]byte, 10))); err == nil {
		t.Error("a key is drawn although randomness has run out")
	}
}

func TestLoadKeys_makesOneFileForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	const servers = 8
	got := make([]Keys, servers)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			keys, err := LoadKeys(HS256, path, rand.Reader)
			if err != nil {
				t.Error(err)
			}
			got[i] = keys
		})
	}
	wg.Wait()
	for _, keys := range got[1:] {
		if !keys.same(&got[0]) {
			t.Error("two servers that start at once read different keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the keys file has the mode %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}

func TestLoadKeys_refusesAFileThatOthersMayRead(t *testing.T) {
	t.Attr("asvs", "13.3.1")
	path := filepath.Join(t.TempDir(), "jwt.keys")
	for _, mode := range []fs.FileMode{0o604, 0o640, 0o644, 0o666, 0o620, 0o601} {
		if err := os.WriteFile(path, []byte(testKey), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKeys(HS256, path, rand.Reader)
		if err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKeys(HS256, path, rand.Reader); err != nil {
		t.Errorf("mode 0400: %v", err)
	}
}

func TestLoadKeys_leavesABadFileAsItIs(t *testing.T) {
	for what, text := range map[string]string{"empty": "", "cut short": testKey[:20], "a folder's worth of spaces": "  \n"} {
		path := filepath.Join(t.TempDir(), "jwt.keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(HS256, path, rand.Reader); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != text {
			t.Errorf("%s: the file was changed to %q, %v", what, left, err)
		}
	}
	if _, err := LoadKeys(HS256, filepath.Join(t.TempDir(), "missing", "jwt.keys"), rand.Reader); err == nil {
		t.Error("a folder that is not there: no error")
	}
}
