package handlers

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/views"
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

// pageCache keeps pages that are the same for every visitor without a cookie.
// The zero value is empty and ready. When it is full it starts again from
// nothing: its pages live for seconds, so there is no order worth keeping.
type pageCache struct {
	mu    sync.RWMutex
	pages map[string]cachedPage
	bytes int
}

// cachedPage is a page in two halves. Between them belongs the X-ray strip,
// which is of the request and is never kept.
type cachedPage struct {
	before, after []byte
	version       uint64 // of the catalogue, read before the page was made
	made          time.Time
}

func (p cachedPage) fresh(version uint64, now time.Time) bool {
	return p.version == version && now.Sub(p.made) < pageLives && !now.Before(p.made)
}

func (p cachedPage) size() int { return len(p.before) + len(p.after) }

func (k *pageCache) get(key string) (cachedPage, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	p, ok := k.pages[key]
	return p, ok
}

func (k *pageCache) put(key string, p cachedPage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bytes += p.size() - k.pages[key].size()
	if k.pages == nil || len(k.pages) >= maxPages || k.bytes > maxPageBytes {
		k.pages, k.bytes = map[string]cachedPage{}, p.size()
	}
	k.pages[key] = p
}

// pageKey is under which name the page of q is kept for this request. ok is
// false where the page is somebody's own: with any cookie but the one that
// chooses light or dark, or with a sentence about what they have just done.
func pageKey(c echo.Context, q db.CourseQuery) (key string, ok bool) {
	r := c.Request()
	theme := ""
	if len(r.Header["Cookie"]) > 0 {
		for _, cookie := range r.Cookies() {
			if cookie.Name != themeCookie {
				return "", false
			}
		}
		theme = themeOf(r)
	}
	if c.QueryParams().Has("said") || visitorOf(c).SignedIn() {
		return "", false
	}
	return theme + " " + catalogueAddress(q), true
}

// stripMark stands for the X-ray strip while a page is made to be kept. No
// page can hold it: text is escaped.
const stripMark = "<x-ray/>"

// cachedPage sends the page that is kept under key, or makes it by read.
func (s *Server) cachedPage(c echo.Context, key string, read func() (views.Frame, pageView, error)) error {
	version, now := s.DB.CatalogueVersion(), s.Now()
	p, ok := s.pages.get(key)
	if !ok || !p.fresh(version, now) {
		f, view, err := read()
		if err != nil {
			return err
		}
		f.Strip = templ.Raw(stripMark)
		var made bytes.Buffer
		if err := view(f).Render(c.Request().Context(), &made); err != nil {
			return err
		}
		p = cachedPage{version: version, made: now}
		p.before, p.after, _ = bytes.Cut(made.Bytes(), []byte(stripMark))
		s.pages.put(key, p)
	}
	strip := templ.GetBuffer()
	defer templ.ReleaseBuffer(strip)
	if err := views.SessionXRay(s.xray(c)).Render(c.Request().Context(), strip); err != nil {
		return err
	}
	return sendParts(c, p.before, strip.Bytes(), p.after)
}

// sendParts sends a page that lies in memory in parts.
func sendParts(c echo.Context, parts ...[]byte) error {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	w.Header().Set(echo.HeaderContentLength, strconv.Itoa(size))
	w.WriteHeader(http.StatusOK)
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
