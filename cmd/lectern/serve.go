package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"lectern/db"
	"lectern/handlers"
	"lectern/handlers/auth"
	"lectern/handlers/bearer"
	"lectern/handlers/lab"
	"lectern/handlers/lab/othersite"
	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
	"lectern/seed"
)

type serveCommand struct {
	settings `embed:""`
}

// Bounds of the lab. A run takes a fifth of a second with its rests, so whoever stands
// last in the line waits for some twenty. A class that sits behind one address runs an
// experiment each at the same moment.
const (
	labTime    = 10 * time.Second
	labWaiting = 100
)

var labByAddress = auth.Limit{Name: "lab", Burst: 200, Per: 2 * time.Minute}

// Bounds of a class. Two hundred learners behind one address may mistype every other
// code, and each change their mind about three families a few times, all in the same
// minute. Whoever guesses codes has 14,500 tries in the day that a class lives, of 3.2
// million.
var (
	classCodesByAddress = auth.Limit{Name: "class codes", Burst: 100, Per: 10 * time.Minute}
	classFormsByAddress = auth.Limit{Name: "class forms", Burst: 3000, Per: 2 * time.Minute}
)

// passkeyAsksByAddress is how often passkeys may be asked from one address. Each sign-in
// page that stands open asks once in five minutes, and there may be five hundred behind
// one address.
var passkeyAsksByAddress = auth.Limit{Name: "passkeys", Burst: 1000, Per: 5 * time.Minute}

// grace is how long requests in flight may take to finish after a signal.
const grace = 10 * time.Second

// cutOff is how long requests may take to notice that they have been cut off.
const cutOff = 2 * time.Second

// Run serves the site until ctx ends, and then stops without dropping anybody.
func (s *serveCommand) Run(ctx context.Context, con console) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(con.err, nil))
	school, err := openSchool(ctx, s.storage)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, school.Close()) }()
	if s.Demo {
		if err := seed.Fill(ctx, school); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", s.Addr, err)
	}
	defer listener.Close()
	distant, err := s.openRedis(ctx, log)
	if err != nil {
		return err
	}
	if distant != nil {
		defer func() { err = errors.Join(err, distant.Close()) }()
	}
	base, err := s.baseURL(s.shown(listener))
	if err != nil {
		return err
	}
	other, closeOther := s.openOtherSite(base, log)
	defer closeOther()
	providers, closeProviders, err := s.openProviders(ctx, base, log)
	if err != nil {
		return err
	}
	defer closeProviders()
	site, background, err := s.build(ctx, school, distant, base, other, providers, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.out, "listening on http://%s\n", s.shown(listener))
	return s.serve(ctx, site, background, listener, log)
}

// shown is the listening address with the host that was asked for.
func (s *settings) shown(listener net.Listener) string {
	host, _, _ := net.SplitHostPort(s.Addr)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// serve answers requests until ctx ends, doing meanwhile what is to be done in the
// background.
func (s *serveCommand) serve(ctx context.Context, site *handlers.Server, background func(context.Context), listener net.Listener, log *slog.Logger) error {
	var inFlight sync.WaitGroup
	server := &http.Server{
		Handler:           counted(&inFlight, site),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	// Screens that are told things live hear that it is over; they would keep the
	// server from stopping for a minute.
	server.RegisterOnShutdown(site.Close)
	defer site.Close()
	meanwhile, stop := context.WithCancel(ctx)
	defer stop()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		background(meanwhile)
	}()
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		stop()
		<-finished
		return err
	case <-ctx.Done():
	}
	log.Info("stopping", "grace", grace.String())
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if err != nil {
		// Whoever is still there is cut off and waited for, so that nobody asks
		// a database that has been closed.
		err = errors.Join(err, server.Close())
		waitAtMost(&inFlight, cutOff)
	}
	<-finished
	return err
}

// counted notes which requests are being answered.
func counted(inFlight *sync.WaitGroup, site http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inFlight.Add(1)
		defer inFlight.Done()
		site.ServeHTTP(w, r)
	})
}

func waitAtMost(inFlight *sync.WaitGroup, limit time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		inFlight.Wait()
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// build puts the parts together. distant is nil without a Redis.
func (s *serveCommand) build(ctx context.Context, school *db.DB, distant *serverstore.Redis, base *url.URL, other othersite.Place, providers []*auth.Provider, log *slog.Logger) (*handlers.Server, func(context.Context), error) {
	proxies, err := s.proxies()
	if err != nil {
		return nil, nil, err
	}
	keys, err := s.keyring(s.storage, log)
	if err != nil {
		return nil, nil, err
	}
	tokens := token.NewIssuer(token.Config{Keys: keys, Site: base.String(), Now: time.Now, Random: rand.Reader})
	cookies := session.Cookies{Secure: base.Scheme == "https"}
	kinds, err := s.kinds(ctx, school, distant, tokens, cookies)
	if err != nil {
		return nil, nil, err
	}
	manager, err := session.NewManager(ctx, session.Config{
		Backends:   kinds.Offered,
		Default:    s.Sessions,
		Ladder:     kinds.Ladder,
		Revocation: s.JWTRevocation,
		Cookies:    cookies,
		Lifetimes:  s.lifetimes(),
		People:     school,
		Settings:   school,
		Choose:     s.Demo,
		Now:        time.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	sayWhatKeeps(log, manager, keys)
	experiments, err := lab.New(lab.Config{
		Build: handlers.SmallWorlds(distant), Redis: distant != nil, Now: time.Now,
		Bounds: lab.Bounds{Time: labTime, AtOnce: max(1, runtime.NumCPU()/2), Waiting: labWaiting, Rest: 3},
		Log:    log,
	})
	if err != nil {
		return nil, nil, err
	}
	tries, err := db.OpenTries(ctx, school, rand.Reader, time.Now)
	if err != nil {
		return nil, nil, err
	}
	seal, err := s.seal()
	if err != nil {
		return nil, nil, err
	}
	outbox, err := s.outbox(school, log)
	if err != nil {
		return nil, nil, err
	}
	site, err := handlers.New(handlers.Config{
		DB:       school,
		Sessions: manager,
		Ways: auth.NewWays(auth.WaysConfig{
			Store: school, Hasher: auth.NewHasher(rand.Reader, runtime.NumCPU()), Counts: tries, BaseURL: base, Seal: seal, Random: rand.Reader, Now: time.Now, Log: log,
		}),
		Messages:    outbox,
		Keys:        keys,
		SignUps:     auth.NewSharedLimiter(auth.SignUpByAddress, tries, time.Now),
		PasskeyAsks: auth.NewLimiter(passkeyAsksByAddress, time.Now),
		Tokens:      bearer.New(tokens, time.Now),
		Lab:         experiments,
		LabRedis:    distant,
		LabRuns:     auth.NewLimiter(labByAddress, time.Now),
		ClassCodes:  auth.NewLimiter(classCodesByAddress, time.Now),
		ClassForms:  auth.NewLimiter(classFormsByAddress, time.Now),
		OtherSite:   other,
		Providers:   providers,
		Log:         log,
		Now:         time.Now,
		Random:      rand.Reader,
		BaseURL:     base,
		Demo:        s.Demo,
		Proxies:     proxies,
	})
	swept := append(kinds.Swept, tries, db.LabRuns{DB: school, Now: time.Now}, db.Classes{DB: school, Now: time.Now}, db.Flows{DB: school, Now: time.Now}, db.Messages{DB: school, Now: time.Now})
	return site, together(outbox.Run, housekeeping(log, manager, keys, swept)), err
}

// together does several things at once and ends when all of them have.
func together(all ...func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		var group sync.WaitGroup
		for _, do := range all {
			group.Go(func() { do(ctx) })
		}
		group.Wait()
	}
}

// sealFile is the key under which secrets lie in the database that have to be read
// again.
const sealFile = "seal.key"

func (s *serveCommand) seal() (*auth.Seal, error) {
	key, err := auth.LoadSealKey(filepath.Join(s.Data, sealFile), rand.Reader)
	if err != nil {
		return nil, err
	}
	return auth.NewSeal(key, rand.Reader)
}

// sayWhatKeeps has the log begin with what keeps people signed in, and who chose
// it.
func sayWhatKeeps(log *slog.Logger, manager *session.Manager, keys *token.Keyring) {
	site, by := manager.Site(), "the settings"
	if !site.SwitchedAt.IsZero() {
		by = "an admin"
	}
	log.Info("sessions", "kind", site.Backend, "chosen_by", by, "carried_from", site.CarryFrom,
		"revocation", site.Revocation, "algorithm", keys.Algorithm(), "kinds", manager.Names())
}

// databaseFile is the school, in the data folder.
const databaseFile = "lectern.db"

// openSchool opens the database in the data folder and makes both where there
// are none.
func openSchool(ctx context.Context, s storage) (*db.DB, error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data folder: %w", err)
	}
	return db.Open(ctx, filepath.Join(s.Data, databaseFile))
}
