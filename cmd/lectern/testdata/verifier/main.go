// Verifier is a program of somebody else's. It knows the address of a site's
// public keys, reads a session's token on standard input, and says whether the
// site signed it and for whom. It has nothing but the standard library.
//
//	verifier KEYS-ADDRESS ISSUER < TOKEN
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	who, err := verify(os.Args[1], os.Args[2], os.Stdin)
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("good, for", who)
}

func verify(address, issuer string, in io.Reader) (who string, err error) {
	token, err := io.ReadAll(in)
	if err != nil {
		return "", err
	}
	parts := strings.Split(strings.TrimSpace(string(token)), ".")
	if len(parts) != 3 {
		return "", errors.New("not three parts")
	}
	var header struct{ Alg, Kid, Typ string }
	if err := decode(parts[0], &header); err != nil {
		return "", err
	}
	if header.Alg != "EdDSA" || header.Typ != "session+jwt" {
		return "", fmt.Errorf("a %s of %s", header.Typ, header.Alg)
	}
	key, err := fetch(address, header.Kid)
	if err != nil {
		return "", err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return "", err
	}
	if !ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature) {
		return "", errors.New("bad signature")
	}
	var claims struct {
		Iss, Aud, Sub string
		Exp           int64
	}
	if err := decode(parts[1], &claims); err != nil {
		return "", err
	}
	if claims.Iss != issuer || claims.Aud != "lectern" || time.Now().Unix() >= claims.Exp {
		return "", fmt.Errorf("of %s for %s until %d", claims.Iss, claims.Aud, claims.Exp)
	}
	return claims.Sub, nil
}

// fetch asks the site for the key with the kid.
func fetch(address, kid string) (ed25519.PublicKey, error) {
	response, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var set struct {
		Keys []struct{ Kty, Crv, X, Kid, Alg, Use string }
	}
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.Kid != kid || key.Kty != "OKP" || key.Crv != "Ed25519" || key.Alg != "EdDSA" || key.Use != "sig" {
			continue
		}
		x, err := base64.RawURLEncoding.DecodeString(key.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("a key of the wrong size")
		}
		return x, nil
	}
	return nil, fmt.Errorf("no key %s", kid)
}

func decode(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
