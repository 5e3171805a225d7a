package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/views"
)

// showHome says what this is; somebody who is signed in is shown their next
// step.
func (s *Server) showHome(c echo.Context) error {
	return s.page(c, http.StatusOK, views.HomePage(s.frame(c, "Home", ""), views.HomeProps{}))
}
