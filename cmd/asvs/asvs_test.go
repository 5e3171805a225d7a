package main

import (
	"slices"
	"strings"
	"testing"

	"lectern/handlers/asvs"
)

// TestResults_areOfTheTestsThatThereAre holds the source, the rows and what was written
// down against one another. Where it fails, `make asvs` is due.
func TestResults_areOfTheTestsThatThereAre(t *testing.T) {
	claims, err := scan("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(claims) < 100 {
		t.Fatalf("only %d tests name a row", len(claims))
	}
	chapters, err := asvs.Chapters()
	if err != nil {
		t.Fatal(err)
	}
	results, err := asvs.Latest()
	if err != nil {
		t.Fatal(err)
	}
	there, testable := map[string]bool{}, map[string]bool{}
	for _, chapter := range chapters {
		for _, row := range chapter.Rows {
			there[row.Number], testable[row.Number] = true, row.Standing == asvs.Tested
		}
	}
	claimed, kept := map[string]bool{}, map[string]bool{}
	for _, c := range claims {
		for _, row := range c.Rows {
			if !there[row] || !testable[row] {
				t.Errorf("%s of %s names row %s, which is none that a test can show (handlers/asvs/rows.txt)", c.Test, c.Package, row)
			}
			if claimed[row+c.Package+c.Test] {
				t.Errorf("%s of %s names row %s twice", c.Test, c.Package, row)
			}
			claimed[row+c.Package+c.Test] = true
		}
	}
	for row, tests := range results.Rows {
		for _, test := range tests {
			kept[row+test.Package+test.Name] = true
			if !claimed[row+test.Package+test.Name] {
				t.Errorf("results.json has %s of %s for row %s, and the test does not name it; run make asvs", test.Name, test.Package, row)
			}
		}
	}
	for _, c := range claims {
		for _, row := range c.Rows {
			if !kept[row+c.Package+c.Test] {
				t.Errorf("%s of %s names row %s, and results.json does not have it; run make asvs", c.Test, c.Package, row)
			}
		}
	}
}

func TestKeep_takesOverWhatStillStands(t *testing.T) {
	before := asvs.Results{
		Runs: map[string]asvs.Run{"p": {Go: "go1.26.8"}, "q": {Go: "go1.25.0"}},
		Rows: map[string][]asvs.Test{
			"6.5.1": {{Package: "p", Name: "TestIt", Outcome: asvs.Fail}, {Package: "q", Name: "TestIt", Outcome: asvs.Pass}, {Package: "p", Name: "TestGone", Outcome: asvs.Pass}},
			"6.5.5": {{Package: "p", Name: "TestIt", Outcome: asvs.Fail}},
		},
	}
	r := asvs.Results{Runs: map[string]asvs.Run{}, Rows: map[string][]asvs.Test{}}
	keep(&r, before, pack{"p", []claim{{"p", "TestIt", []string{"6.5.1", "6.5.4"}}}})
	if len(r.Runs) != 1 || r.Runs["p"].Go != "go1.26.8" {
		t.Errorf("runs %v", r.Runs)
	}
	if got := r.Rows["6.5.1"]; len(r.Rows) != 1 || len(got) != 1 || got[0].Package != "p" || got[0].Name != "TestIt" || got[0].Outcome != asvs.Fail {
		t.Errorf("rows %v", r.Rows)
	}
}

func TestScanFile_refusesWhatCannotBeFoundOrRun(t *testing.T) {
	for says, statement := range map[string]string{
		"in a part of the test":         `t.Run("part", func(t *testing.T) { t.Attr("asvs", "6.5.1") })`,
		"under a condition":             `if true { t.Attr("asvs", "6.5.1") }`,
		"rows that are not written out": `t.Attr("asvs", rows)`,
		"no row":                        `t.Attr("asvs", "")`,
		"later":                         `defer t.Attr("asvs", "6.5.1")`,
		"a good one, and one in a part": "t.Attr(\"asvs\", \"6.5.1\")\n\tt.Run(\"part\", func(t *testing.T) { t.Attr(\"asvs\", \"6.5.2\") })",
	} {
		text := "package p\n\nfunc TestIt(t *testing.T) {\n\t" + statement + "\n}\n"
		if claims, err := scanFile("p_test.go", []byte(text)); err == nil || !strings.Contains(err.Error(), "p_test.go:") {
			t.Errorf("%s: got %v, %v", says, claims, err)
		}
	}
	helper := "package p\n\nfunc help(t *testing.T) {\n\tt.Attr(\"asvs\", \"6.5.1\")\n}\n"
	if _, err := scanFile("p_test.go", []byte(helper)); err == nil {
		t.Error("a helper names rows")
	}
}

func TestScanFile_findsWhatATestNames(t *testing.T) {
	text := "package p\n\nfunc TestIt(t *testing.T) {\n\tt.Attr(\"asvs\", \"6.5.1 10.4.11\")\n\tt.Attr(\"owner\", name)\n}\n\nfunc TestNothing(t *testing.T) {\n}\n"
	claims, err := scanFile("p_test.go", []byte(text))
	if err != nil || len(claims) != 1 || claims[0].Test != "TestIt" || !slices.Equal(claims[0].Rows, []string{"6.5.1", "10.4.11"}) {
		t.Errorf("got %+v, %v", claims, err)
	}
}

func TestHear(t *testing.T) {
	h, err := hear(strings.NewReader(`{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"attr","Package":"p","Test":"TestGood","Key":"asvs","Value":"6.5.1 6.5.5"}
{"Action":"pass","Package":"p","Test":"TestGood/hybrid_over_https"}
{"Action":"pass","Package":"p","Test":"TestGood/jwt"}
{"Action":"fail","Package":"p","Test":"TestGood/memory_over_http"}
{"Action":"pass","Package":"p","Test":"TestGood/memory_over_https"}
{"Action":"skip","Package":"p","Test":"TestGood/redis"}
{"Action":"pass","Package":"p","Test":"TestGood/redis-server"}
{"Action":"pass","Package":"p","Test":"TestGood/databases"}
{"Action":"pass","Package":"p","Test":"TestGood/part/database"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"attr","Package":"p","Test":"TestBad","Key":"asvs","Value":"6.5.1"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"attr","Package":"p","Test":"TestAway","Key":"asvs","Value":"6.5.1"}
{"Action":"skip","Package":"p","Test":"TestAway"}
{"Action":"pass","Package":"p","Test":"TestSilent"}
{"Action":"attr","Package":"p","Test":"TestInner/part","Key":"asvs","Value":"6.5.1"}
{"Action":"pass","Package":"p","Test":"TestInner"}
{"Action":"attr","Package":"p","Test":"TestOther","Key":"owner","Value":"6.5.1"}
{"Action":"pass","Package":"p","Test":"TestOther"}
{"Action":"attr","Package":"p","Test":"TestCut","Key":"asvs","Value":"6.5.1"}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]asvs.Outcome{
		"TestBad": asvs.Fail, "TestAway": asvs.Skip, "TestSilent": asvs.Fail, "TestInner": asvs.Fail, "TestOther": asvs.Fail, "TestCut": asvs.Fail, "TestNeverRun": asvs.Fail,
	} {
		if got := h.of(claim{"p", name, []string{"6.5.1"}}); got.Outcome != want {
			t.Errorf("%s: %s, want %s", name, got.Outcome, want)
		}
	}
	good := h.of(claim{"p", "TestGood", []string{"6.5.1", "6.5.5"}})
	if good.Outcome != asvs.Pass || !slices.Equal(good.Kinds, []string{"jwt", "hybrid"}) {
		t.Errorf("TestGood: %+v", good)
	}
	if got := h.of(claim{"p", "TestGood", []string{"6.5.1"}}); got.Outcome != asvs.Fail {
		t.Errorf("a test that said other rows than its source: %s", got.Outcome)
	}
	if _, err := hear(strings.NewReader("FAIL\n")); err == nil {
		t.Error("what is no event is passed over")
	}
}
