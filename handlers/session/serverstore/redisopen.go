package serverstore

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// redisPatience is how long Redis may take to answer, with all that it takes
// to reach it. A request that asks twice before it gives up is still answered
// within two seconds.
const redisPatience = 700 * time.Millisecond

// redisConnections is how many requests talk to Redis at once. The others wait
// for their turn, which is over in less than a thousandth of a second.
const redisConnections = 32

// redisConnectionsBeside is the same for all stores apart ([Redis.Apart]).
const redisConnectionsBeside = 8

var errRedisAddress = errors.New("not an address such as redis://localhost:6379/0 or rediss://user:password@host:6380")

// What goes wrong with Redis is returned as an error, and logged once by who
// asked. The client's own lines beside the log of the site would tell it twice.
func init() { logging.Disable() }

// CheckRedisAddress refuses what OpenRedis would refuse, and opens nothing. The
// error does not repeat the address, which may hold a password.
func CheckRedisAddress(address string) error {
	_, err := redisOptions(address)
	return err
}

// OpenRedis makes a store of the Redis at an address, redis:// or, through TLS,
// rediss://. It does not go there yet: a Redis that is away now may come later.
// now is the clock by which one that is silent is given a rest.
func OpenRedis(address string, now func() time.Time) (*Redis, error) {
	options, err := redisOptions(address)
	if err != nil {
		return nil, err
	}
	fewer := *options
	fewer.PoolSize = redisConnectionsBeside
	beside := &Redis{client: redis.NewClient(&fewer), prefix: sitePrefix, breaker: &breaker{now: now}}
	return &Redis{client: redis.NewClient(options), prefix: sitePrefix, breaker: &breaker{now: now}, beside: beside}, nil
}

func redisOptions(address string) (*redis.Options, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errRedisAddress
	}
	options, err := redis.ParseURL(address)
	if err != nil {
		return nil, errRedisAddress
	}
	options.ClientName = "lectern"
	options.DisableIdentity = true
	options.Protocol = 2
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	options.PoolSize = redisConnections
	options.PipelinePoolSize = -1 // none beside it
	// One try, and an answer in time: who has to hear "not now" hears it soon,
	// and asking again is the browser's affair.
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.ContextTimeoutEnabled = true
	options.DialTimeout = redisPatience
	options.ReadTimeout = redisPatience
	options.WriteTimeout = redisPatience
	options.PoolTimeout = redisPatience
	return options, nil
}

// Close gives the connections back, also those of the stores apart. Of one of these
// it does nothing.
func (r *Redis) Close() error {
	if r.beside == nil {
		return nil
	}
	return errors.Join(r.client.Close(), r.beside.client.Close())
}

// Ping asks whether Redis answers and can do what is asked of it here. It also
// teaches it the scripts, so that the first visitor does not wait for that.
func (r *Redis) Ping(ctx context.Context) error {
	return r.ask(ctx, func(ctx context.Context) error {
		_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, script := range redisScripts {
				p.ScriptLoad(ctx, script.text)
			}
			return nil
		})
		return err
	})
}

// Forgets reports whether Redis is set to throw out what it holds when its
// memory is full (maxmemory-policy), sessions among them, and the name of that
// policy. Where Redis does not say, as many who rent it out have it, nothing is
// known and the answer is no.
func (r *Redis) Forgets(ctx context.Context) (policy string, forgets bool) {
	_ = r.ask(ctx, func(ctx context.Context) error {
		settings, err := r.client.ConfigGet(ctx, "maxmemory-policy").Result()
		policy = settings["maxmemory-policy"]
		return err
	})
	return policy, policy != "" && !strings.HasPrefix(policy, "noeviction")
}
