package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/handlers/policy"
	"lectern/views"
)

// demoRoutes are there only where the site is a demonstration (ASVS 15.2.3).
var demoRoutes = []route{
	{http.MethodPost, "/session/backend", to(policy.SessionSwitch), (*Server).switchBackend},
	{http.MethodGet, "/demo/components", to(policy.Browse), (*Server).showComponents},
}

// showComponents shows every part that the pages are made of, with invented
// props, so that a part can be worked on without any data.
func (s *Server) showComponents(c echo.Context) error {
	return s.page(c, http.StatusOK, views.ComponentsPage(s.frame(c, "Components", "")))
}
