package main

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// commands are what the program can do; serving is what it does when nothing
// else is asked.
type commands struct {
	Serve   serveCommand   `cmd:"" default:"withargs" help:"Serve the site (the default)."`
	Seed    seedCommand    `cmd:"" help:"Fill an empty school with the demo courses and people."`
	Reset   resetCommand   `cmd:"" help:"Put the demo courses and people back to their first state; leave everything else as it is."`
	User    userCommands   `cmd:"" help:"Look after accounts from the command line."`
	Keys    keysCommands   `cmd:"" help:"Look after the keys that sign tokens."`
	Version versionCommand `cmd:"" help:"Say which version this is."`
}

// storage is where the data lies; every command needs it.
type storage struct {
	Data string `default:"data" placeholder:"FOLDER" help:"Folder of the database file lectern.db and the keys file (${default})."`
}

func (s storage) check() error {
	if s.Data == "" {
		return refuse("data", "needs a folder, such as data")
	}
	if info, err := os.Stat(s.Data); err == nil && !info.IsDir() {
		return refuse("data", "%q is a file; a folder is needed", s.Data)
	}
	return nil
}

// signing is how tokens are signed, and how long they live; the server needs
// it, and whoever changes the keys.
type signing struct {
	JWTAlg   string        `name:"jwt-alg" default:"HS256" placeholder:"ALGORITHM" help:"How tokens are signed: HS256, or EdDSA with the public keys at /.well-known/jwks.json (${default})."`
	JWTKeys  string        `name:"jwt-keys" placeholder:"KID:KEY,…" help:"Keys for tokens, base64url: 32 bytes or more for HS256, a seed of 32 for EdDSA; the first signs, all verify (made on first start and kept in the data folder)."`
	JWTTTL   time.Duration `name:"jwt-ttl" default:"1h" placeholder:"TIME" help:"Life of a session token (${default})."`
	Remember time.Duration `default:"720h" placeholder:"TIME" help:"Life of a session, of any kind, whose owner asked to be remembered (${default})."`
}

func (s *signing) algorithm() (token.Algorithm, error) {
	algorithm, err := token.ParseAlgorithm(s.JWTAlg)
	if err != nil {
		return "", refuse("jwt-alg", "%s", err)
	}
	return algorithm, nil
}

// longest is how long a token can live that is signed now.
func (s *signing) longest() time.Duration { return max(s.JWTTTL, s.Remember) }

// settings are those of the server.
type settings struct {
	storage         `embed:""`
	signing         `embed:""`
	Addr            string         `default:"localhost:8080" placeholder:"HOST:PORT" help:"Where to listen; port 0 picks one (${default})."`
	BaseURL         string         `name:"base-url" placeholder:"URL" help:"The address that people see; https turns Secure cookies on (http:// and the listening address)."`
	Demo            bool           `help:"Seed an empty school, show the demo accounts and what is sent to them, let each visitor choose a session backend."`
	SMTP            string         `name:"smtp" placeholder:"URL" help:"The server that carries mails, such as smtp://user:password@smtp.school.example:587?from=post@school.example (STARTTLS, required) or smtps://…:465 (TLS from the first byte); without it the site sends none. In clear, with tls=none, only to a server on this machine. Best in LECTERN_SMTP, since other users of the machine can read flags."`
	SMSURL          string         `name:"sms-url" placeholder:"URL" help:"The gateway that carries text messages, such as https://account:token@sms.example/messages?from=+15550006789: a form with To, From and Body is sent there, as Twilio takes it; without it the site sends none. Best in LECTERN_SMS_URL."`
	LabOtherAddr    string         `name:"lab-other-addr" placeholder:"HOST:PORT" help:"Where the lab's other site listens, from which visitors attack this one with their own browser; it serves that one page and nothing else. Port 0 picks one; an address in use is a warning; none for none (127.0.0.1:8082 with --demo, otherwise none). On the same machine it is another site by the name 127.0.0.1, and the same site on another port by the name localhost."`
	Sessions        string         `default:"database" placeholder:"BACKEND" help:"The site's session backend until an admin chooses another: jwt, memory, database, redis or hybrid (${default})."`
	Redis           string         `placeholder:"URL" help:"A Redis to keep sessions in, such as redis://localhost:6379/0; without it that kind is not offered."`
	JWTRevocation   string         `name:"jwt-revocation" default:"none" placeholder:"HOW" help:"How a session token can be ended before it expires, until an admin chooses otherwise: none, cutoff (all of a person's, one look-up for each request) or denylist (also a single one) (${default})."`
	HybridAccess    *time.Duration `name:"hybrid-access-ttl" placeholder:"TIME" help:"Life of the short token of a hybrid session: for so long an end, or a new role, may go unnoticed (60s, or less where --jwt-ttl or half of --session-idle is less)."`
	SessionIdle     time.Duration  `default:"30m" placeholder:"TIME" help:"A server-side session ends after so long without a visit (${default})."`
	SessionLifetime time.Duration  `default:"12h" placeholder:"TIME" help:"A session ends so long after the sign-in in any case (${default})."`
	ways            `embed:""`
	TrustedProxies  []string `placeholder:"NETWORK,…" help:"Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8 (none)."`
}

// check refuses settings that cannot be, by name, with what would be right.
func (s *settings) check() error {
	if err := s.storage.check(); err != nil {
		return err
	}
	if err := checkAddr("addr", s.Addr, "localhost:8080"); err != nil {
		return err
	}
	if s.BaseURL != "" {
		if _, err := s.baseURL(""); err != nil {
			return err
		}
	}
	if err := s.checkOtherAddr(); err != nil {
		return err
	}
	if err := s.checkProviders(); err != nil {
		return err
	}
	if _, err := s.carriers(); err != nil {
		return err
	}
	if s.Redis != "" {
		if err := serverstore.CheckRedisAddress(s.Redis); err != nil {
			return refuse("redis", "%s", err)
		}
	}
	switch {
	case s.Sessions == session.Redis && s.Redis == "":
		return refuse("sessions", "redis needs to know where it is; say it with --redis redis://localhost:6379/0")
	case !slices.Contains(session.Kinds, s.Sessions):
		last := len(session.Kinds) - 1
		return refuse("sessions", "%q is no backend; %s and %s are", s.Sessions, strings.Join(session.Kinds[:last], ", "), session.Kinds[last])
	}
	switch s.JWTRevocation {
	case session.RevokeNone, session.RevokeCutoff, session.RevokeDenylist:
	default:
		return refuse("jwt-revocation", "%q is no way to end a token; none, cutoff and denylist are", s.JWTRevocation)
	}
	for _, limit := range []struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"jwt-ttl", s.JWTTTL, time.Second},
		{"session-idle", s.SessionIdle, 10 * time.Second},
		{"session-lifetime", s.SessionLifetime, time.Second},
		{"remember", s.Remember, time.Second},
	} {
		if limit.value < limit.least {
			return refuse(limit.name, "%s is too short; at least %s", limit.value, limit.least)
		}
	}
	if _, err := s.algorithm(); err != nil {
		return err
	}
	if err := s.checkAccess(); err != nil {
		return err
	}
	if s.Remember < s.SessionLifetime {
		return refuse("remember", "%s is shorter than --session-lifetime, %s; who asks to be remembered stays at least as long", s.Remember, s.SessionLifetime)
	}
	if s.Remember > 400*24*time.Hour {
		return refuse("remember", "%s is longer than browsers keep a cookie; at most 9600h", s.Remember)
	}
	_, err := s.proxies()
	return err
}

// checkAddr refuses what cannot be listened on.
func checkAddr(setting, address, example string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" || strings.ContainsAny(host, "/ ") {
		return refuse(setting, "%q is not HOST:PORT, such as %s", address, example)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return refuse(setting, "%q is no port; a number from 0 to 65535 is", port)
	}
	return nil
}

// checkAccess refuses a life of the short token that was asked for and cannot be.
func (s *settings) checkAccess() error {
	if s.HybridAccess == nil {
		return nil
	}
	switch asked := *s.HybridAccess; {
	case asked < 5*time.Second:
		return refuse("hybrid-access-ttl", "%s is too short; at least 5s", asked)
	case asked > s.SessionIdle/2:
		return refuse("hybrid-access-ttl", "%s is longer than half of --session-idle, %s; visits within it are not noted, so somebody who is there would count as idle", asked, s.SessionIdle)
	case asked > s.JWTTTL:
		return refuse("hybrid-access-ttl", "%s is longer than --jwt-ttl, %s; the short token is the shorter of the two", asked, s.JWTTTL)
	}
	return nil
}

// access is the life of the short token.
func (s *settings) access() time.Duration {
	if s.HybridAccess != nil {
		return *s.HybridAccess
	}
	return min(time.Minute, s.SessionIdle/2, s.JWTTTL)
}

// baseURL is the address that people see, or the one that is listened on.
func (s *settings) baseURL(listening string) (*url.URL, error) {
	address := s.BaseURL
	if address == "" {
		address = "http://" + listening
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, refuse("base-url", "%q is not an address such as https://school.example", s.BaseURL)
	}
	u.Path = ""
	return u, nil
}

func (s *settings) proxies() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range s.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if addr, errAddr := netip.ParseAddr(text); errAddr == nil {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, refuse("trusted-proxies", "%q is no network such as 10.0.0.0/8", text)
		}
		all = append(all, prefix)
	}
	return all, nil
}

func (s *settings) lifetimes() session.Lifetimes {
	return session.Lifetimes{Token: s.JWTTTL, Access: s.access(), Idle: s.SessionIdle, Absolute: s.SessionLifetime, Remember: s.Remember}
}

// environment lets every flag --x-y also be set as LECTERN_X_Y.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		value := getenv("LECTERN_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")))
		if value == "" {
			return nil, nil
		}
		return value, nil
	})
}
