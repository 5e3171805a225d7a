package token

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is one server on a keys file, with what it has logged.
type server struct {
	*Issuer
	ring *Keyring
	log  *bytes.Buffer
}

func newServer(t *testing.T, algorithm Algorithm, path string) *server {
	t.Helper()
	s := &server{log: &bytes.Buffer{}}
	var err error
	s.ring, err = OpenKeyring(algorithm, path, rand.Reader, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.Issuer = NewIssuer(Config{Keys: s.ring, Site: testIssuer, Now: func() time.Time { return noon }, Random: rand.Reader})
	return s
}

// signIn is a token of somebody who has just signed in.
func (s *server) signIn(t *testing.T) string {
	t.Helper()
	text, err := s.Sign(SessionUse, Claims{
		Common:  Common{Subject: ada, ID: "AAAAAAAAAAAAAAAAAAAAAA", IssuedAt: noon.Unix(), Expires: noon.Add(time.Hour).Unix(), AuthTime: noon.Unix(), Role: "student"},
		Methods: []string{"pwd"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (s *server) want(t *testing.T, what, text string, want Problem) {
	t.Helper()
	if _, got := read(s.Issuer, text); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func rotated(t *testing.T, algorithm Algorithm, path string, dropOld bool) Keys {
	t.Helper()
	keys, _, err := Rotate(algorithm, path, rand.Reader, dropOld)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestKeyring_takesNewKeysUpWhileItRuns(t *testing.T) {
	t.Attr("asvs", "11.2.2 13.3.4")
	for _, algorithm := range []Algorithm{HS256, EdDSA} {
		t.Run(string(algorithm), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), algorithm.FileName())
			s := newServer(t, algorithm, path)
			first := s.signIn(t)

			keys := rotated(t, algorithm, path, false)
			s.want(t, "an old token before the change is taken up", first, "")
			s.ring.Reload()
			second := s.signIn(t)
			s.want(t, "an old token after it", first, "")
			s.want(t, "a new token", second, "")
			if header, _ := parts(t, second); !strings.Contains(header, `"kid":"`+keys.all[0].ID+`"`) {
				t.Errorf("the new key %s does not sign: %s", keys.all[0].ID, header)
			}
			if got := s.ring.Keys(); !slices.Equal(got, []KeyInfo{{keys.all[0].ID, true}, {keys.all[1].ID, false}}) {
				t.Errorf("the keys in force are said to be %v", got)
			}

			rotated(t, algorithm, path, true)
			s.ring.Reload()
			s.want(t, "the first token after the old keys were dropped", first, UnknownKey)
			s.want(t, "the second", second, UnknownKey)
			s.want(t, "a third", s.signIn(t), "")
		})
	}
}

// Of two servers on one file, one hears of the new key first. Whoever signs in
// there is not signed out by the other.
func TestKeyring_looksAgainForAKeyThatItDoesNotKnow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	here, there := newServer(t, HS256, path), newServer(t, HS256, path)
	old := here.signIn(t)
	rotated(t, HS256, path, false)
	there.ring.Reload()
	here.want(t, "a token signed with a key that only the other server has read", there.signIn(t), "")
	here.want(t, "an old token", old, "")

	forged := forger{HS256}.head(forger{HS256}.header().with("kid", `"made-up"`))
	here.want(t, "a kid that somebody made up", forged, UnknownKey)
	rotated(t, HS256, path, false)
	there.ring.Reload()
	here.want(t, "a new key right after a kid that somebody made up", there.signIn(t), "")
}

func TestKeyring_doesNotReadTheFileForEveryKidThatSomebodyMakesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	s := newServer(t, HS256, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Were it read, it would be found broken.
	if err := os.WriteFile(path, bytes.Repeat([]byte("!"), len(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.want(t, "a kid that somebody made up", forger{HS256}.head(forger{HS256}.header().with("kid", `"made-up"`)), UnknownKey)
		s.ring.Reload()
	}
	if s.log.Len() > 0 {
		t.Errorf("the file was read: %s", s.log)
	}
}

func TestKeyring_keepsItsKeysWhenTheFileGoesBad(t *testing.T) {
	for what, spoil := range map[string]func(t *testing.T, path string) error{
		"open to others": func(_ *testing.T, path string) error { return os.Chmod(path, 0o644) },
		"cut short":      func(_ *testing.T, path string) error { return os.Truncate(path, 20) },
		"empty":          func(_ *testing.T, path string) error { return os.Truncate(path, 0) },
		"gone":           func(_ *testing.T, path string) error { return os.Remove(path) },
		"a folder now": func(_ *testing.T, path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		},
		"with a weak key": func(t *testing.T, path string) error {
			return os.WriteFile(path, []byte("weak:c2hvcnQ"), 0o600)
		},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jwt.keys")
			s := newServer(t, HS256, path)
			token := s.signIn(t)
			secret, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := spoil(t, path); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				s.ring.Reload()
				s.want(t, "a kid that somebody made up", forger{HS256}.head(forger{HS256}.header().with("kid", `"made-up"`)), UnknownKey)
			}
			s.want(t, "a token", token, "")
			s.want(t, "a new token", s.signIn(t), "")
			if got := strings.Count(s.log.String(), "level=WARN"); got != 1 {
				t.Errorf("%d warnings, not one:\n%s", got, s.log)
			}
			if _, value, _ := strings.Cut(strings.TrimSpace(string(secret)), ":"); strings.Contains(s.log.String(), value) {
				t.Error("the log tells the secret")
			}

			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			rotated(t, HS256, path, true)
			s.ring.Reload()
			s.want(t, "a token after the file was put right with another key", token, UnknownKey)
		})
	}
}

func TestKeyring_thatOthersMayReadIsRefusedAtTheStart(t *testing.T) {
	t.Attr("asvs", "13.3.1")
	path := filepath.Join(t.TempDir(), "jwt.keys")
	if err := os.WriteFile(path, []byte(testKey), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyring(HS256, path, rand.Reader, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "chmod 600") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestKeyring_ofASettingDoesNotChange(t *testing.T) {
	keys, err := ParseKeys(HS256, testKey)
	if err != nil {
		t.Fatal(err)
	}
	ring := NewKeyring(keys)
	ring.Reload()
	if got := ring.Keys(); !slices.Equal(got, []KeyInfo{{"test", true}}) {
		t.Errorf("got %v", got)
	}
}

// Tokens are read and signed while the keys change under them, by everybody at
// once, and not one of them is refused.
func TestKeyring_changesUnderReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	s := newServer(t, HS256, path)
	first := s.signIn(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				s.want(t, "the first token", first, "")
				s.want(t, "a token just signed", s.signIn(t), "")
				s.ring.Reload()
			}
		})
	}
	for range maxOld {
		rotated(t, HS256, path, false)
	}
	all.Wait()
}

func TestRotate_losesNoKeyOfTwoAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	var all sync.WaitGroup
	made := make([]string, maxOld+1)
	for i := range made {
		all.Go(func() {
			keys, dropped, err := Rotate(HS256, path, rand.Reader, false)
			if err != nil || len(dropped) > 0 {
				t.Error(err, dropped)
				return
			}
			made[i] = keys.all[0].ID
		})
	}
	all.Wait()
	keys, err := LoadKeys(HS256, path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, key := range keys.all {
		found = append(found, key.ID)
	}
	slices.Sort(made)
	slices.Sort(found)
	if !slices.Equal(made, found) {
		t.Errorf("made %v, found %v", made, found)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}

func TestRotate_keepsEightOldKeysAndSaysWhichItDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	var ids []string
	for n := range maxOld + 4 {
		keys, dropped, err := Rotate(HS256, path, rand.Reader, false)
		if err != nil {
			t.Fatal(err)
		}
		ids = append([]string{keys.all[0].ID}, ids...)
		if len(keys.all) != min(n+1, maxOld+1) {
			t.Errorf("after %d changes there are %d keys", n+1, len(keys.all))
		}
		if len(ids) > maxOld+1 && !slices.Equal(dropped, ids[maxOld+1:]) {
			t.Errorf("%v are said to be dropped; %v is", dropped, ids[maxOld+1:])
		}
		for i, info := range keys.Infos() {
			if info != (KeyInfo{ids[i], i == 0}) {
				t.Errorf("key %d is %v, not %s", i, info, ids[i])
			}
		}
		ids = ids[:min(len(ids), maxOld+1)]
	}
	keys, dropped, err := Rotate(HS256, path, rand.Reader, true)
	if err != nil || len(keys.all) != 1 || !slices.Equal(dropped, ids) {
		t.Errorf("dropping all: %d keys are left, %v dropped, %v", len(keys.all), dropped, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the keys file has the mode %v, %v", info.Mode(), err)
	}
}

func TestRotate_leavesTheFileAsItIsWhenItFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	for _, row := range []struct {
		what, text string
		mode       os.FileMode
		random     []byte
		says       string
	}{
		{"without randomness", testKey, 0o600, nil, "EOF"},
		{"open to others", testKey, 0o644, make([]byte, 100), "chmod 600"},
		{"broken", "nonsense", 0o600, make([]byte, 100), "kid:base64url"},
	} {
		if err := os.WriteFile(path, []byte(row.text), row.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, row.mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Rotate(HS256, path, bytes.NewReader(row.random), false); err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", row.what, err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != row.text {
			t.Errorf("%s: the file is now %q, %v", row.what, left, err)
		}
	}
	if _, _, err := Rotate(HS256, filepath.Join(t.TempDir(), "missing", "jwt.keys"), rand.Reader, false); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

// When a key has leaked, the file that leaked it must not stand in the way.
func TestRotate_dropsKeysThatCannotBeReadAnyMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jwt.keys")
	for what, file := range map[string]struct {
		text string
		mode os.FileMode
	}{"open to others": {testKey, 0o644}, "broken": {"nonsense", 0o600}} {
		if err := os.WriteFile(path, []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, file.mode); err != nil {
			t.Fatal(err)
		}
		keys := rotated(t, HS256, path, true)
		read, err := LoadKeys(HS256, path, rand.Reader)
		if err != nil || len(read.all) != 1 || !read.same(&keys) {
			t.Errorf("%s: %d keys, %v", what, len(read.all), err)
		}
	}
}

func TestPublic_tellsWhatChecksAndNothingElse(t *testing.T) {
	secret := newIssuer(t, HS256, testKey, noon)
	if keys := secret.keys.Public(); len(keys) > 0 {
		t.Errorf("HS256 has public keys: %v", keys)
	}
	open := newIssuer(t, EdDSA, testKey, noon)
	keys := open.keys.Public()
	if len(keys) != 1 || keys[0].ID != "test" || !bytes.Equal(keys[0].Point, pair(testSecret).Public().(ed25519.PublicKey)) {
		t.Errorf("got %v", keys)
	}
}
