package lab

import (
	"context"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

// Call is one request that somebody makes in a small world.
type Call struct {
	Kind string // of session
	// Person is by whose name they sign in first; nobody does if it is empty.
	Person string
	// In the path and the form, braces are filled in as in a script.
	Method, Path string
	Form         []Field
	Fetch        bool // it wants JSON
}

// Ask makes a request in a small world of its own, which is made by build and gone
// afterwards. It is bounded as a run is, and takes a run's place in the line: it
// returns a [*FullError] when too many wait already.
func (l *Lab) Ask(ctx context.Context, build Builder, q Call) (x *Exchange, err error) {
	leave, err := l.queue.enter(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, l.queue.bounds.Time)
	defer cancel()
	setup := Setup{Name: q.Kind, Kind: q.Kind, Label: kindLabels[q.Kind], Family: familyOf(q.Kind), Revocation: session.RevokeNone, Algorithm: string(token.HS256), Servers: 1}
	w, err := l.open(ctx, build, &setup, l.now())
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := w.close(); closing != nil {
			l.log.Error("small world not closed", "asked", q.Path, "err", closing)
		}
	}()
	const asker = "asker"
	if err := w.admit(map[string]bool{asker: false}); err != nil {
		return nil, err
	}
	w.column, w.entry = &Column{}, &Entry{}
	who := w.actors[asker]
	if q.Person != "" {
		if err := signIn([]string{"", q.Person, ""})(w, who); err != nil {
			return nil, err
		}
	}
	e, err := w.filled(errand{method: q.Method, path: q.Path, fetch: q.Fetch}, q.Form, who)
	if err != nil {
		return nil, err
	}
	if x, err = w.send(who, e); err != nil {
		return nil, err
	}
	x.Response.Excerpt = w.page.excerpt()
	return x, ctx.Err()
}
