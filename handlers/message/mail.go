package message

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"lectern/db/school"
)

// Mail carries mails to an SMTP server, which takes them on from there.
type Mail struct {
	host           string
	port           int
	user, password string
	from           netmail.Address
	domain         string // of from
	tls            *tls.Config
	security       security
}

// security is how a connection is kept from being read.
type security int

const (
	startTLS security = iota // TLS begins after a few words, or nothing does
	allTLS
	noTLS // and therefore to this machine alone
)

// NewMail makes a carrier out of an address such as
// smtps://user:password@smtp.school.example?from=Lectern%20<post@school.example>. With
// smtp instead of smtps the connection turns to TLS by STARTTLS, and is not used if
// the server does not; only a server on this very machine may be spoken to in clear,
// with tls=none. The server's certificate is checked against roots; nil for the
// system's.
//
// The error says what is wrong with the address and quotes nothing of it, since it
// holds a password.
func NewMail(address string, roots *x509.CertPool) (*Mail, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return nil, errors.New("that is no address such as smtp://user:password@smtp.school.example:587?from=post@school.example; what is special in a user or password is written as in a URL, such as %40 for @")
	}
	m := &Mail{host: u.Hostname(), tls: &tls.Config{ServerName: u.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12}}
	switch u.Scheme {
	case "smtp":
		m.port = 587
	case "smtps":
		m.port, m.security = 465, allTLS
	default:
		return nil, errors.New("the address begins with smtp:// (STARTTLS) or smtps:// (TLS from the first byte)")
	}
	if port := u.Port(); port != "" {
		if m.port, err = strconv.Atoi(port); err != nil || m.port < 1 || m.port > 65535 {
			return nil, errors.New("the port is a number from 1 to 65535")
		}
	}
	if u.User != nil {
		m.user = u.User.Username()
		m.password, _ = u.User.Password()
		if m.user == "" || m.password == "" {
			return nil, errors.New("a user comes with a password, as in user:password@host")
		}
	}
	return m, m.ask(u)
}

// ask reads what stands behind the question mark.
func (m *Mail) ask(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("what follows the question mark cannot be read; from and tls can stand there")
	}
	for name := range query {
		if name != "from" && name != "tls" {
			return errors.New("only from and tls can follow the question mark")
		}
	}
	from, err := netmail.ParseAddress(query.Get("from"))
	if err != nil {
		return errors.New("it needs the address that mails come from, as in ?from=post@school.example")
	}
	if _, err := school.ParseEmail(from.Address); err != nil || school.Line(from.Name) != from.Name {
		return errors.New("the address that mails come from must be a plain one, such as post@school.example")
	}
	m.from = *from
	_, m.domain, _ = strings.Cut(from.Address, "@")
	switch query.Get("tls") {
	case "":
	case "none":
		if m.security == allTLS {
			return errors.New("smtps with tls=none is a contradiction")
		}
		if !isLoopback(m.host) {
			return errors.New("tls=none is for a server on this machine alone: localhost, 127.0.0.1 or ::1")
		}
		m.security = noTLS
	default:
		return errors.New("tls can only be none; without it, TLS is required")
	}
	return nil
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// String says where the server is, for the log.
func (m *Mail) String() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// Carry implements [Carrier].
func (m *Mail) Carry(ctx context.Context, message school.Message) error {
	letter, err := m.letter(message)
	if err != nil {
		return fmt.Errorf("%w: it makes no mail", ErrRefused)
	}
	client, closeAll, err := m.client(ctx)
	if err != nil {
		return err
	}
	defer closeAll()
	err = client.DialAndSendWithContext(ctx, letter)
	// A server that has taken the mail and then says goodbye badly has taken it.
	if err == nil || letter.IsDelivered() {
		return nil
	}
	return why(err)
}

// letter is a message as it goes over the wire.
func (m *Mail) letter(message school.Message) (*mail.Msg, error) {
	if err := message.Check(); err != nil {
		return nil, err
	}
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	letter.FromMailAddress(&m.from)
	letter.ToMailAddress(&netmail.Address{Address: message.To})
	letter.Subject(message.Subject)
	letter.SetDateWithValue(message.At)
	letter.SetMessageIDWithValue(string(message.ID) + "@" + m.domain)
	// Nobody's holiday notice answers this (RFC 3834).
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, message.Body)
	return letter, nil
}

// dialTime is how long the server may take for each part of the conversation.
const dialTime = 10 * time.Second

// client is for one mail. closeAll ends its connection whatever state it is in; the
// library leaves one open that was refused before its first mail.
func (m *Mail) client(ctx context.Context) (client *mail.Client, closeAll func(), err error) {
	var opened []net.Conn
	dial := func(dialling context.Context, network, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(dialling, network, m.String()) // the library writes an IPv6 address without brackets
		if err != nil {
			return nil, err
		}
		opened = append(opened, conn)
		context.AfterFunc(ctx, func() { conn.Close() })
		if remote, ok := conn.RemoteAddr().(*net.TCPAddr); m.security == noTLS && (!ok || !remote.IP.IsLoopback()) {
			return nil, errors.New("message: the server is not on this machine, and must not be spoken to in clear")
		}
		if m.security != allTLS {
			return conn, nil
		}
		secure := tls.Client(conn, m.tls)
		return secure, secure.HandshakeContext(dialling)
	}
	policy := mail.TLSMandatory
	if m.security != startTLS {
		policy = mail.NoTLS // what is to be done is done by dial
	}
	options := []mail.Option{
		mail.WithPort(m.port), mail.WithTimeout(dialTime), mail.WithTLSPolicy(policy), mail.WithTLSConfig(m.tls), mail.WithDialContextFunc(dial),
	}
	if m.user != "" {
		options = append(options, mail.WithUsername(m.user), mail.WithPassword(m.password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err = mail.NewClient(m.host, options...)
	return client, func() {
		for _, conn := range opened {
			conn.Close()
		}
	}, err
}

// why is an error of the conversation without what the server wrote: only its number.
// A server that will never take this very mail says so with a number from 500 to the
// recipient or the text; to the sender or the password it speaks of our settings,
// which can be mended meanwhile.
func why(err error) error {
	var sent *mail.SendError
	var answer *textproto.Error
	switch {
	case errors.As(err, &sent):
		about := sent.Reason == mail.ErrSMTPRcptTo || sent.Reason == mail.ErrSMTPData || sent.Reason == mail.ErrSMTPDataClose
		if about && sent.ErrorCode() >= 500 {
			return fmt.Errorf("%w: %s, answer %d", ErrRefused, sent.Reason, sent.ErrorCode())
		}
		return fmt.Errorf("message: %s, answer %d", sent.Reason, sent.ErrorCode())
	case errors.As(err, &answer):
		return fmt.Errorf("message: the mail server answers %d", answer.Code)
	}
	return fmt.Errorf("message: %w", err)
}
