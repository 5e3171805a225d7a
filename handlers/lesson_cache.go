package handlers

import (
	"sync"

	"lectern/handlers/markdown"
)

// maxRenderings bounds the memory of kept renderings, in bytes of their text
// and HTML.
const maxRenderings = 32 << 20

// renderings keeps what Markdown became. Rendering is pure, so the text itself
// is the key: nothing that is kept can be out of date, whatever happens to the
// version of a lesson (putting the demo school back lowers it). The zero value
// is empty and ready. When it is full it starts again from nothing.
type renderings struct {
	mu    sync.RWMutex
	kept  map[string]markdown.Document
	bytes int
}

// rendered is text as it stands on a page.
func (s *Server) rendered(text string) markdown.Document {
	k := &s.renderings
	k.mu.RLock()
	doc, ok := k.kept[text]
	k.mu.RUnlock()
	if ok {
		return doc
	}
	doc = s.markdown.Render(text)
	size := len(text) + len(doc.HTML)
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.kept[text]; ok {
		return doc // somebody else was quicker
	}
	if k.bytes += size; k.kept == nil || k.bytes > maxRenderings {
		k.kept, k.bytes = map[string]markdown.Document{}, size
	}
	k.kept[text] = doc
	return doc
}
