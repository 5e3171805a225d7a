package handlers

import (
	"time"

	"github.com/labstack/echo/v4"

	"lectern/handlers/auth"
)

// flowCookie holds the secret of a browser in which somebody is proving who they are;
// see auth.Flow. It is no session: nobody is signed in by it.
const flowCookie = "lectern-flow"

// browserOf is the browser that asks; empty for one that has begun nothing here.
func (s *Server) browserOf(c echo.Context) auth.Browser {
	for _, value := range s.cookies().Values(c.Request(), flowCookie) {
		if browser, ok := auth.ParseBrowser(value); ok {
			return browser
		}
	}
	return ""
}

// bindBrowser is the browser that asks, which gets a secret if it has none. Flows in
// several tabs share it.
func (s *Server) bindBrowser(c echo.Context) (auth.Browser, error) {
	if browser := s.browserOf(c); browser != "" {
		return browser, nil
	}
	browser, err := s.Flows.NewBrowser()
	if err != nil {
		return "", err
	}
	return browser, s.cookies().Set(c.Response(), flowCookie, string(browser), s.Now(), time.Time{})
}

// browserHash is by what rows know the browser that asks; nil for one that has begun
// nothing here.
func (s *Server) browserHash(c echo.Context) []byte {
	if browser := s.browserOf(c); browser != "" {
		return []byte(browser.Hash())
	}
	return nil
}
