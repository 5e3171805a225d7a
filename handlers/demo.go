package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/handlers/policy"
	"lectern/views"
)

// demoRoutes are there only where the site is a demonstration (ASVS 15.2.3).
var demoRoutes = []route{
	{http.MethodPost, "/session/backend", to(policy.SessionSwitch), (*Server).switchBackend},
	{http.MethodGet, "/demo/components", to(policy.Browse), (*Server).showComponents},
	{http.MethodGet, "/demo/inbox", to(policy.Browse), (*Server).showInbox},
}

// showComponents shows every part that the pages are made of, with invented
// props, so that a part can be worked on without any data.
func (s *Server) showComponents(c echo.Context) error {
	return s.page(c, http.StatusOK, views.ComponentsPage(s.frame(c, "Components", "")))
}

// showInbox shows the mails and text messages that demo accounts got, and those that
// the visitor's own account got, or that this very browser caused for an account that
// was signed in to in it, or is yet to be opened. Other people's are not shown: in a
// demonstration, too, somebody may have an account of their own, and whoever asks for a
// code to it must not be able to read it here.
func (s *Server) showInbox(c echo.Context) error {
	after := c.QueryParam("after")
	found, err := s.DB.Inbox(c.Request().Context(), db.InboxQuery{
		Demo: true, User: visitorOf(c).user.ID, Browser: s.browserHash(c), After: after,
	})
	if err != nil {
		return err
	}
	p := views.InboxProps{Messages: found.Messages, Later: after != ""}
	if after != "" {
		p.First = listAddress(c, "")
	}
	if found.Next != "" {
		p.Next = listAddress(c, found.Next)
	}
	return s.page(c, http.StatusOK, views.InboxPage(s.frame(c, "Demo inbox", ""), p))
}
