package session

import (
	"context"

	"github.com/gorilla/sessions"

	"lectern/db/school"
)

// Visit is one request's session: what [Manager.Load] found, kept with the
// request, so that two visitors never share any of it.
type Visit struct {
	// Trace is what it took to find out.
	Trace Trace

	backend Backend // the one that this visitor's session is kept with
	session *sessions.Session
	record  *Record // nil for an anonymous visitor
}

// Record returns the visitor's session. It reports false for an anonymous
// visitor. The record must not be changed.
func (v *Visit) Record() (Record, bool) {
	if v == nil || v.record == nil {
		return Record{}, false
	}
	return *v.record, true
}

// UserID is whose session it is; empty for an anonymous visitor.
func (v *Visit) UserID() school.ID {
	rec, _ := v.Record()
	return rec.UserID
}

// Backend is the name of the backend that this visitor's session is kept with,
// or would be kept with after signing in.
func (v *Visit) Backend() string {
	if v == nil || v.backend == nil {
		return None
	}
	return v.backend.Name()
}

// RoleSource says where the role of this session was read.
func (v *Visit) RoleSource() RoleSource {
	if v == nil || v.backend == nil {
		return ""
	}
	return v.backend.RoleSource()
}

// Forget makes this request anonymous without ending anything, for a person
// who turns out to be no longer in the school.
func (v *Visit) Forget(reason Reason) {
	v.record = nil
	v.Trace.Backend = None
	v.Trace.Reason = reason
}

type visitKey struct{}

// WithVisit returns a context that carries the visit.
func WithVisit(ctx context.Context, v *Visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// VisitFrom returns the request's visit, or nil where none was loaded.
func VisitFrom(ctx context.Context) *Visit {
	v, _ := ctx.Value(visitKey{}).(*Visit)
	return v
}

// TraceFrom returns the request's trace, or nil where nobody is looking.
func TraceFrom(ctx context.Context) *Trace {
	if v := VisitFrom(ctx); v != nil {
		return &v.Trace
	}
	return nil
}
