package main

import (
	"crypto/rand"
	"log/slog"
	"net"
	"net/url"
	"time"

	"lectern/handlers/auth"
	"lectern/handlers/campus"
	"lectern/handlers/lab/othersite"
)

// demoCampusAddr is where Campus ID listens in the demo unless something else is asked
// for.
const demoCampusAddr = "127.0.0.1:8081"

// campusAddr is where Campus ID shall listen; empty for nowhere.
func (s *settings) campusAddr() string {
	switch {
	case s.DemoProviderAddr == noOther || s.DemoProviderAddr == "" && !s.Demo:
		return ""
	case s.DemoProviderAddr == "":
		return demoCampusAddr
	}
	return s.DemoProviderAddr
}

// openCampus starts Campus ID, and returns the way to sign in by it and what ends it.
// Where it cannot be, there is no such way, and the rest is served all the same.
func (s *settings) openCampus(base *url.URL, log *slog.Logger) (*auth.Provider, func()) {
	address, none := s.campusAddr(), func() {}
	if address == "" {
		return nil, none
	}
	missing := func(why string, err error) (*auth.Provider, func()) {
		log.Warn("the demo's sign-in provider is missing", "setting", "demo-provider-addr", "why", why, "err", err)
		return nil, none
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return missing("it cannot listen", err)
	}
	issuer := campusIssuer(base, listener)
	if issuer == "" {
		_ = listener.Close() // nobody has come yet
		return missing("visitors of "+base.String()+" cannot reach "+listener.Addr().String(), nil)
	}
	// The secret is known to these two alone, and to each only until it is stopped.
	client := auth.Client{Slug: campusSlug, Name: "Campus ID", ID: "lectern", Secret: rand.Text(), BaseURL: base, Now: time.Now}
	provider := auth.NewOIDC(issuer, client)
	house, err := campus.New(campus.Config{
		Issuer: issuer,
		Sites:  []campus.Site{{ID: client.ID, Secret: client.Secret, Name: "Lectern", Home: base.String(), Redirect: provider.Redirect()}},
		Log:    log, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		_ = listener.Close()
		return missing("it cannot be made", err)
	}
	end := serveBeside(house, listener, log)
	log.Info("the demo's sign-in provider", "issuer", issuer, "redirect", provider.Redirect())
	return provider, end
}

// campusIssuer is where browsers find Campus ID: another host than ours where there is
// one, since a cookie knows no ports.
func campusIssuer(base *url.URL, listener net.Listener) string {
	place := othersite.PlaceOf(base, listening(listener))
	if place.Apart != "" {
		return place.Apart
	}
	return place.NextDoor
}
