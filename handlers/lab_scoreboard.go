package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// showLab is the scoreboard, with all experiments below it.
func (s *Server) showLab(c echo.Context) error {
	return c.NoContent(http.StatusNotImplemented)
}
