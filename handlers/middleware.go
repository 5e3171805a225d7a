package handlers

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
)

// maxForm bounds the body of a request in bytes. The largest honest one is a
// lesson of 400,000 characters, form-encoded.
const maxForm = 4 << 20

// use puts the layers round every request, outermost first.
func (s *Server) use() {
	s.echo.Pre(
		s.identify,      // a number for the log and for the visitor to quote
		s.logRequests,   // one line for each request, whatever becomes of it
		s.recoverPanics, // a bug is one failed request, not a dead server
		s.secureHeaders, // on every response, errors included
		s.refuseForeign, // no other site's page may act with our cookies
		s.limitBodies,   // nobody fills the memory
	)
}

const requestIDKey = "request id"

// identify draws the request's number. One that the client sends is not
// believed, because it ends up in the log.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var raw [9]byte
		if _, err := rand.Read(raw[:]); err != nil {
			return err
		}
		id := base64.RawURLEncoding.EncodeToString(raw[:])
		c.Set(requestIDKey, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

func requestID(c echo.Context) string {
	id, _ := c.Get(requestIDKey).(string)
	return id
}

// logRequests writes who asked for what and what became of it: never a
// cookie, a query or a form, which may hold a secret (ASVS 16.2.5). What was
// refused to somebody is told apart from what is not there (ASVS 16.3.2).
func (s *Server) logRequests(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		level := slog.LevelInfo
		if c.Response().Status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
		attrs := []slog.Attr{
			slog.String("id", requestID(c)),
			slog.String("method", c.Request().Method),
			slog.String("path", loggedPath(c.Request().URL)),
			slog.Int("status", c.Response().Status),
			slog.Int64("bytes", c.Response().Size),
			slog.Duration("took", time.Since(start)),
			slog.String("address", c.RealIP()),
		}
		if v := visitorOf(c); v.visit != nil {
			attrs = append(attrs, slog.String("session", v.visit.Trace.Backend))
			if v.SignedIn() {
				attrs = append(attrs, slog.String("user", string(v.user.ID)))
			}
			if reason := v.visit.Trace.Reason; reason != "" {
				attrs = append(attrs, slog.String("refused", string(reason)))
			}
		}
		if denied := deniedIn(c, err); denied != "" {
			attrs = append(attrs, slog.String("denied", denied))
		}
		s.Log.LogAttrs(c.Request().Context(), level, "request", attrs...)
		return nil
	}
}

// deniedIn is what was refused by a rule, as the log calls it; empty where nothing was.
// The status says how: 303 or 401 to a visitor, 403 openly, 404 as if there were nothing.
func deniedIn(c echo.Context, err error) string {
	d := visitorOf(c).decision
	switch {
	case errors.Is(err, errForeign):
		return "cross-origin"
	case errors.Is(err, errConfirm):
		return "unconfirmed"
	case errors.Is(err, errClosed):
		return "closed"
	case d.Action != "" && !d.Allowed():
		return string(d.Action)
	}
	return ""
}

func (s *Server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				s.Log.Error("panic", "id", requestID(c), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
				err = errPanic
			}
		}()
		return next(c)
	}
}

var errPanic = errors.New("handlers: panic, see the log")

// contentPolicy lets a page load what this site serves and nothing else: no
// inline script or style, no frame, no form to elsewhere (ASVS 3.4.3, 3.4.6).
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

func (s *Server) secureHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	https := s.BaseURL.Scheme == "https"
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		h.Set("X-Frame-Options", "DENY")
		if https {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		return next(c)
	}
}

// refuseForeign is the defence against cross-site request forgery: a browser
// says where a request comes from, and an unsafe one from another origin is
// refused (ASVS 3.5.1). Programs that are no browsers say nothing and pass;
// they have no cookies to be abused.
//
// A request with an access token has no need of this: a browser adds no token
// by itself. It is not excepted all the same. Whoever says cross-site is a
// browser, since scripts cannot write that header, and a page of another origin
// cannot send a token here at all: the Authorization header has it ask
// beforehand, and no answer of ours says that it may (there is no CORS). So an
// exception would serve nobody, and would have to be kept right.
func (s *Server) refuseForeign(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := s.origins.Check(c.Request())
		s.noteAttempt(c, err != nil)
		if err != nil {
			return fmt.Errorf("%w: %w", errForeign, err)
		}
		return next(c)
	}
}

func (s *Server) limitBodies(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.Body != nil {
			r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
		}
		return next(c)
	}
}

// addressOf says how a visitor's address is found. Echo's own default believes
// X-Forwarded-For from anybody; here only the configured proxies are believed,
// and without any the connection's own address counts (ASVS 4.1.3, 15.3.4).
func addressOf(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		options = append(options, echo.TrustIPRange(&net.IPNet{
			IP:   p.Masked().Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
