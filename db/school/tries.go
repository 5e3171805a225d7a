package school

import "time"

// TryKey names a count of something that may be done only so often: what it is,
// on whose account, and from which network. Empty parts stand for all accounts
// and all networks together.
type TryKey struct {
	What, Account, Network string
	// Latest is how many of the counts of this What and Account are kept, those
	// with the latest At. Zero keeps all.
	Latest int
}

// TryCount is such a count. The zero value is that of a key under which nothing
// is kept.
type TryCount struct {
	N  int
	At time.Time
	// Until is when it will say nothing any more, and may be forgotten.
	Until time.Time
}
