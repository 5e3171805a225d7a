package views

import (
	"strings"
	"testing"

	"lectern/views/ui"
)

// TestCatalogue_searchesOn shows a search that looked at as many courses as it
// looks at in one go, and found none of them: the way on is there.
func TestCatalogue_searchesOn(t *testing.T) {
	var page strings.Builder
	p := CatalogueProps{Query: "two words", Next: "/courses?q=two+words&after=abc", TotalMore: true, Address: func(CatalogueProps) string { return "/courses" }}
	if err := CataloguePage(Frame{Title: "Courses"}, p).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"None so far", "Search on", `href="/courses?q=two+words&amp;after=abc"`} {
		if !strings.Contains(page.String(), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	p.Next = ""
	if shown := p.shown(); shown != "No courses" {
		t.Errorf("at the end it says %q", shown)
	}
	p.Next, p.Courses = "/courses?after=abc", make([]ui.CourseCardProps, 3)
	if shown := p.shown(); shown != "3 courses so far" {
		t.Errorf("of a short page it says %q", shown)
	}
}
