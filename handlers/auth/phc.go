package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errHash: a stored hash is not one that this package ever made, so that the
// row is damaged or was written by somebody else.
var errHash = errors.New("auth: stored hash is malformed")

// The most that a stored hash may ask for. The column is data, and data can
// be damaged: a row that asks for 4 GiB must not be obeyed.
const (
	maxMemory = 64 << 10 // KiB
	maxPasses = 5
	maxLanes  = 4
)

// cost is what a hash takes to compute.
type cost struct {
	memory    uint32 // KiB
	passes    uint32
	lanes     uint8
	saltBytes int
	keyBytes  int
}

// phc is a hash as it is stored, in the PHC string format:
//
//	$argon2id$v=19$m=19456,t=2,p=1$salt$key
type phc struct {
	cost
	salt []byte
	key  []byte
}

// decoy is the hash that is compared with for people who do not exist. Its key
// is all zeros, which no known password gives; whoever uses it refuses anyway.
func decoy(c cost) string {
	return phc{cost: c, salt: make([]byte, c.saltBytes), key: make([]byte, c.keyBytes)}.String()
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s",
		p.memory, p.passes, p.lanes, b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

// parsePHC reads exactly what String writes, within the bounds above.
func parsePHC(s string) (phc, error) {
	var p phc
	if len(s) > 256 {
		return p, errHash
	}
	parts := strings.Split(s, "$")
	if len(parts) != 6 {
		return p, errHash
	}
	parameters := strings.Split(parts[3], ",")
	if len(parameters) != 3 {
		return p, errHash
	}
	var numbers [3]uint64
	for i, prefix := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(parameters[i], prefix)
		if !ok {
			return p, errHash
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil {
			return p, errHash
		}
		numbers[i] = n
	}
	m, t, l := numbers[0], numbers[1], numbers[2]
	if t < 1 || t > maxPasses || l < 1 || l > maxLanes || m < 8*l || m > maxMemory {
		return p, errHash
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, saltErr := b64.DecodeString(parts[4])
	key, keyErr := b64.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return p, errHash
	}
	p = phc{
		cost: cost{memory: uint32(m), passes: uint32(t), lanes: uint8(l), saltBytes: len(salt), keyBytes: len(key)},
		salt: salt,
		key:  key,
	}
	// Writing it back refuses every other spelling at once: another version
	// or algorithm, leading zeros, line breaks inside the base64.
	if p.String() != s {
		return phc{}, errHash
	}
	return p, nil
}
