package school

import "time"

// StoredFlow is a proof that takes more than one request, as it is kept between two of
// them: with hashes in place of what may not be read off it. What it means is for
// package auth.
type StoredFlow struct {
	IDHash      string // of the id that forms and addresses carry
	BrowserHash string // of the secret in the cookie of the browser that began it
	Purpose     string
	Step        string
	User        ID // empty where nobody has the address that was typed
	Tries       int
	BeganAt     time.Time
	ExpiresAt   time.Time
	State       string // JSON
}
