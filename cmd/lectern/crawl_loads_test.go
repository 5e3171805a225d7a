package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// outdated are the elements that want a plug-in, or that browsers have given up.
var outdated = []string{"object", "embed", "applet", "param", "frame", "frameset", "noembed", "bgsound", "keygen", "marquee", "blink", "plaintext", "xmp", "isindex", "portal"}

// fetching are the relations of a link whose address a browser fetches by itself.
var fetching = []string{"stylesheet", "icon", "preload", "modulepreload", "prefetch", "prerender", "preconnect", "dns-prefetch", "manifest", "apple-touch-icon"}

// load notes what a browser fetches because of an element.
func (p *page) load(element string, attr map[string]string) {
	for _, name := range []string{"src", "poster", "data", "background", "ping", "archive", "codebase"} {
		if attr[name] != "" {
			p.loaded = append(p.loaded, attr[name])
		}
	}
	for _, name := range []string{"srcset", "imagesrcset"} {
		for part := range strings.SplitSeq(attr[name], ",") {
			if address, _, _ := strings.Cut(strings.TrimSpace(part), " "); address != "" {
				p.loaded = append(p.loaded, address)
			}
		}
	}
	relations := strings.Fields(strings.ToLower(attr["rel"]))
	drawn := slices.Contains([]string{"use", "image", "feimage"}, strings.ToLower(element))
	if drawn || element == "link" && slices.ContainsFunc(relations, func(r string) bool { return slices.Contains(fetching, r) }) {
		p.loaded = append(p.loaded, attr["href"])
	}
	p.loaded = append(p.loaded, inStyle(attr["style"])...)
}

var (
	styleAddress  = regexp.MustCompile(`(?i)url\(\s*["']?([^"')]*)|@import\s+["']([^"']*)`)
	scriptAddress = regexp.MustCompile(`(?:import|export)\s*(?:[\w{},*\s]+\sfrom\s*)?\(?\s*["'\x60]([^"'\x60]*)`)
	drawnAddress  = regexp.MustCompile(`(?:href|src)\s*=\s*["']([^"']*)`)
)

func inStyle(text string) (addresses []string) {
	for _, found := range styleAddress.FindAllStringSubmatch(text, -1) {
		addresses = append(addresses, found[1]+found[2])
	}
	return addresses
}

// lookInside reads what pages load, for what that loads in turn.
func (c *crawler) lookInside(address string, response *http.Response) {
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Errorf("%s: %v", address, err)
	}
	p := page{}
	kind, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	switch kind {
	case "text/css":
		c.sheets++
		p.loaded = inStyle(string(text))
	case "text/javascript":
		c.scripts++
		for _, found := range scriptAddress.FindAllStringSubmatch(string(text), -1) {
			p.loaded = append(p.loaded, found[1])
		}
	case "image/svg+xml":
		c.drawings++
		p.loaded = inStyle(string(text))
		for _, found := range drawnAddress.FindAllStringSubmatch(string(text), -1) {
			p.loaded = append(p.loaded, found[1])
		}
		if strings.Contains(strings.ToLower(string(text)), "<script") {
			c.t.Errorf("%s has a script", address)
		}
	}
	p.comesFromHere(c.t, response.Request.URL)
}

// comesFromHere fails if something comes from another site, or needs what browsers do
// not have.
func (p *page) comesFromHere(t *testing.T, from *url.URL) {
	t.Helper()
	for _, address := range p.loaded {
		if u, err := from.Parse(address); err != nil || u.Scheme != from.Scheme || u.Host != from.Host {
			t.Errorf("%s loads %q from elsewhere", from, address)
		}
	}
	for _, element := range outdated {
		if p.elements[element] {
			t.Errorf("%s has the element %s", from, element)
		}
	}
}

// ownSourcesOnly fails if a content policy lets anything be loaded from elsewhere.
func ownSourcesOnly(t *testing.T, address, policy string) {
	t.Helper()
	if !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%s has the content policy %q", address, policy)
	}
	for directive := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(directive)
		if len(words) < 2 || !strings.HasSuffix(words[0], "-src") {
			continue
		}
		for _, source := range words[1:] {
			if source != "'self'" && source != "'none'" {
				t.Errorf("%s may load from %s by %s", address, source, words[0])
			}
		}
	}
}
