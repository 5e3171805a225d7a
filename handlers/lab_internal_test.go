package handlers

import (
	"testing"
	"time"

	"lectern/db"
	"lectern/handlers/lab"
)

// TestLabSource_hasEveryLineThatDecides: what an experiment shows of the program is
// there, in one function of that name.
func TestLabSource_hasEveryLineThatDecides(t *testing.T) {
	experiments, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range experiments {
		sources, err := sourcesOf(e)
		if err != nil {
			t.Errorf("%s: %v", e.Slug, err)
		}
		if len(sources) == 0 {
			t.Errorf("%s shows no lines", e.Slug)
		}
		for _, s := range sources {
			if s.Label == "" || len(s.Lines) == 0 {
				t.Errorf("%s: %s is of %q and has %d lines", e.Slug, s.Title, s.Label, len(s.Lines))
			}
		}
	}
}

// TestLabCookie_keepsEveryExperimentApart: no two have the same short name, and
// all of them together fit into a cookie with room to spare.
func TestLabCookie_keepsEveryExperimentApart(t *testing.T) {
	experiments, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen, length := map[string]string{}, 0
	for _, e := range experiments {
		key := labKey(e.Slug)
		if other := seen[key]; other != "" || len(key) != 3 {
			t.Errorf("%s is called %q, like %q", e.Slug, key, other)
		}
		seen[key] = e.Slug
		p := labTally{db.LabProgress{Experiment: e.Slug, JWT: "accepted", Server: "refused", RunID: newRunID(), Asked: 3, Guessed: 2, ExplainedAt: time.Unix(1, 0).UTC()}, newRunID()}
		text := p.encode()
		length += len(text) + 1
		back, err := decodeTally(text)
		back.Experiment = e.Slug
		if err != nil || back != p {
			t.Errorf("%q is read as %+v, %v; want %+v", text, back, err, p)
		}
	}
	if length > 1024 {
		t.Errorf("the cookie has %d bytes", length)
	}
}

func FuzzDecodeTally(f *testing.F) {
	f.Add("tpdrra00-----------")
	f.Add("tpdrra32eabcdefghijklmnopqrst")
	f.Fuzz(func(t *testing.T, part string) {
		if p, err := decodeTally(part); err == nil {
			if again, err := decodeTally(part[:3] + p.encode()[3:]); err != nil || again != p {
				t.Errorf("%q is read as %+v, and written back as %+v, %v", part, p, again, err)
			}
		}
	})
}
