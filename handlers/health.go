package handlers

import (
	"context"
	"maps"
	"net/http"
	"slices"
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
	ctx, cancel := context.WithTimeout(c.Request().Context(), 1500*time.Millisecond)
	defer cancel()
	wrong := s.Sessions.OutOfReach(ctx)
	if err := s.DB.Ping(ctx); err != nil {
		wrong["database"] = err
	}
	if len(wrong) == 0 {
		return c.String(http.StatusOK, "ready\n")
	}
	answer := ""
	for _, what := range slices.Sorted(maps.Keys(wrong)) {
		s.Log.Warn("not ready", "what", what, "err", wrong[what])
		answer += what + ": not reachable\n"
	}
	return c.String(http.StatusServiceUnavailable, answer)
}
