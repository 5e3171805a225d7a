package main

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"lectern/handlers/lab/othersite"
)

// demoOtherAddr is where the lab's other site listens unless something else is asked
// for. It is the machine itself: nobody else is to be attacked from here.
const demoOtherAddr = "127.0.0.1:8082"

// noOther turns the other site off in the demo, too.
const noOther = "none"

// otherAddr is where the other site shall listen; empty for nowhere.
func (s *settings) otherAddr() string {
	switch {
	case s.LabOtherAddr == noOther || s.LabOtherAddr == "" && !s.Demo:
		return ""
	case s.LabOtherAddr == "":
		return demoOtherAddr
	}
	return s.LabOtherAddr
}

func (s *settings) checkOtherAddr() error {
	if s.otherAddr() == "" {
		return nil
	}
	return checkAddr("lab-other-addr", s.otherAddr(), demoOtherAddr)
}

// openOtherSite starts the lab's other site, and returns where browsers find it and
// what ends it. That it cannot be is no reason not to serve the rest.
func (s *settings) openOtherSite(base *url.URL, log *slog.Logger) (othersite.Place, func()) {
	address := s.otherAddr()
	if address == "" {
		return othersite.Place{Missing: othersite.Off}, func() {}
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Warn("the lab's other site is missing", "setting", "lab-other-addr", "err", err)
		return othersite.Place{Missing: othersite.Taken}, func() {}
	}
	place := othersite.PlaceOf(base, listening(listener))
	if !place.There() {
		log.Warn("the lab's other site is missing: visitors cannot reach it", "setting", "lab-other-addr", "listens", listener.Addr().String(), "base_url", base.String())
		_ = listener.Close() // nobody has come yet
		return place, func() {}
	}
	end := serveBeside(othersite.New(base), listener, log)
	log.Info("the lab's other site", "apart", place.Apart, "next_door", place.NextDoor)
	return place, end
}

// serveBeside serves something small beside the site, and returns what ends it.
func serveBeside(handler http.Handler, listener net.Listener, log *slog.Logger) func() {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // until it is closed
	}()
	return func() {
		_ = server.Close() // its pages can be asked for again
		<-ended
	}
}

// listening is the address of a listener.
func listening(l net.Listener) netip.AddrPort {
	if tcp, ok := l.Addr().(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}
