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
	return s.signUpPage(c, http.StatusOK, views.SignUpProps{Next: localPath(c.QueryParam("next"))})
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
	p := views.SignUpProps{Name: f.typed("name"), Email: f.typed("email"), Next: localPath(f.get("next")), Errors: map[string]string{}}
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
	began := s.Now()
	flow := auth.Flow{Purpose: auth.ToSignUp, FlowState: auth.FlowState{Name: name, PasswordHash: hash, ProvedAt: began, Next: p.Next, Sent: &auth.Destination{Email: email}}}
	if s.carries(school.ByMail) {
		return s.beginSignUp(c, flow, email)
	}
	return s.openNewAccount(c, flow)
}

// beginSignUp sends a code to the address of a new account. An address that has one
// gets a letter that says so, and the page is the same: whoever tries addresses here
// learns nothing about them (ASVS 6.3.8).
func (s *Server) beginSignUp(c echo.Context, flow auth.Flow, email school.Email) error {
	credential, err := s.DB.CredentialByEmail(c.Request().Context(), email)
	if err != nil && !errors.Is(err, school.ErrNotFound) {
		return err
	}
	flow.User = credential.User.ID
	return s.sendCode(c, flow, *flow.Sent, credential.User, nil)
}

// openNewAccount opens an account, once its address has shown itself where it can, and
// signs its owner in.
func (s *Server) openNewAccount(c echo.Context, flow auth.Flow) error {
	id, err := school.NewID(s.Random)
	if err != nil {
		return err
	}
	email := flow.Sent.Email
	user := school.User{ID: id, Email: email, Name: flow.Name, Role: school.Student, CreatedAt: s.Now()}
	var identities []school.Identity
	flow.Proved = []school.Method{school.Password}
	if flow.Identity != nil {
		identity := *flow.Identity
		if identity.ID, err = school.NewID(s.Random); err != nil {
			return err
		}
		identities, flow.Proved = append(identities, identity), []school.Method{school.ByProvider}
	}
	err = s.DB.CreateUser(toTheEnd(c), user, flow.PasswordHash, identities...)
	if errors.Is(err, school.ErrEmailTaken) {
		p := views.SignUpProps{Name: flow.Name, Email: string(email), Next: flow.Next, Errors: map[string]string{
			"email": "This address cannot be used for a new account. If it is yours, sign in instead.",
		}}
		return s.signUpPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return s.welcome(c, user, flow, school.ActionSignUp)
}

// welcome signs the owner of a new account in.
func (s *Server) welcome(c echo.Context, user school.User, flow auth.Flow, action string) error {
	s.Passwords.Welcome(c.Request().Context(), user.Email, address(c))
	if err := s.startSession(c, user, flow); err != nil {
		return s.notSignedIn(c, err, views.SignInProps{Email: string(user.Email), Next: localPath(flow.Next)})
	}
	s.recordAs(c, school.Person{ID: user.ID, Name: user.Name}, action, user.Name, "")
	s.noteEntry(c, user, flow.Proved)
	if next := s.pageAt(flow.Next, "/"); next != "/" {
		return seeOther(c, next)
	}
	return seeOther(c, "/learning?said=welcome")
}
