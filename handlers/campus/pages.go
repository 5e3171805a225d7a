package campus

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

//go:embed pages.html campus.css
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages.html"))

// cookieName is of the one cookie that is set. It says which browser brought which
// question, and nothing about anybody.
const cookieName = "campus-id-browser"

// page is what stands on every page.
type page struct {
	Title string
	Here  string // the address of Campus ID, for people
	Site  Site   // the one that asks
	ID    string // of the request

	People []Person
	Person Person
	Told   []fact
	Kept   []string
	Given  []given
	Wrong  string
	Sites  []Site
}

// fact is something that a site will be told.
type fact struct{ Name, Short, Value, Says string }

// given is what somebody has agreed to.
type given struct {
	ID, Site, Person, Told string
	At                     string
}

// cookie is what names this browser, or nothing.
func cookie(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// browser names the browser, and gives it a name where it has none yet. Two tabs have
// the same, so that both can be answered.
func (p *Provider) browser(w http.ResponseWriter, r *http.Request) (string, error) {
	if name := cookie(r); len(name) == 43 {
		return name, nil
	}
	name, err := p.store.draw(32)
	if err != nil {
		return "", err
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: name, Path: "/id", MaxAge: int(memory / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(p.issuer, "https:"),
	})
	return name, nil
}

// toHome leads to where the browser also sends its cookie.
func (p *Provider) toHome(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/id/", http.StatusSeeOther)
}

func (p *Provider) showHome(w http.ResponseWriter, r *http.Request) {
	c := page{Title: "Campus ID", People: People, Sites: p.sites()}
	for _, asked := range p.store.given(cookie(r)) {
		var told []string
		for _, f := range facts(asked) {
			told = append(told, f.Short)
		}
		c.Given = append(c.Given, given{asked.id, p.store.sites[asked.site].Name, asked.person.Name, strings.Join(told, ", "), asked.answered.UTC().Format("15:04 UTC")})
	}
	p.show(w, r, http.StatusOK, "home", c)
}

func (p *Provider) sites() []Site {
	var all []Site
	for _, s := range p.store.sites {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Site) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (p *Provider) showPeople(w http.ResponseWriter, r *http.Request) {
	asked, ok := p.store.open(r.PathValue("id"), cookie(r))
	if !ok {
		p.showOver(w, r)
		return
	}
	p.show(w, r, http.StatusOK, "people", page{Title: "Who are you?", Site: p.store.sites[asked.site], ID: asked.id, People: People})
}

func (p *Provider) choosePerson(w http.ResponseWriter, r *http.Request) {
	if !p.ownForm(w, r) {
		return
	}
	id := r.PathValue("id")
	who, ok := personByKey(r.PostFormValue("person"))
	if !ok {
		p.showWrong(w, r, "Nobody here has that name.")
		return
	}
	if !p.store.choose(id, cookie(r), who) {
		p.showOver(w, r)
		return
	}
	http.Redirect(w, r, "/id/requests/"+url.PathEscape(id)+"/consent", http.StatusSeeOther)
}

// showConsent asks for each request anew, and says in words what will be told (ASVS
// 10.7.1, 10.7.2).
func (p *Provider) showConsent(w http.ResponseWriter, r *http.Request) {
	asked, ok := p.store.open(r.PathValue("id"), cookie(r))
	if !ok {
		p.showOver(w, r)
		return
	}
	if asked.person == nil {
		http.Redirect(w, r, "/id/requests/"+url.PathEscape(asked.id), http.StatusSeeOther)
		return
	}
	site := p.store.sites[asked.site]
	p.show(w, r, http.StatusOK, "consent", page{Title: "May " + site.Name + " know who you are?", Site: site, ID: asked.id, Person: *asked.person, Told: facts(asked), Kept: kept(asked)})
}

// facts are what a request asks to be told of a person.
func facts(asked request) []fact {
	all := []fact{{"An identifier", "an identifier", subject(*asked.person, asked.site), "It is always the same for you at this site, and no other site is told it."}}
	if slices.Contains(asked.scopes, oidc.ScopeProfile) {
		all = append(all, fact{"Your name", "the name", asked.person.Name, ""})
	}
	if slices.Contains(asked.scopes, oidc.ScopeEmail) {
		says := "With the word of Campus ID that it is yours."
		if !asked.person.Verified {
			says = "With the remark that Campus ID has not checked whether it is yours."
		}
		all = append(all, fact{"Your e-mail address", "the e-mail address", asked.person.Email, says})
	}
	return all
}

// kept are what it is not told.
func kept(asked request) []string {
	var all []string
	if !slices.Contains(asked.scopes, oidc.ScopeProfile) {
		all = append(all, "your name")
	}
	if !slices.Contains(asked.scopes, oidc.ScopeEmail) {
		all = append(all, "your e-mail address")
	}
	return append(all, "how you sign in here", "which other sites you use")
}

// answer sends the browser back with a yes or a no. Everything that is not a yes is
// a no.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request) {
	if !p.ownForm(w, r) {
		return
	}
	yes := r.PostFormValue("answer") == "yes"
	asked, code, ok, err := p.store.answer(r.PathValue("id"), cookie(r), yes)
	switch {
	case err != nil:
		p.showFailed(w, r, err)
	case !ok:
		p.showOver(w, r)
	case yes:
		p.toSite(w, r, asked.asked.RedirectURI, asked.asked.State, url.Values{"code": {code}})
	default:
		p.toSite(w, r, asked.asked.RedirectURI, asked.asked.State, url.Values{"error": {"access_denied"}, "error_description": {"The person said no."}})
	}
}

func (p *Provider) withdraw(w http.ResponseWriter, r *http.Request) {
	if !p.ownForm(w, r) {
		return
	}
	if !p.store.withdraw(r.PathValue("id"), cookie(r)) {
		p.showOver(w, r)
		return
	}
	http.Redirect(w, r, "/id/", http.StatusSeeOther)
}

// ownForm refuses a form that another site has sent.
func (p *Provider) ownForm(w http.ResponseWriter, r *http.Request) bool {
	if err := p.origins.Check(r); err != nil {
		p.showRefused(w, r, http.StatusForbidden, "This form was sent by another site. Nothing was told to anybody.")
		return false
	}
	return true
}

func (p *Provider) showWrong(w http.ResponseWriter, r *http.Request, what string) {
	p.showRefused(w, r, http.StatusBadRequest, what+" Nothing was told to anybody.")
}

// showOver is also the answer to another browser's request, which it learns nothing of.
func (p *Provider) showOver(w http.ResponseWriter, r *http.Request) {
	p.showRefused(w, r, http.StatusNotFound, "There is no such question in this browser. It may have been answered already, or it is older than ten minutes. Nothing was told to anybody by coming here.")
}

func (p *Provider) showNothing(w http.ResponseWriter, r *http.Request) {
	p.showRefused(w, r, http.StatusNotFound, "There is nothing at this address.")
}

func (p *Provider) showFailed(w http.ResponseWriter, r *http.Request, err error) {
	p.log.Error("campus: request failed", "err", err)
	p.showRefused(w, r, http.StatusInternalServerError, "Something went wrong at Campus ID. Nothing was told to anybody.")
}

func (p *Provider) showRefused(w http.ResponseWriter, r *http.Request, status int, what string) {
	p.show(w, r, status, "refused", page{Title: "It ends here", Wrong: what, Sites: p.sites()})
}

func (p *Provider) show(w http.ResponseWriter, r *http.Request, status int, name string, c page) {
	c.Here = p.issuer
	var buffer bytes.Buffer
	if err := pages.ExecuteTemplate(&buffer, name, c); err != nil {
		p.log.Error("campus: page failed", "page", name, "err", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(buffer.Bytes()) // whoever has gone does not miss it
}

func serveStyle(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "campus.css") }
