package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lectern/handlers/token"
)

// keyring holds the keys of the setting, or those of the file in the data
// folder.
func (s *signing) keyring(in storage, log *slog.Logger) (*token.Keyring, error) {
	algorithm, err := s.algorithm()
	if err != nil {
		return nil, err
	}
	if s.JWTKeys == "" {
		return token.OpenKeyring(algorithm, in.keysFile(algorithm), rand.Reader, log)
	}
	keys, err := token.ParseKeys(algorithm, s.JWTKeys)
	if err != nil {
		return nil, refuse("jwt-keys", "%s", err)
	}
	return token.NewKeyring(keys), nil
}

func (s storage) keysFile(algorithm token.Algorithm) string {
	return filepath.Join(s.Data, algorithm.FileName())
}

type keysCommands struct {
	Rotate keysRotateCommand `cmd:"" help:"Put a new key in front of the others; a server that runs takes it up by itself."`
}

type keysRotateCommand struct {
	storage `embed:""`
	signing `embed:""`
	DropOld bool `help:"Throw the old keys away: every token that they signed is refused at once. For when a key has leaked."`
}

// Run puts a new key into the keys file and says what that means for the
// tokens that are out there.
func (k *keysRotateCommand) Run(con console) error {
	if err := k.check(); err != nil {
		return err
	}
	if k.JWTKeys != "" {
		return errors.New("the keys come from the setting jwt-keys, not from a file; write the new key in front of the others there, and start the server again")
	}
	algorithms, err := k.inUse()
	if err != nil {
		return err
	}
	for _, algorithm := range algorithms {
		keys, dropped, err := token.Rotate(algorithm, k.keysFile(algorithm), rand.Reader, k.DropOld)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprint(con.out, k.report(keys, dropped, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// inUse are the algorithms that the folder has keys for. All of them are changed,
// so that nobody has to remember, in an emergency, how the server signs. Where
// there are none yet, a first one is made for the algorithm of the settings. A
// folder without a school is the wrong one.
func (k *keysRotateCommand) inUse() ([]token.Algorithm, error) {
	asked, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(k.Data, databaseFile)); err != nil {
		return nil, fmt.Errorf("there is no school in %s, so no server has its keys there; say with --data where it is", k.Data)
	}
	var found []token.Algorithm
	for _, algorithm := range []token.Algorithm{token.HS256, token.EdDSA} {
		if _, err := os.Lstat(k.keysFile(algorithm)); err == nil {
			found = append(found, algorithm)
		}
	}
	if len(found) == 0 {
		found = append(found, asked)
	}
	return found, nil
}

// report says which key signs now, which still verify, and for how long that
// matters.
func (k *keysRotateCommand) report(keys token.Keys, dropped []string, now time.Time) string {
	var old []string
	for _, key := range keys.Infos()[1:] {
		old = append(old, key.ID)
	}
	says := fmt.Sprintf("%s signs now, with %s\n", keys.Infos()[0].ID, keys.Algorithm())
	if len(old) > 0 {
		says += fmt.Sprintf("%s: for checking only, the tokens signed so far; the last of them expires by %s\n", strings.Join(old, ", "), now.Add(k.longest()).UTC().Format(time.RFC3339))
	} else {
		says += "it is the only key: no token signed before is good, and whose session is a token signs in again\n"
	}
	if len(dropped) > 0 {
		says += fmt.Sprintf("%s: dropped, and what they signed is refused\n", strings.Join(dropped, ", "))
	}
	return says + "a server that runs on this folder takes it up within two seconds\n"
}
