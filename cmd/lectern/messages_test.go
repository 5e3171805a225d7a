package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
)

// TestServe_carriesMessages starts the program with a gateway and a mail server, the
// latter of which is away, and has it carry what another process wrote down.
func TestServe_carriesMessages(t *testing.T) {
	asked := make(chan string, 1)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.PostFormValue("Body"):
		default:
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer gateway.Close()
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away.Close()
	data := t.TempDir()
	_, log := serveDemo(t, "--data", data,
		"--smtp", "smtp://lectern:hunter2@"+away.Addr().String()+"?tls=none&from=post@school.example",
		"--sms-url", strings.Replace(gateway.URL, "http://", "http://account:hunter3@", 1)+"/messages?from=Lectern")
	place, err := openSchool(t.Context(), storage{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	for _, m := range []school.Message{
		{Channel: school.ByText, To: "+447700900123", Body: "Your code is 4711 0815."},
		{Channel: school.ByMail, To: "ada@school.example", Subject: "A code", Body: "Your code is 4711 0815."},
	} {
		m.ID, m.At, m.State = school.MustNewID(), time.Now(), school.MessageWaiting
		if err := place.AddMessage(context.WithoutCancel(t.Context()), m); err != nil {
			t.Fatal(err)
		}
	}
	if body := <-asked; body != "Your code is 4711 0815." {
		t.Errorf("the gateway was given %q", body)
	}
	untilHeard(t, func() bool {
		said := log.String()
		return strings.Contains(said, `"msg":"message sent"`) && strings.Contains(said, `"msg":"message not sent yet"`)
	})
	said := log.String()
	for _, where := range []string{`"mails_go_to":"` + away.Addr().String() + `"`, `"texts_go_to":"` + strings.TrimPrefix(gateway.URL, "http://") + `"`} {
		if !strings.Contains(said, where) {
			t.Errorf("the log lacks %s: %s", where, said)
		}
	}
	for _, private := range []string{"hunter", "4711", "+447700900123", "ada@school.example"} {
		if strings.Contains(said, private) {
			t.Errorf("the log holds %q: %s", private, said)
		}
	}
}
