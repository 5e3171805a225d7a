package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// Whoever is invited opens the account from the address in their letter. The address is
// a secret, so no cache keeps the page, nothing is told where its reader came from, and
// the log has no more of it than that it is an invitation.
var invitationRoutes = []route{
	{http.MethodGet, invitationPath + ":token", to(policy.Browse), (*Server).showInvitation},
	{http.MethodPost, invitationPath + ":token", to(policy.Browse), (*Server).acceptInvitation},
}

const invitationPath = "/invitation/"

// errNoInvitation: it was used, taken back, or is over, or there never was such a one.
var errNoInvitation = errors.New("handlers: no such invitation")

// loggedPath is a path as the server's log has it: without what opens an invitation, and
// encoded as it came, so that nothing in it is a control character to whoever reads on.
func loggedPath(u *url.URL) string {
	if strings.HasPrefix(u.Path, invitationPath) {
		return invitationPath + "…"
	}
	return u.EscapedPath()
}

// invitationAsked is the open invitation in the address.
func (s *Server) invitationAsked(c echo.Context) (auth.InvitationToken, school.Invitation, error) {
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	token, ok := auth.ParseInvitation(c.Param("token"))
	if !ok {
		return "", school.Invitation{}, errNoInvitation
	}
	i, err := s.DB.Invitation(c.Request().Context(), token.Hash(), s.Now())
	if errors.Is(err, school.ErrNotFound) {
		err = errNoInvitation
	}
	return token, i, err
}

func (s *Server) showInvitation(c echo.Context) error {
	token, i, err := s.invitationAsked(c)
	if err != nil {
		return err
	}
	return s.invitationPage(c, http.StatusOK, token, i, views.InvitationProps{})
}

func (s *Server) invitationPage(c echo.Context, status int, token auth.InvitationToken, i school.Invitation, p views.InvitationProps) error {
	p.Token, p.Name, p.Email, p.Role, p.By = string(token), i.Name, string(i.Email), article(i.Role), i.By.Name
	p.Until = i.ExpiresAt
	return s.page(c, status, views.InvitationPage(s.frame(c, "Your invitation", ""), p))
}

// acceptInvitation opens the account with the password that was chosen, and signs its
// owner in.
func (s *Server) acceptInvitation(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	token, i, err := s.invitationAsked(c)
	if err != nil {
		return err
	}
	wrong := fieldErrors{}
	if err := wrong.note(auth.CheckNew(f.get("password"), i.Name, string(i.Email))); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return s.invitationPage(c, http.StatusUnprocessableEntity, token, i, views.InvitationProps{Error: wrong["password"]})
	}
	began := s.Now()
	hash, err := s.Hasher.Hash(c.Request().Context(), f.get("password"))
	if err != nil {
		return err
	}
	id, err := school.NewID(s.Random)
	if err != nil {
		return err
	}
	user, err := s.DB.AcceptInvitation(toTheEnd(c), token.Hash(), school.User{ID: id, CreatedAt: s.Now()}, hash)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return errNoInvitation
	case errors.Is(err, school.ErrEmailTaken):
		return s.invitationPage(c, http.StatusConflict, token, i, views.InvitationProps{Taken: true})
	case err != nil:
		return err
	}
	flow := auth.Flow{Purpose: auth.ToSignUp, FlowState: auth.FlowState{Proved: []school.Method{school.Password}, ProvedAt: began}}
	return s.welcome(c, user, flow, school.ActionInviteAccept)
}
