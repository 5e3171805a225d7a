package assets

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// school is the least that can be built, with what a test adds to it.
func school(more map[string]string) fstest.MapFS {
	files := map[string]string{
		"css/a.css":     "@font-face { src: url(../fonts/f.woff2) }\n",
		"css/b.css":     "p { color: red }\n",
		"fonts/f.woff2": "font",
		"icons.svg":     `<svg><symbol id="i-one"/></svg>`,
	}
	maps.Copy(files, more)
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestBuild_refuses(t *testing.T) {
	for name, c := range map[string]struct {
		more   map[string]string
		sheets []string
		want   string
	}{
		"a stylesheet nobody listed":  {map[string]string{"css/c.css": ""}, []string{"a", "b"}, "css/c.css is not in the list"},
		"a listed sheet that is away": {nil, []string{"a", "b", "c"}, "css/c.css"},
		"a font that is away":         {map[string]string{"css/b.css": "url(../fonts/g.woff2)"}, []string{"a", "b"}, "no font g.woff2"},
		"a script that is away":       {map[string]string{"js/a.js": `import "./b.js"`}, []string{"a", "b"}, "js/b.js"},
		"scripts that go in a circle": {map[string]string{"js/a.js": `import "./b.js"`, "js/b.js": `import "./a.js"`}, []string{"a", "b"}, "imports itself"},
		"icons that are away":         {map[string]string{"icons.svg": ""}, []string{"a", "b"}, "no drawings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(school(c.more), c.sheets)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error about %q", err, c.want)
			}
		})
	}
}

func TestBuild_joinsTheStylesheetsInOrder(t *testing.T) {
	s, err := build(school(nil), []string{"b", "a"})
	if err != nil {
		t.Fatal(err)
	}
	got := string(s.files[s.urls["app.css"]].plain)
	want := "p { color: red }\n@font-face { src: url(" + s.urls["f.woff2"] + ") }\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBuild_givesScriptsTheHashedNamesOfTheirNeighbours(t *testing.T) {
	build := func(b string) *set {
		s, err := build(school(map[string]string{"js/a.js": `import { x } from "./b.js"`, "js/b.js": b}), []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := build("export const x = 1"), build("export const x = 2")
	got := string(first.files[first.urls["a.js"]].plain)
	if want := `import { x } from ".` + strings.TrimPrefix(first.urls["b.js"], "/assets") + `"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if first.urls["a.js"] == second.urls["a.js"] {
		t.Error("the neighbour changed, but the name of what imports it did not")
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=x": false, "gzipped": false,
		"gzip": true, "GZIP": true, "deflate, gzip, br": true, "gzip;q=0.1": true, "br;q=1.0, gzip; q=0.8": true,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("acceptsGzip(%q) = %v", header, got)
		}
	}
}
