package handlers

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/views"
	"lectern/views/ui"
)

// pageComponent is a page that is ready to be rendered, and pageView makes it
// out of its frame.
type (
	pageComponent = templ.Component
	pageView      = func(views.Frame) pageComponent
)

// Limits of the page cache. A page of the catalogue has some 30,000 bytes, so
// either may be the first to be reached.
const (
	maxPages     = 512
	maxPageBytes = 16 << 20
	pageLives    = 2 * time.Second // another process may write to the same database
)

// pageCache keeps pages that are the same for every visitor without a session.
// The zero value is empty and ready. When it is full it starts again from
// nothing: its pages live for seconds, so there is no order worth keeping.
type pageCache struct {
	mu    sync.RWMutex
	pages map[string]cachedPage
	bytes int
}

// cachedPage is a page in pieces. Between two pieces belongs the time that this
// request's look at its cookies took: the X-ray strip is of the request, and
// without a session that time is all of it that differs.
type cachedPage struct {
	pieces  [][]byte
	size    int
	version uint64 // of the catalogue, read before the page was made
	made    time.Time
}

func (p cachedPage) fresh(version uint64, now time.Time) bool {
	return p.version == version && now.Sub(p.made) < pageLives && !now.Before(p.made)
}

func (k *pageCache) get(key string) (cachedPage, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok := k.pages[key]
	return p, ok
}

func (k *pageCache) put(key string, p cachedPage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bytes += p.size - k.pages[key].size
	if k.pages == nil || len(k.pages) >= maxPages || k.bytes > maxPageBytes {
		k.pages, k.bytes = map[string]cachedPage{}, p.size
	}
	k.pages[key] = p
}

// pageKey is under which name the page of q is kept for this request: it holds
// all that the page says of the visitor. ok is false where the page is
// somebody's own: with a session cookie, good or bad, or with a sentence about
// what they have just done.
func (s *Server) pageKey(c echo.Context, q db.CourseQuery) (key string, ok bool) {
	r, v := c.Request(), visitorOf(c)
	if trace := &v.visit.Trace; v.SignedIn() || trace.Cookie != "" || len(trace.Steps()) != 1 {
		return "", false
	}
	open := ""
	if r.URL.RawQuery != "" {
		params := c.QueryParams()
		if params.Has("said") {
			return "", false
		}
		open = params.Get("xray")
		if open != "open" {
			open = ""
		}
	}
	looked := v.visit.Trace.Steps()[0].Where // another place where a cookie came along, though none of a session
	return s.themeOf(r) + " " + open + " " + v.visit.Backend() + " " + looked + " " + catalogueAddress(q), true
}

// stripMark stands for the X-ray strip, and timeMark for the times in it,
// while a page is made to be kept. No page can hold the first, since text is
// escaped; no strip can hold the second, since the only words of a visitor's
// in it are an address, which has no spaces.
const (
	stripMark = "<x-ray/>"
	timeMark  = 87_654_321 * time.Second
)

// cachedPage sends the page that is kept under key, or makes it by read.
func (s *Server) cachedPage(c echo.Context, key string, read func() (views.Frame, pageView, error)) error {
	version, now := s.DB.CatalogueVersion(), s.Now()
	p, ok := s.pages.get(key)
	if !ok || !p.fresh(version, now) {
		var err error
		if p, err = makePage(c, read); err != nil {
			return err
		}
		p.version, p.made = version, now
		s.pages.put(key, p)
	}
	page := templ.GetBuffer()
	defer templ.ReleaseBuffer(page)
	took := ui.Took(visitorOf(c).visit.Trace.Steps()[0].Took)
	for i, piece := range p.pieces {
		if i > 0 {
			page.WriteString(took)
		}
		page.Write(piece)
	}
	c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(page.Len()))
	return c.HTMLBlob(http.StatusOK, page.Bytes())
}

func makePage(c echo.Context, read func() (views.Frame, pageView, error)) (cachedPage, error) {
	f, view, err := read()
	if err != nil {
		return cachedPage{}, err
	}
	x := f.XRay
	x.Total = timeMark
	for i := range x.Steps {
		x.Steps[i].Took = timeMark
	}
	f.Strip = templ.Raw(stripMark)
	var page, strip bytes.Buffer
	if err := view(f).Render(c.Request().Context(), &page); err != nil {
		return cachedPage{}, err
	}
	if err := views.SessionXRay(x).Render(c.Request().Context(), &strip); err != nil {
		return cachedPage{}, err
	}
	before, after, _ := bytes.Cut(page.Bytes(), []byte(stripMark))
	pieces := bytes.Split(strip.Bytes(), []byte(ui.Took(timeMark)))
	pieces[0] = slices.Concat(before, pieces[0])
	last := len(pieces) - 1
	pieces[last] = slices.Concat(pieces[last], after)
	return cachedPage{pieces: pieces, size: page.Len() + strip.Len()}, nil
}
