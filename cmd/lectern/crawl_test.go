package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"lectern/seed"
)

// TestCrawl_everyLinkLeadsSomewhere follows every link of the demo, as each
// kind of person: every address that a page offers answers, and every page has
// one h1, no id twice, and a label for each field. What a page is made of comes from
// this site, by means that browsers have without a plug-in.
func TestCrawl_everyLinkLeadsSomewhere(t *testing.T) {
	t.Attr("asvs", "3.6.1 3.7.1")
	d := startDemo(t)
	for _, email := range []string{"", "ada@lectern.example", "grace@lectern.example", "alan@lectern.example"} {
		t.Run(email, func(t *testing.T) {
			c := crawler{t: t, base: d.url, alike: map[string]int{}, client: person(t, d.url, email), seen: map[string]string{"/": "the address bar"}}
			c.todo = []string{"/"}
			for len(c.todo) > 0 {
				next := c.todo[0]
				c.todo = c.todo[1:]
				c.look(next)
			}
			if len(c.seen) < 100 {
				t.Errorf("only %d addresses found", len(c.seen))
			}
			if c.sheets < 1 || c.scripts < 2 || c.drawings < 2 {
				t.Errorf("of what pages load, only %d stylesheets, %d scripts and %d drawings were read", c.sheets, c.scripts, c.drawings)
			}
		})
	}
}

// person is a browser without a window in which somebody is signed in.
func person(t *testing.T, base, email string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	if email == "" {
		return c
	}
	response, err := c.PostForm(base+"/signin", url.Values{"email": {email}, "password": {seed.Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Request.URL.Path == "/signin" {
		t.Fatalf("sign in as %s: %d at %s", email, response.StatusCode, response.Request.URL)
	}
	return c
}

type crawler struct {
	t      *testing.T
	base   string
	client *http.Client
	seen   map[string]string // address → the page that linked to it
	todo   []string
	alike  map[string]int

	sheets, scripts, drawings int // that were read
}

// look fetches a page and notes what it links to.
func (c *crawler) look(address string) {
	response, err := c.client.Get(c.base + address)
	if err != nil {
		c.t.Errorf("%s (linked from %s): %v", address, c.seen[address], err)
		return
	}
	defer response.Body.Close()
	// A lesson may point to one of a course that the reader has not joined; the
	// page then says so and offers to join.
	notJoined := response.StatusCode == http.StatusForbidden && strings.Contains(address, "/lessons/")
	if response.StatusCode != http.StatusOK && !notJoined {
		c.t.Errorf("%s (linked from %s) answers %d", address, c.seen[address], response.StatusCode)
	}
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		c.lookInside(address, response)
		return
	}
	if response.Request.URL.Scheme+"://"+response.Request.URL.Host != c.base {
		return // another site, to which this one leads: its links are its own
	}
	root, err := html.Parse(response.Body)
	if err != nil {
		c.t.Errorf("%s: %v", address, err)
		return
	}
	p := page{elements: map[string]bool{}, ids: map[string]int{}, labelled: map[string]bool{}}
	p.read(root)
	p.complain(c.t, address)
	from := response.Request.URL
	p.comesFromHere(c.t, from)
	ownSourcesOnly(c.t, address, response.Header.Get("Content-Security-Policy"))
	for _, link := range p.links {
		u, err := from.Parse(link)
		if err != nil {
			c.t.Errorf("%s links to %q: %v", address, link, err)
			continue
		}
		if u.Host != from.Host {
			continue
		}
		if u.Fragment != "" && u.Path == from.Path && u.RawQuery == from.RawQuery && p.ids[u.Fragment] == 0 {
			c.t.Errorf("%s links to #%s, which is not on it", address, u.Fragment)
		}
		u.Fragment = ""
		if c.enough(u) {
			continue
		}
		if next := u.RequestURI(); c.seen[next] == "" {
			c.seen[next] = address
			c.todo = append(c.todo, next)
		}
	}
}

// enough reports whether addresses like this one were seen often enough: every page has
// a way to the door that leads back to it, and the matrix one to each of its cells in
// each of its filters.
func (c *crawler) enough(u *url.URL) bool {
	for _, parameter := range []string{"next", "cell"} {
		if u.Query().Has(parameter) {
			c.alike[u.Path+"?"+parameter]++
			return c.alike[u.Path+"?"+parameter] > 20
		}
	}
	return false
}

// page is what the crawler looks at in a page.
type page struct {
	links    []string
	loaded   []string // what a browser fetches for the page by itself
	elements map[string]bool
	ids      map[string]int
	labelled map[string]bool // ids that a label is for
	fields   []string        // ids of fields without a name of their own
	h1       int
}

func (p *page) read(n *html.Node) {
	if n.Type == html.ElementNode {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if id := attr["id"]; id != "" {
			p.ids[id]++
		}
		p.elements[n.Data] = true
		p.load(n.Data, attr)
		switch n.Data {
		case "h1":
			p.h1++
		case "a", "link":
			if href := attr["href"]; href != "" {
				p.links = append(p.links, href)
			}
		case "img", "script":
			if src := attr["src"]; src != "" {
				p.links = append(p.links, src)
			}
		case "label":
			p.labelled[attr["for"]] = true
		case "input", "select", "textarea":
			if attr["type"] != "hidden" && attr["aria-label"] == "" && attr["aria-labelledby"] == "" && !inside(n, "label") {
				p.fields = append(p.fields, attr["id"])
			}
		}
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		p.read(child)
	}
}

func inside(n *html.Node, element string) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.Data == element {
			return true
		}
	}
	return false
}

func (p *page) complain(t *testing.T, address string) {
	t.Helper()
	if p.h1 != 1 {
		t.Errorf("%s has %d h1", address, p.h1)
	}
	for id, n := range p.ids {
		if n > 1 {
			t.Errorf("%s has the id %q %d times", address, id, n)
		}
	}
	for _, id := range p.fields {
		if !p.labelled[id] {
			t.Errorf("%s: the field %q has no label", address, id)
		}
	}
}
