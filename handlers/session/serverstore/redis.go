package serverstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"lectern/db/school"
	"lectern/handlers/session"
)

// Redis keeps records in a Redis: a cloakroom in a house of its own, which
// every server reaches over the street, and which throws coats out by itself
// when their time is over.
//
// A walk over the street is what a look-up costs, so there is exactly one to a
// request, also when the visit is noted on the way ([Visitor]). How long a
// record stays is told to Redis as a length of time, never as a time of day:
// its clock may go wrong, and nobody is signed out by that.
//
// What must be true of several keys at once is a script's business; see
// redisScripts.
type Redis struct {
	client  *redis.Client
	prefix  string
	breaker *breaker
	// beside is where the stores apart are: the same Redis, with connections and a
	// breaker of their own. It is nil in one of those.
	beside *Redis
}

// sitePrefix is what the names of all keys begin with.
const sitePrefix = "lectern:"

// Apart is another store in the same Redis, whose keys have a name of their own
// between the prefix and the rest, so that neither sees what is in the other. All
// stores apart share a few connections, and a breaker, which are not those of the
// store that was opened: whatever they are up to, it is not put to rest by that,
// nor does it wait for them. Only the store that was opened is to be closed.
func (r *Redis) Apart(name string) *Redis {
	from := r
	if r.beside != nil {
		from = r.beside
	}
	return &Redis{client: from.client, prefix: r.prefix + name + ":", breaker: from.breaker}
}

// redisBatch is how many sessions one script ends or changes at most, give or
// take a few. While a script runs everybody else waits.
const redisBatch = 500

// allKey names the set of all sessions, in the order of their ends.
func (r *Redis) allKey() string { return r.prefix + "sessions" }

// Place is "Redis".
func (r *Redis) Place() string { return "Redis" }

// Find reads the record.
func (r *Redis) Find(ctx context.Context, hash Hash) (session.Record, bool, error) {
	fields, err := r.run(ctx, redisFind, hash.String()).Slice()
	return foundRecord(fields, err)
}

// Visit reads the record and notes the visit, on one walk.
func (r *Redis) Visit(ctx context.Context, hash Hash, now time.Time, every, idle time.Duration) (rec session.Record, found, noted bool, err error) {
	fields, err := r.run(ctx, redisVisit, hash.String(), now.UnixMilli(), every.Milliseconds(), idle.Milliseconds()).Slice()
	if rec, found, err = foundRecord(fields, err); found {
		noted = fields[len(fields)-1] == int64(1)
	}
	return rec, found, noted, err
}

func foundRecord(fields []any, err error) (session.Record, bool, error) {
	if errors.Is(err, redis.Nil) {
		return session.Record{}, false, nil
	}
	if err != nil {
		return session.Record{}, false, err
	}
	rec, err := redisRecord(fields)
	return rec, err == nil, err
}

// redisRecord reads the fields as redisScripts give them.
func redisRecord(fields []any) (session.Record, error) {
	r := reading{fields: fields}
	rec := session.Record{
		Identity: session.Identity{UserID: school.ID(r.text()), Role: school.Role(r.text()), Methods: strings.Fields(r.text())},
		Remember: r.text() == "1",
	}
	rec.AuthAt, rec.CreatedAt, rec.SeenAt, rec.IdleUntil, rec.ExpiresAt = r.moment(), r.moment(), r.moment(), r.moment(), r.moment()
	rec.Address, rec.Device = r.text(), r.text()
	if r.failed {
		return session.Record{}, errors.New("session: what Redis keeps under this name is no record of a session")
	}
	return rec, nil
}

// reading goes through the fields of a record, one after the other.
type reading struct {
	fields []any
	failed bool
}

func (r *reading) text() string {
	if len(r.fields) == 0 {
		r.failed = true
		return ""
	}
	text, ok := r.fields[0].(string)
	r.fields, r.failed = r.fields[1:], r.failed || !ok
	return text
}

func (r *reading) moment() time.Time {
	milli, err := strconv.ParseInt(r.text(), 10, 64)
	r.failed = r.failed || err != nil
	return Moment(milli)
}

// Create writes the record.
func (r *Redis) Create(ctx context.Context, hash Hash, rec session.Record) error {
	remember := 0
	if rec.Remember {
		remember = 1
	}
	created, err := r.run(ctx, redisCreate, hash.String(), string(rec.UserID), string(rec.Role), strings.Join(rec.Methods, " "), remember,
		rec.AuthAt.UnixMilli(), rec.CreatedAt.UnixMilli(), rec.SeenAt.UnixMilli(), rec.IdleUntil.UnixMilli(), rec.ExpiresAt.UnixMilli(), rec.Address, rec.Device).Int()
	if err == nil && created == 0 {
		return errTaken
	}
	return err
}

// Touch notes a visit.
func (r *Redis) Touch(ctx context.Context, hash Hash, seenAt, idleUntil time.Time) (bool, error) {
	return r.run(ctx, redisTouch, hash.String(), seenAt.UnixMilli(), idleUntil.UnixMilli()).Bool()
}

// Delete removes a record.
func (r *Redis) Delete(ctx context.Context, hash Hash) (bool, error) {
	return r.run(ctx, redisDelete, hash.String(), "").Bool()
}

// DeleteOne removes a record of this person.
func (r *Redis) DeleteOne(ctx context.Context, user school.ID, hash Hash) (bool, error) {
	return r.run(ctx, redisDelete, hash.String(), string(user)).Bool()
}

// List reads a person's records.
func (r *Redis) List(ctx context.Context, user school.ID, now time.Time, limit int) ([]session.Record, error) {
	listed, err := r.run(ctx, redisList, string(user), now.UnixMilli(), limit).Slice()
	if err != nil {
		return nil, err
	}
	var all []session.Record
	for _, one := range listed {
		fields, _ := one.([]any)
		rec, err := redisRecord(fields)
		if err != nil {
			return nil, err
		}
		rec.Handle, _ = fields[len(fields)-1].(string)
		all = append(all, rec)
	}
	return all, nil
}

// DeleteUser removes a person's records, some at a time.
func (r *Redis) DeleteUser(ctx context.Context, user school.ID, except Hash) (int, error) {
	return r.walk(ctx, redisEnd, string(user), except.String())
}

// DeleteAll removes all records, some at a time.
func (r *Redis) DeleteAll(ctx context.Context, except Hash) (int, error) {
	return r.walk(ctx, redisEnd, "", except.String())
}

// SetRole changes the role in a person's records, some at a time.
func (r *Redis) SetRole(ctx context.Context, user school.ID, role school.Role) (int, error) {
	return r.walk(ctx, redisRole, string(user), string(role))
}

// walk runs a script over a set, some of it at a time, and adds up what it
// reports. It meets everything that was in the set from beginning to end of
// the walk; what comes meanwhile it may meet or not.
func (r *Redis) walk(ctx context.Context, script script, user, value string) (int, error) {
	total, cursor := 0, "0"
	for {
		answer, err := r.run(ctx, script, user, cursor, redisBatch, value).Slice()
		if err != nil {
			return total, err
		}
		next, ok := answer[0].(string)
		n, ok2 := answer[1].(int64)
		if !ok || !ok2 {
			return total, fmt.Errorf("session: Redis answers %v to a walk", answer)
		}
		total += int(n)
		if cursor = next; cursor == "0" {
			return total, nil
		}
	}
}

// Count is the number of records whose time is not over.
func (r *Redis) Count(ctx context.Context, now time.Time) (int, error) {
	var n int64
	err := r.ask(ctx, func(ctx context.Context) (err error) {
		n, err = r.client.ZCount(ctx, r.allKey(), "("+strconv.FormatInt(now.UnixMilli(), 10), "+inf").Result()
		return err
	})
	return int(n), err
}

// Sweep clears away at most limit records whose time is over, and the places
// where they were listed.
func (r *Redis) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return r.run(ctx, redisSweep, now.UnixMilli(), limit).Int()
}

// run runs a script on one walk; on two when Redis does not know it yet.
func (r *Redis) run(ctx context.Context, script script, args ...any) *redis.Cmd {
	var cmd *redis.Cmd
	if err := r.ask(ctx, func(ctx context.Context) error {
		cmd = script.Run(ctx, r.client, nil, append(args, r.prefix)...)
		return cmd.Err()
	}); cmd == nil {
		cmd = redis.NewCmd(ctx)
		cmd.SetErr(err)
	}
	return cmd
}

// ask asks Redis for something, unless it has been silent lately. Who has no time
// left does not ask: what they would not hear says nothing about Redis.
func (r *Redis) ask(ctx context.Context, question func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !r.breaker.allows() {
		return errResting
	}
	brief, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	err := question(brief)
	var answer redis.Error
	switch {
	case err == nil, errors.As(err, &answer):
		r.breaker.heard() // an error that Redis itself reports is an answer, too
	case errors.Is(ctx.Err(), context.Canceled):
		// The visitor has hung up, which says nothing about Redis.
	default:
		r.breaker.silent()
	}
	return err
}
