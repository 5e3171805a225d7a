package campus

import (
	"context"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// signingKey is the key that ID tokens are signed with, and publicKey what everybody
// may have of it.
type (
	signingKey struct{ *store }
	publicKey  struct{ *store }
)

func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) ID() string                                  { return k.keyID }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return k.key.Public() }
func (k publicKey) ID() string                         { return k.keyID }

// SigningKey is the one key.
func (s *store) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s}, nil }

// SignatureAlgorithms has the one way of signing.
func (s *store) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// KeySet has what everybody may know of the key.
func (s *store) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey{s}}, nil }
