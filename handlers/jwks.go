package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// keySet is a JWK Set (RFC 7517 §5) of keys as RFC 8037 §2 writes them.
type keySet struct {
	Keys []publicKey `json:"keys"`
}

type publicKey struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
}

// showKeys tells other programs with which keys our tokens are checked. With
// HS256 there is nothing to tell: whoever could check a token could also print
// one. A program may keep the answer for five minutes, so one that meets a kid
// which it does not know should ask again.
func (s *Server) showKeys(c echo.Context) error {
	set := keySet{Keys: []publicKey{}}
	for _, key := range s.Keys.Public() {
		set.Keys = append(set.Keys, publicKey{
			Type: "OKP", Curve: "Ed25519", X: base64.RawURLEncoding.EncodeToString(key.Point),
			ID: key.ID, Algorithm: "EdDSA", Use: "sig",
		})
	}
	body, err := json.Marshal(set)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(body)
	header := c.Response().Header()
	header.Set("Content-Type", "application/jwk-set+json")
	header.Set("Cache-Control", "public, max-age=300")
	header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(digest[:12])+`"`)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(body))
	return nil
}
