package handlers

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/views"
	"lectern/views/ui"
)

// An admin invites somebody: names them, and says what they are to be. The password is
// for whoever is invited to choose (ASVS 6.4.1), so what the admin causes is a letter.
// Only where nothing carries mail is the letter's address shown, once, to be handed
// over.

func (s *Server) showInvitations(c echo.Context) error {
	return s.invitationsPage(c, http.StatusOK, views.InvitationsProps{Role: string(school.Student)})
}

func (s *Server) invitationsPage(c echo.Context, status int, p views.InvitationsProps) error {
	found, err := s.DB.Invitations(c.Request().Context(), c.QueryParam("after"))
	if err != nil {
		return err
	}
	for _, i := range found.Invitations {
		p.Invitations = append(p.Invitations, views.InvitationRow{Invitation: i, Role: roleLabel(i.Role), State: i.State(s.Now())})
	}
	if c.QueryParam("after") != "" {
		p.First = listAddress(c, "")
	}
	if found.Next != "" {
		p.Next = listAddress(c, found.Next)
	}
	for _, role := range school.Roles {
		p.Roles = append(p.Roles, ui.Option{Value: string(role), Label: roleLabel(role)})
	}
	p.Mail = s.carries(school.ByMail)
	return s.adminPage(c, "Invitations", func(f views.Frame) error { return s.page(c, status, views.InvitationsPage(f, p)) })
}

// invite keeps an invitation and sends the letter.
func (s *Server) invite(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	p := views.InvitationsProps{Name: f.typed("name"), Email: f.typed("email"), Role: f.typed("role"), Errors: map[string]string{}}
	wrong := fieldErrors(p.Errors)
	i := school.Invitation{By: visitorOf(c).person(), MadeAt: s.Now(), ExpiresAt: s.Now().Add(school.InvitationLife)}
	if i.Name, err = school.ParseName(f.get("name")); wrong.note(err) != nil {
		return err
	}
	if i.Email, err = school.ParseEmail(f.get("email")); wrong.note(err) != nil {
		return err
	}
	if i.Role, err = school.ParseRole(f.get("role")); wrong.note(err) != nil {
		return err
	}
	if len(wrong) > 0 {
		return s.invitationsPage(c, http.StatusUnprocessableEntity, p)
	}
	if i.ID, err = school.NewID(s.Random); err != nil {
		return err
	}
	token, err := auth.DrawInvitation(s.Random)
	if err != nil {
		return err
	}
	err = s.DB.Invite(toTheEnd(c), i, token.Hash())
	if errors.Is(err, school.ErrEmailTaken) {
		p.Errors["email"] = "This address has an account already. Look for it among the people."
		return s.invitationsPage(c, http.StatusConflict, p)
	}
	if err != nil {
		return err
	}
	mailed := s.carries(school.ByMail)
	detail := string(i.Email) + ", as " + string(i.Role)
	if !mailed {
		detail += "; the address to open it was shown, to be handed over"
	}
	event := s.record(c, school.ActionInvite, i.Name, detail)
	if !mailed {
		return s.invitationsPage(c, http.StatusOK, views.InvitationsProps{Role: string(school.Student), Link: s.invitationAddress(token), For: i.Name})
	}
	if err := s.postInvitation(c, i, token); err != nil {
		return err
	}
	return seeOther(c, withEvent("/admin/invitations", event))
}

func (s *Server) invitationAddress(token auth.InvitationToken) string {
	return s.longAddress("/invitation/" + string(token))
}

// postInvitation sends the letter. In a demonstration it arrives in the inbox of the
// browser that caused it, since whoever is invited has none.
func (s *Server) postInvitation(c echo.Context, i school.Invitation, token auth.InvitationToken) error {
	m := school.Message{
		Channel: school.ByMail, To: string(i.Email), Subject: "You are invited to Lectern", At: i.MadeAt, Until: i.ExpiresAt,
		Body: fmt.Sprintf("%s invites you to Lectern, as %s. Open your account here, with a password that you choose and nobody else learns:\n\n%s\n\nThe address is good once, until %s. Whoever has it can open the account, so keep it to yourself. If you expect no invitation, you need do nothing: there is no account unless you open it.\n\n%s",
			i.By.Name, article(i.Role), s.invitationAddress(token), i.ExpiresAt.Local().Format(ui.DayTime), s.BaseURL),
	}
	if s.Demo {
		browser, err := s.bindBrowser(c)
		if err != nil {
			return err
		}
		m.Browser = []byte(browser.Hash())
	}
	return s.Messages.Send(detached(c), m)
}

// article is a role in a sentence.
func article(role school.Role) string {
	if role == school.Student {
		return "a student"
	}
	return "an " + string(role)
}

func (s *Server) revokeInvitation(c echo.Context) error {
	id, err := school.ParseID(c.Param("id"))
	if err != nil {
		return err
	}
	i, err := s.DB.RevokeInvitation(toTheEnd(c), id, s.Now())
	if err != nil {
		return err
	}
	event := s.record(c, school.ActionInviteRevoke, i.Name, string(i.Email))
	return seeOther(c, withEvent("/admin/invitations", event))
}
