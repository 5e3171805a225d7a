package handlers

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"lectern/handlers/lab"
	"lectern/handlers/session"
)

// Kept is everything about sessions that lies on the world's servers, whatever kind
// they are of: each row in the database, and each record in a server's memory or in
// Redis.
func (w *smallWorld) Kept(ctx context.Context) ([]lab.Kept, error) {
	rows, err := w.db.SessionRows(ctx, w.plan.Setup.Revocation != session.RevokeNone)
	if err != nil {
		return nil, err
	}
	var all []lab.Kept
	for _, row := range rows {
		kept := lab.Kept{Place: "the database, table " + row.Table, Bytes: row.Bytes}
		for i, name := range row.Names {
			kept.Fields = append(kept.Fields, lab.Field{Name: name, Value: row.Values[i]})
		}
		all = append(all, kept)
	}
	for i, name := range slices.Sorted(maps.Keys(w.servers)) {
		for _, b := range w.servers[name].kinds.Offered {
			place := places[b.Name()]
			switch {
			case b.Name() == session.Memory:
				place = "the memory of server " + name
			case b.Name() != session.Redis || i > 0: // all servers share the one
				continue
			}
			found, err := w.listed(ctx, b, place)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// listed are the records that a backend lists of everybody in the world.
func (w *smallWorld) listed(ctx context.Context, b session.Backend, place string) ([]lab.Kept, error) {
	lister, ok := b.(session.Lister)
	if !ok {
		return nil, nil
	}
	var all []lab.Kept
	for _, p := range w.people {
		records, err := lister.List(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for _, rec := range records {
			all = append(all, lab.Kept{Place: place, Fields: recordFields(rec), Bytes: recordBytes(rec)})
		}
	}
	return all, nil
}

func recordFields(rec session.Record) []lab.Field {
	moment := func(t time.Time) string { return t.UTC().Format(time.DateTime) }
	return []lab.Field{
		{Name: "id_hash", Value: rec.Handle},
		{Name: "user_id", Value: string(rec.UserID)},
		{Name: "role", Value: string(rec.Role)},
		{Name: "methods", Value: strings.Join(rec.Methods, " ")},
		{Name: "auth_at", Value: moment(rec.AuthAt)},
		{Name: "seen_at", Value: moment(rec.SeenAt)},
		{Name: "idle_until", Value: moment(rec.IdleUntil)},
		{Name: "expires_at", Value: moment(rec.ExpiresAt)},
		{Name: "address", Value: rec.Address},
		{Name: "device", Value: rec.Device},
	}
}

// recordBytes is what the values of a record take that is in no table: its hash, five
// times, whether it is to be remembered, and the texts.
func recordBytes(rec session.Record) int {
	return len(rec.Handle)/2 + 5*8 + 8 + len(rec.UserID) + len(rec.Role) + len(strings.Join(rec.Methods, " ")) + len(rec.Address) + len(rec.Device)
}
