package db

import (
	"encoding/base64"
	"strconv"
	"strings"

	"lectern/db/school"
)

const (
	pageLength    = 24    // rows of a page, if the caller does not say
	maxPageLength = 100   // however many the caller wants
	maxTotal      = 200   // rows that are counted one by one before "more than"
	maxRare       = 500   // rows of a word that are taken together and sorted
	maxLooked     = 2_000 // rows of the catalogue that are looked at for one page
	maxList       = 200   // rows of a list that has no pages
)

func pageLimit(wanted int) int {
	if wanted < 1 {
		return pageLength
	}
	return min(wanted, maxPageLength)
}

// cutPage takes the row that was read only to learn whether there is another
// page off the end of rows. Of a page that has a next one, it returns the last
// row.
func cutPage[T any](rows []T, limit int) (page []T, last *T) {
	if len(rows) <= limit {
		return rows, nil
	}
	return rows[:limit], &rows[limit-1]
}

// cutTotal makes a total out of a count that stopped after maxTotal+1 rows.
func cutTotal(counted int) (total int, more bool) {
	return min(counted, maxTotal), counted > maxTotal
}

// cursor is the last row of a page: the next page begins after it. The order
// stands beside it, because a place in one order is no place in another.
type cursor struct {
	order string
	key   string
	id    school.ID
}

// String is the cursor as it stands in an address.
func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.order + "\n" + c.key + "\n" + string(c.id)))
}

// parseCursor reads what String wrote. ok is false for anything else, and for a
// place in another order.
func parseCursor(s, order string) (c cursor, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return cursor{}, false
	}
	parts := strings.Split(string(raw), "\n")
	if len(parts) != 3 || parts[0] != order {
		return cursor{}, false
	}
	id, err := school.ParseID(parts[2])
	if err != nil {
		return cursor{}, false
	}
	return cursor{order, parts[1], id}, true
}

// number is the key as an integer.
func (c cursor) number() (int64, bool) {
	n, err := strconv.ParseInt(c.key, 10, 64)
	return n, err == nil
}
