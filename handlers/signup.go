package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/views"
)

func (s *Server) showSignUp(c echo.Context) error {
	if visitorOf(c).SignedIn() {
		return seeOther(c, "/learning")
	}
	return s.signUpPage(c, http.StatusOK, views.SignUpProps{})
}

func (s *Server) signUpPage(c echo.Context, status int, p views.SignUpProps) error {
	return s.page(c, status, views.SignUpPage(s.frame(c, "Open an account", ""), p))
}

// signUp opens an account and signs its owner in.
func (s *Server) signUp(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	// Before the password is looked at, because that may take as long as a hash.
	if err := s.SignUps.Take(c.Request().Context(), address(c)); err != nil {
		return err
	}
	p := views.SignUpProps{Name: f.typed("name"), Email: f.typed("email"), Errors: map[string]string{}}
	wrong := fieldErrors(p.Errors)
	name, err := school.ParseName(f.get("name"))
	if err := wrong.note(err); err != nil {
		return err
	}
	email, err := school.ParseEmail(f.get("email"))
	if err := wrong.note(err); err != nil {
		return err
	}
	if err := wrong.note(auth.CheckNew(f.get("password"), name, string(email))); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return s.signUpPage(c, http.StatusUnprocessableEntity, p)
	}
	ctx := c.Request().Context()
	hash, err := s.Hasher.Hash(ctx, f.get("password"))
	if err != nil {
		return err
	}
	id, err := school.NewID(s.Random)
	if err != nil {
		return err
	}
	user := school.User{ID: id, Email: email, Name: name, Role: school.Student, CreatedAt: s.Now()}
	err = s.DB.CreateUser(toTheEnd(c), user, hash)
	if errors.Is(err, school.ErrEmailTaken) {
		wrong["email"] = "This address cannot be used for a new account. If it is yours, sign in instead."
		return s.signUpPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	s.Passwords.Welcome(c.Request().Context(), email, address(c))
	if err := s.startSession(c, user, user.CreatedAt, "", false); err != nil {
		return s.notSignedIn(c, err, views.SignInProps{Email: string(email), Next: "/"})
	}
	s.recordAs(c, school.Person{ID: user.ID, Name: user.Name}, school.ActionSignUp, user.Name, "")
	return seeOther(c, "/learning?said=welcome")
}
