package message_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"lectern/db/school"
	"lectern/handlers/message"
)

const (
	smtpUser     = "lectern"
	smtpPassword = "p@ss/word?&%" // of what a URL has to escape
)

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A test's authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(raw)
	must(t, err)
	return &authority{t, cert, key}
}

// roots are those who believe this authority.
func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// certify makes a certificate for a host.
func (a *authority) certify(host string) *tls.Config {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, a.cert, key.Public(), a.key)
	must(a.t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// postOffice is a real SMTP server.
type postOffice struct {
	address string
	mu      sync.Mutex
	mails   []delivered
	answers []error // to the recipients of one mail each; then nil
	data    error   // to every text
	secure  []bool  // whether each sign-in was encrypted
}

type delivered struct{ from, to, text string }

// open starts the server. secure is its certificate; nil for none. implicit has TLS
// begin with the first byte.
func (o *postOffice) open(t *testing.T, secure *tls.Config, implicit bool) *postOffice {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &counter{office: o, conn: c}, nil }))
	server.Domain, server.TLSConfig, server.AllowInsecureAuth = "localhost", secure, true
	server.ErrorLog = quiet{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	o.address = net.JoinHostPort("localhost", port)
	if implicit {
		listener = tls.NewListener(listener, secure)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		server.Close()
		listener.Close() // which the server does not know before it serves
		<-ended
	})
	return o
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// setting is the office's address as the program is told it.
func (o *postOffice) setting(scheme, query string) string {
	u := url.URL{Scheme: scheme, User: url.UserPassword(smtpUser, smtpPassword), Host: o.address, RawQuery: "from=" + url.QueryEscape("Lectern <post@school.example>") + query}
	return u.String()
}

func (o *postOffice) taken() []delivered {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mails
}

// counter is one conversation at the office.
type counter struct {
	office   *postOffice
	conn     *smtp.Conn
	signedIn bool
	mail     delivered
}

func (c *counter) Reset()        { c.mail = delivered{} }
func (c *counter) Logout() error { return nil }

func (c *counter) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *counter) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		_, secure := c.conn.TLSConnectionState()
		c.office.mu.Lock()
		defer c.office.mu.Unlock()
		c.office.secure = append(c.office.secure, secure)
		if user != smtpUser || password != smtpPassword {
			return &smtp.SMTPError{Code: 535, Message: "not " + password}
		}
		c.signedIn = true
		return nil
	}), nil
}

func (c *counter) Mail(from string, _ *smtp.MailOptions) error {
	if !c.signedIn {
		return smtp.ErrAuthRequired
	}
	c.mail.from = from
	return nil
}

func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	c.mail.to += to
	if len(c.office.answers) == 0 {
		return nil
	}
	answer := c.office.answers[0]
	c.office.answers = c.office.answers[1:]
	return answer
}

func (c *counter) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	if c.office.data != nil {
		return c.office.data
	}
	c.mail.text = string(text)
	c.office.mails = append(c.office.mails, c.mail)
	return nil
}

func newMail(t *testing.T, setting string, roots *x509.CertPool) *message.Mail {
	t.Helper()
	m, err := message.NewMail(setting, roots)
	must(t, err)
	return m
}

// letter is a mail with all that a mail may hold.
func letter() school.Message {
	return school.Message{
		ID: "abcdefghijklmnopqrstuvwxyz", Channel: school.ByMail, To: who, Subject: "Grüße, und ein Code", At: noon,
		Body: "Your code is 4711 0815.\n\n.It is good for ten minutes — not longer.\n" + strings.Repeat("long ", 40) + "\n",
	}
}

func TestNewMail_refusesWhatCannotBe(t *testing.T) {
	for _, row := range []struct{ setting, says string }{
		{"smtp.school.example", "smtp://"},
		{"https://user:hunter2@smtp.school.example?from=a@school.example", "smtps://"},
		{"smtp://user:hunter2@?from=a@school.example", "smtp://"},
		{"smtp://user:hun%ter2@host?from=a@school.example", "%40"},
		{"smtp://user:hunter2@host:port?from=a@school.example", "smtp://"},
		{"smtp://user:hunter2@host:0?from=a@school.example", "65535"},
		{"smtp://user:hunter2@host/inbox?from=a@school.example", "smtp://"},
		{"smtp://user:hunter2@host", "?from="},
		{"smtp://user:hunter2@host?from=nobody", "?from="},
		{"smtp://user:hunter2@host?from=a@school.example%0d%0aBcc:%20b@school.example", "?from="},
		{"smtp://user:hunter2@host?from=%22A%0d%0aBcc:%22%20<a@school.example>", "?from="},
		{"smtp://user@host?from=a@school.example", "user:password@host"},
		{"smtp://:hunter2@host?from=a@school.example", "user:password@host"},
		{"smtp://user:hunter2@host?from=a@school.example&starttls=no", "only from and tls"},
		{"smtp://user:hunter2@host?from=a@school.example&tls=maybe", "none"},
		{"smtp://user:hunter2@host?from=a@school.example&tls=none", "this machine"},
		{"smtp://user:hunter2@localhost.school.example?from=a@school.example&tls=none", "this machine"},
		{"smtps://user:hunter2@localhost?from=a@school.example&tls=none", "contradiction"},
	} {
		m, err := message.NewMail(row.setting, nil)
		if err == nil {
			t.Errorf("%s is accepted: %v", row.setting, m)
			continue
		}
		if !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v; want %q", row.setting, err, row.says)
		}
		if strings.Contains(err.Error(), "hun") {
			t.Errorf("%s: the error quotes the password: %v", row.setting, err)
		}
	}
	for setting, where := range map[string]string{
		"smtp://host?from=a@school.example":                        "host:587",
		"smtps://host?from=a@school.example":                       "host:465",
		"smtp://u:hunter2@[::1]:25?from=a@school.example&tls=none": "[::1]:25",
	} {
		m, err := message.NewMail(setting, nil)
		must(t, err)
		if m.String() != where {
			t.Errorf("%s is at %s, want %s", setting, m, where)
		}
	}
}

func TestMail_isRefusedWhereItCouldBeRead(t *testing.T) {
	t.Attr("asvs", "12.3.2")
	ours, theirs := newAuthority(t), newAuthority(t)
	for _, row := range []struct {
		says   string
		scheme string
		office *postOffice
	}{
		{"a server without STARTTLS", "smtp", new(postOffice).open(t, nil, false)},
		{"a certificate that nobody signed whom we know", "smtp", new(postOffice).open(t, theirs.certify("localhost"), false)},
		{"a certificate for another host", "smtp", new(postOffice).open(t, ours.certify("smtp.evil.example"), false)},
		{"the same with TLS from the first byte", "smtps", new(postOffice).open(t, ours.certify("smtp.evil.example"), true)},
		{"an unknown signer with TLS from the first byte", "smtps", new(postOffice).open(t, theirs.certify("localhost"), true)},
	} {
		err := newMail(t, row.office.setting(row.scheme, ""), ours.roots()).Carry(t.Context(), letter())
		if err == nil || errors.Is(err, message.ErrRefused) {
			t.Errorf("%s: got %v, want an error after which it is tried again", row.says, err)
		} else if strings.Contains(err.Error(), smtpPassword) || strings.Contains(err.Error(), url.QueryEscape(smtpPassword)) {
			t.Errorf("%s: the error quotes the password: %v", row.says, err)
		}
		if n := len(row.office.taken()); n > 0 || len(row.office.secure) > 0 {
			t.Errorf("%s was given %d mails and %d passwords", row.says, n, len(row.office.secure))
		}
	}
}

func TestMail_arrivesWhole(t *testing.T) {
	ours := newAuthority(t)
	for _, row := range []struct {
		says, scheme, query string
		secure              *tls.Config
		encrypted           bool
	}{
		{"by STARTTLS", "smtp", "", ours.certify("localhost"), true},
		{"by TLS from the first byte", "smtps", "", ours.certify("localhost"), true},
		{"in clear, on this machine", "smtp", "&tls=none", nil, false},
	} {
		t.Run(row.says, func(t *testing.T) {
			office := new(postOffice).open(t, row.secure, row.scheme == "smtps")
			must(t, newMail(t, office.setting(row.scheme, row.query), ours.roots()).Carry(t.Context(), letter()))
			got := office.taken()
			if len(got) != 1 || got[0].from != "post@school.example" || got[0].to != who {
				t.Fatalf("the office has %+v", got)
			}
			if len(office.secure) != 1 || office.secure[0] != row.encrypted {
				t.Errorf("the password came encrypted: %v", office.secure)
			}
			mail, err := netmail.ReadMessage(strings.NewReader(got[0].text))
			must(t, err)
			for name, want := range map[string]string{
				"From": `"Lectern" <post@school.example>`, "To": "<" + who + ">", "Message-Id": "<abcdefghijklmnopqrstuvwxyz@school.example>",
				"Date": "Sun, 22 Nov 2026 12:00:00 +0000", "Auto-Submitted": "auto-generated", "Content-Type": "text/plain; charset=UTF-8",
				"Bcc": "", "Cc": "", "User-Agent": "", "X-Mailer": "",
			} {
				if got := mail.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if subject, err := new(mime.WordDecoder).DecodeHeader(mail.Header.Get("Subject")); err != nil || subject != letter().Subject {
				t.Errorf("the subject is %q, %v", subject, err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(mail.Body))
			must(t, err)
			if got := strings.ReplaceAll(string(body), "\r\n", "\n"); strings.TrimRight(got, "\n") != strings.TrimRight(letter().Body, "\n") {
				t.Errorf("the body is %q", got)
			}
		})
	}
}

// TestMail_cannotBeGivenAnotherHead goes past Send, which refuses the same.
func TestMail_cannotBeGivenAnotherHead(t *testing.T) {
	t.Attr("asvs", "1.3.11")
	office := new(postOffice).open(t, nil, false)
	m := newMail(t, office.setting("smtp", "&tls=none"), nil)
	for _, change := range []func(*school.Message){
		func(m *school.Message) { m.Subject = "Hello\r\nBcc: eve@evil.example" },
		func(m *school.Message) { m.To = "ada@school.example\r\nBcc: eve@evil.example" },
		func(m *school.Message) { m.To = "ada@school.example>\r\nRCPT TO:<eve@evil.example" },
	} {
		bad := letter()
		change(&bad)
		if err := m.Carry(t.Context(), bad); !errors.Is(err, message.ErrRefused) {
			t.Errorf("%q to %q: got %v", bad.Subject, bad.To, err)
		}
	}
	if got := office.taken(); len(got) > 0 {
		t.Errorf("the office has %+v", got)
	}
}

// TestMail_isTriedAgainWhereThatIsOfUse has a server answer as servers do.
func TestMail_isTriedAgainWhereThatIsOfUse(t *testing.T) {
	says := func(code int) error { return &smtp.SMTPError{Code: code, Message: "about " + who} }
	for _, row := range []struct {
		says    string
		answers []error
		data    error
		setting string
		want    []row
		mails   int
	}{
		{says: "greylisted, then taken", answers: []error{says(451), says(451)}, want: []row{{"waiting", 1, secret}, {"waiting", 2, secret}, {"sent", 3, ""}}, mails: 1},
		{says: "a box that is not there", answers: []error{says(550)}, want: []row{{"given up", 1, ""}}},
		{says: "a text that is not wanted", data: says(554), want: []row{{"given up", 1, ""}}},
		{says: "a text that is not wanted now", data: says(452), want: []row{{"waiting", 1, secret}}},
		{says: "a password that is wrong, and can be mended", setting: "wrong", want: []row{{"waiting", 1, secret}}},
	} {
		t.Run(row.says, func(t *testing.T) {
			office := (&postOffice{answers: row.answers, data: row.data}).open(t, nil, false)
			setting := office.setting("smtp", "&tls=none")
			if row.setting == "wrong" {
				setting = strings.Replace(setting, ":p", ":another-", 1)
			}
			p := newPost(t, false, newMail(t, setting, nil), nil)
			must(t, p.Send(t.Context(), mail("S")))
			for i, want := range row.want {
				p.carry([]time.Duration{0, time.Minute, 5 * time.Minute}[i])
				p.wantRows(row.says, want)
			}
			if got := office.taken(); len(got) != row.mails {
				t.Errorf("the office has %+v", got)
			}
			for _, private := range []string{who, "4711", "about", smtpPassword, "another-"} {
				if log := p.log.String(); strings.Contains(log, private) {
					t.Errorf("the log holds %q: %s", private, log)
				}
			}
		})
	}
}

// TestMail_isSentOnceByAServerThatDoesNotSayGoodbye: one that has taken the mail and
// hangs up has taken it.
func TestMail_isSentOnceByAServerThatDoesNotSayGoodbye(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var heard bytes.Buffer
		io.WriteString(conn, "220 localhost\r\n")
		for part := make([]byte, 4096); ; {
			n, err := conn.Read(part)
			if err != nil {
				return
			}
			heard.Write(part[:n])
			switch last := heard.String(); {
			case strings.HasSuffix(last, "\r\n.\r\n"):
				io.WriteString(conn, "250 taken\r\n")
				return
			case strings.HasSuffix(last, "DATA\r\n"):
				io.WriteString(conn, "354 go on\r\n")
			case strings.HasSuffix(last, "\r\n") && !strings.Contains(last, "DATA\r\n"):
				io.WriteString(conn, "250 yes\r\n")
			}
		}
	}()
	m := newMail(t, "smtp://"+listener.Addr().String()+"?tls=none&from=post@school.example", nil)
	if err := m.Carry(t.Context(), letter()); err != nil {
		t.Errorf("got %v, want the mail to count as sent", err)
	}
}

// TestMail_givesUpOnASilentServer when it is told to.
func TestMail_givesUpOnASilentServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	m := newMail(t, "smtp://"+listener.Addr().String()+"?tls=none&from=post@school.example", nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			cancel()
			_, _ = io.Copy(io.Discard, conn) // until the other side hangs up
			conn.Close()
		}
	}()
	if err := m.Carry(ctx, letter()); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want the connection to be closed before its time is over", err)
	}
}
