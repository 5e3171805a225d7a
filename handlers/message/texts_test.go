package message_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/handlers/message"
)

// gateway is one for text messages.
type gateway struct {
	mu     sync.Mutex
	asked  []*http.Request
	status int
	to     string // where it sends on to
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = r.ParseForm()
	g.asked = append(g.asked, r)
	if g.to != "" {
		w.Header().Set("Location", g.to)
	}
	w.WriteHeader(g.status)
	_, _ = w.Write([]byte(`{"body":"` + r.PostFormValue("Body") + `"}`))
}

// gatewayAt is a gateway's address as the program is told it.
func gatewayAt(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	u.User = url.UserPassword("AC0815", smtpPassword)
	return u.String() + "/2010-04-01/Messages.json?key=k&from=+15550006789"
}

func TestNewTexts_refusesWhatCannotBe(t *testing.T) {
	for _, row := range []struct{ setting, says string }{
		{"sms.example", "https://"},
		{"ftp://account:hunter2@sms.example?from=Lectern", "https://"},
		{"https://account:hun%ter2@sms.example?from=Lectern", "%40"},
		{"https://?from=Lectern", "https://"},
		{"http://account:hunter2@sms.example?from=Lectern", "this machine"},
		{"https://account@sms.example?from=Lectern", "account:token@host"},
		{"https://account:hunter2@sms.example", "?from="},
		{"https://account:hunter2@sms.example?from=", "?from="},
		{"https://account:hunter2@sms.example?from=+0155", "?from="},
		{"https://account:hunter2@sms.example?from=Lectern%0aTo", "?from="},
		{"https://account:hunter2@sms.example?from=Lectern;a", "cannot be read"},
	} {
		_, err := message.NewTexts(row.setting, nil)
		if err == nil {
			t.Errorf("%s is accepted", row.setting)
		} else if !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hun") {
			t.Errorf("%s: %v; want %q", row.setting, err, row.says)
		}
	}
	for _, from := range []string{"+15550006789", "%2B15550006789", "12345", "Lectern", "My%20School"} {
		if _, err := message.NewTexts("https://account:hunter2@sms.example/x?from="+from, nil); err != nil {
			t.Errorf("from %s: %v", from, err)
		}
	}
}

func TestTexts_goToTheGatewayOnly(t *testing.T) {
	elsewhere := &gateway{status: http.StatusCreated}
	other := httptest.NewServer(elsewhere)
	defer other.Close()
	g := &gateway{status: http.StatusTemporaryRedirect, to: other.URL}
	server := httptest.NewServer(g)
	defer server.Close()
	texts, err := message.NewTexts(gatewayAt(t, server.URL), nil)
	must(t, err)
	if err := texts.Carry(t.Context(), text()); err == nil || errors.Is(err, message.ErrRefused) {
		t.Errorf("a gateway that sends on: got %v, want an error after which it is tried again", err)
	}
	if len(elsewhere.asked) > 0 {
		t.Error("the message and the password went where the gateway sent them on to")
	}
	unknown := httptest.NewUnstartedServer(elsewhere)
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	defer unknown.Close()
	if texts, err = message.NewTexts(gatewayAt(t, unknown.URL), nil); err != nil {
		t.Fatal(err)
	}
	if err := texts.Carry(t.Context(), text()); err == nil || len(elsewhere.asked) > 0 {
		t.Errorf("a gateway with a certificate that nobody signed whom we know: got %v", err)
	} else {
		wantNoSecret(t, err)
	}
	server.Close()
	texts, err = message.NewTexts(gatewayAt(t, server.URL), nil)
	must(t, err)
	if err := texts.Carry(t.Context(), text()); err == nil {
		t.Error("a gateway that is away took a message")
	} else {
		wantNoSecret(t, err)
	}
}

// wantNoSecret fails if an error quotes what only the gateway should see.
func wantNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{smtpPassword, url.PathEscape(smtpPassword), "AC0815", "key=k", "Messages.json", number, "4711"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error quotes %q: %v", secret, err)
		}
	}
}

func TestTexts_arriveAsAForm(t *testing.T) {
	g := &gateway{status: http.StatusCreated}
	server := httptest.NewTLSServer(g)
	defer server.Close()
	roots := newAuthority(t).roots()
	roots.AddCert(server.Certificate())
	texts, err := message.NewTexts(gatewayAt(t, server.URL), roots)
	must(t, err)
	must(t, texts.Carry(t.Context(), text()))
	if len(g.asked) != 1 {
		t.Fatalf("the gateway was asked %d times", len(g.asked))
	}
	r := g.asked[0]
	if user, password, ok := r.BasicAuth(); !ok || user != "AC0815" || password != smtpPassword {
		t.Errorf("it came as %q with %q", user, password)
	}
	if r.Method != http.MethodPost || r.URL.String() != "/2010-04-01/Messages.json?key=k" {
		t.Errorf("it came to %s %s", r.Method, r.URL)
	}
	if want := (url.Values{"To": {number}, "From": {"+15550006789"}, "Body": {secret}}); r.PostForm.Encode() != want.Encode() {
		t.Errorf("the form is %v, want %v", r.PostForm, want)
	}
}

func TestTexts_areTriedAgainWhereThatIsOfUse(t *testing.T) {
	for _, row := range []struct {
		says   string
		status int
		want   row
	}{
		{"a number that is none", 400, row{"given up", 1, ""}},
		{"a token that is wrong, and can be mended", 401, row{"waiting", 1, secret}},
		{"too many", 429, row{"waiting", 1, secret}},
		{"away", 503, row{"waiting", 1, secret}},
		{"taken", 201, row{"sent", 1, ""}},
	} {
		t.Run(row.says, func(t *testing.T) {
			server := httptest.NewServer(&gateway{status: row.status})
			defer server.Close()
			texts, err := message.NewTexts(gatewayAt(t, server.URL), nil)
			must(t, err)
			p := newPost(t, false, nil, texts)
			must(t, p.Send(t.Context(), text()))
			p.carry(0)
			p.carry(time.Second)
			p.wantRows(row.says, row.want)
			wantNoSecret(t, errors.New(p.log.String()))
		})
	}
}
