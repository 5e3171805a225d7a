package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// alive says that the program runs.
func (s *Server) alive(c echo.Context) error {
	return c.String(http.StatusOK, "alive\n")
}

// ready says whether what the program needs can be reached, and names what
// cannot.
func (s *Server) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := s.DB.Ping(ctx); err != nil {
		s.Log.Warn("not ready", "what", "database", "err", err)
		return c.String(http.StatusServiceUnavailable, "database: not reachable\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
