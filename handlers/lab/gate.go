package lab

import (
	"context"
	"errors"
	"sync"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
)

// gate stands between the site and the stores of its sessions. It can be shut, so
// that no store answers, and it can hold a write that is on its way, as a slow
// network does.
type gate struct {
	mu   sync.Mutex
	shut bool
	hold bool
	held chan struct{} // closed when the held write may go on
	// arrived is told when a write is being held.
	arrived chan struct{}
}

var errShut = errors.New("lab: the store was taken away")

// close takes the stores away.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// open gives them back, and lets go what was held.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.hold = false, false
	if g.held != nil {
		close(g.held)
		g.held = nil
	}
}

// holdNext has the next note of a visit wait.
func (g *gate) holdNext() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold, g.arrived = true, make(chan struct{})
}

// ask is called before a store is asked for anything.
func (g *gate) ask() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return errShut
	}
	return nil
}

// visit is called before a visit is noted. A write that was held has left the
// server: it arrives even if nobody waits for it any more, and the context that is
// returned is so.
func (g *gate) visit(ctx context.Context) (context.Context, error) {
	g.mu.Lock()
	if g.shut {
		g.mu.Unlock()
		return ctx, errShut
	}
	if !g.hold {
		g.mu.Unlock()
		return ctx, nil
	}
	g.hold, g.held = false, make(chan struct{})
	held := g.held
	close(g.arrived)
	g.mu.Unlock()
	<-held
	return context.WithoutCancel(ctx), nil
}

// register is the part of both stores that needs no number.
type register struct {
	serverstore.Records
	gate *gate
}

func (r register) List(ctx context.Context, user school.ID, now time.Time, limit int) ([]session.Record, error) {
	if err := r.gate.ask(); err != nil {
		return nil, err
	}
	return r.Records.List(ctx, user, now, limit)
}

func (r register) DeleteOne(ctx context.Context, user school.ID, hash serverstore.Hash) (bool, error) {
	if err := r.gate.ask(); err != nil {
		return false, err
	}
	return r.Records.DeleteOne(ctx, user, hash)
}

func (r register) DeleteUser(ctx context.Context, user school.ID, except serverstore.Hash) (int, error) {
	if err := r.gate.ask(); err != nil {
		return 0, err
	}
	return r.Records.DeleteUser(ctx, user, except)
}

func (r register) DeleteAll(ctx context.Context, except serverstore.Hash) (int, error) {
	if err := r.gate.ask(); err != nil {
		return 0, err
	}
	return r.Records.DeleteAll(ctx, except)
}

func (r register) SetRole(ctx context.Context, user school.ID, role school.Role) (int, error) {
	if err := r.gate.ask(); err != nil {
		return 0, err
	}
	return r.Records.SetRole(ctx, user, role)
}

// gatedRecords is a store of records behind a gate.
type gatedRecords struct {
	register
	store serverstore.Store
}

// gatedVisitor is one that notes a visit with the look-up.
type gatedVisitor struct {
	gatedRecords
	visitor serverstore.Visitor
}

// records puts the gate before a store.
func (g *gate) records(store serverstore.Store) serverstore.Store {
	gated := gatedRecords{register{store, g}, store}
	if visitor, ok := store.(serverstore.Visitor); ok {
		return gatedVisitor{gated, visitor}
	}
	return gated
}

func (s gatedRecords) Place() string { return s.store.Place() }

func (s gatedRecords) Find(ctx context.Context, hash serverstore.Hash) (session.Record, bool, error) {
	if err := s.gate.ask(); err != nil {
		return session.Record{}, false, err
	}
	return s.store.Find(ctx, hash)
}

func (s gatedRecords) Create(ctx context.Context, hash serverstore.Hash, rec session.Record) error {
	if err := s.gate.ask(); err != nil {
		return err
	}
	return s.store.Create(ctx, hash, rec)
}

func (s gatedRecords) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	ctx, err := s.gate.visit(ctx)
	if err != nil {
		return false, err
	}
	return s.store.Touch(ctx, hash, seenAt, idleUntil)
}

func (s gatedRecords) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if err := s.gate.ask(); err != nil {
		return false, err
	}
	return s.store.Delete(ctx, hash)
}

func (s gatedVisitor) Visit(ctx context.Context, hash serverstore.Hash, now time.Time, every, idle time.Duration) (session.Record, bool, bool, error) {
	ctx, err := s.gate.visit(ctx)
	if err != nil {
		return session.Record{}, false, false, err
	}
	return s.visitor.Visit(ctx, hash, now, every, idle)
}

// gatedFamilies is a store of families behind a gate.
type gatedFamilies struct {
	register
	store hybrid.Store
}

// families puts the gate before a store.
func (g *gate) families(store hybrid.Store) hybrid.Store {
	return gatedFamilies{register{store, g}, store}
}

func (s gatedFamilies) Place() string { return s.store.Place() }

func (s gatedFamilies) Find(ctx context.Context, hash serverstore.Hash) (hybrid.Family, bool, error) {
	if err := s.gate.ask(); err != nil {
		return hybrid.Family{}, false, err
	}
	return s.store.Find(ctx, hash)
}

func (s gatedFamilies) Create(ctx context.Context, hash serverstore.Hash, family hybrid.Family) error {
	if err := s.gate.ask(); err != nil {
		return err
	}
	return s.store.Create(ctx, hash, family)
}

func (s gatedFamilies) Rotate(ctx context.Context, hash, presented serverstore.Hash, to hybrid.Rotation) (bool, error) {
	ctx, err := s.gate.visit(ctx)
	if err != nil {
		return false, err
	}
	return s.store.Rotate(ctx, hash, presented, to)
}

func (s gatedFamilies) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	ctx, err := s.gate.visit(ctx)
	if err != nil {
		return false, err
	}
	return s.store.Touch(ctx, hash, seenAt, idleUntil)
}

func (s gatedFamilies) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if err := s.gate.ask(); err != nil {
		return false, err
	}
	return s.store.Delete(ctx, hash)
}
