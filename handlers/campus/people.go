package campus

import (
	"crypto/sha256"
	"encoding/base64"
)

// Person is somebody who has a Campus ID. Nobody of them exists.
type Person struct {
	Key      string // names them within Campus ID, and never leaves it
	Name     string
	Email    string
	Verified bool // Campus ID has seen that the address is theirs
	About    string
}

// People are all who have one: somebody whom nobody else knows, somebody whose address
// is that of an account elsewhere, and two whose addresses nobody has checked, of which
// one is a lie.
var People = []Person{
	{"mina", "Mina Castellan", "mina.castellan@campus.example", true, "Botany, second year"},
	{"ada", "Ada Byron", "ada@lectern.example", true, "Mathematics, and a learner at Lectern"},
	{"jonas", "Jonas Whitlow", "jonas.whitlow@campus.example", false, "Joined this morning"},
	{"quill", "Quill Marlowe", "grace@lectern.example", false, "Has written down an address that is Grace’s"},
}

func personByKey(key string) (Person, bool) {
	for _, p := range People {
		if p.Key == key {
			return p, true
		}
	}
	return Person{}, false
}

// Initials are what stands on the card.
func (p Person) Initials() string {
	letters, start := "", true
	for _, r := range p.Name {
		if start {
			letters += string(r)
		}
		start = r == ' '
	}
	return letters
}

// subject is how one site knows a person. Another site knows them by another, so the
// two cannot find out by it that they know the same; and it is the same tomorrow,
// although nothing is kept.
func subject(p Person, site string) string {
	sum := sha256.Sum256([]byte("campus id\x00" + site + "\x00" + p.Key))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}
