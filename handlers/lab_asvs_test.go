package handlers_test

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lectern/handlers/asvs"
	"lectern/handlers/session"
)

const asvsPage = "/lab/asvs"

// asvsRow is a row of the page: its number, and everything up to the next.
var asvsRow = regexp.MustCompile(`(?s)<tr role="row" id="([\d.]+)">(.*?)</tr>`)

// TestASVS_showsEveryRow reads each row off the page, with its verdict, its exception
// and its tests, and the sums in the head.
func TestASVS_showsEveryRow(t *testing.T) {
	s := newSite(t, session.Database)
	page := s.browser().get(asvsPage).want(t, http.StatusOK)
	shown := map[string]string{}
	for _, found := range asvsRow.FindAllStringSubmatch(page.body, -1) {
		shown[found[1]] = found[2]
	}
	chapters, err := asvs.Chapters()
	must(t, err)
	results, err := asvs.Latest()
	must(t, err)
	words := map[asvs.Verdict]string{
		asvs.Proved: "Proved", asvs.Partly: "Proved, except…", asvs.Failed: "A test failed", asvs.Unproved: "Not proved yet",
		asvs.NotMet: "Not met", asvs.NotTested: "Not by a test", asvs.NotHere: "Does not apply",
	}
	counts, rows := map[asvs.Verdict]int{}, 0
	for _, chapter := range chapters {
		for _, row := range chapter.Rows {
			rows++
			verdict := results.Verdict(row)
			counts[verdict]++
			text := html.UnescapeString(shown[row.Number])
			for _, part := range []string{row.Asks, row.Why, "level " + strconv.Itoa(row.Level), `href="#` + row.Number + `"`} {
				if !strings.Contains(text, part) {
					t.Errorf("row %s lacks %q:\n%s", row.Number, part, text)
				}
			}
			if badge := regexp.MustCompile(`</svg>\s*([^<]+?)\s*</span>`).FindStringSubmatch(text); badge == nil || badge[1] != words[verdict] {
				t.Errorf("row %s says %q, want %q", row.Number, badge, words[verdict])
			}
			for _, test := range results.Rows[row.Number] {
				if !strings.Contains(text, "<code>"+test.Name+"</code>") {
					t.Errorf("row %s lacks %s", row.Number, test.Name)
				}
			}
		}
	}
	if len(shown) != rows {
		t.Errorf("%d rows are shown of %d", len(shown), rows)
	}
	proved := counts[asvs.Proved] + counts[asvs.Partly]
	page.want(t, http.StatusOK,
		"Of "+strconv.Itoa(proved+counts[asvs.Failed]+counts[asvs.Unproved])+" rows", strconv.Itoa(proved)+" are proved", strconv.Itoa(counts[asvs.Partly])+" of them with an exception",
		strconv.Itoa(counts[asvs.Unproved])+" are not proved by a test yet", strings.Join(results.Places(), "; with "))
}

// TestASVS_isKeptToWhatTheAddressAsksFor, and passes over what there is not.
func TestASVS_isKeptToWhatTheAddressAsksFor(t *testing.T) {
	s := newSite(t, session.Database)
	shown := func(query string) (numbers []string) {
		t.Helper()
		for _, found := range asvsRow.FindAllStringSubmatch(s.browser().get(asvsPage+query).want(t, http.StatusOK).body, -1) {
			numbers = append(numbers, found[1])
		}
		return numbers
	}
	all := shown("")
	for _, query := range []string{"?chapter=V99", "?level=4", "?level=0", "?verdict=good", "?chapter=%22%3E%3Cscript%3E"} {
		if got := shown(query); !slices.Equal(got, all) {
			t.Errorf("%s: %d rows, want all %d", query, len(got), len(all))
		}
	}
	if got, want := shown("?chapter=V9&level=1"), []string{"9.1.1", "9.1.2", "9.1.3", "9.2.1"}; !slices.Equal(got, want) {
		t.Errorf("the first level of V9 is %v", got)
	}
	if got := shown("?chapter=V9&level=2"); len(got) != 7 {
		t.Errorf("the second level holds the first, and V9 has %v", got)
	}
	if got := shown("?chapter=V6&verdict=deviates"); !slices.Equal(got, []string{"6.3.6"}) {
		t.Errorf("of V6 is not met: %v", got)
	}
	s.browser().get(asvsPage+"?chapter=V9&verdict=deviates").want(t, http.StatusOK, "No row fits", "Show all rows")
}
