package campus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	requestLife = 10 * time.Minute // for somebody to make up their mind
	codeLife    = time.Minute
	tokenLife   = 5 * time.Minute
	// memory is for how long an answered request is known: that a code comes a second
	// time, and what was told to whom.
	memory = time.Hour
	// mostRequests are kept; the oldest goes first.
	mostRequests = 2000
)

var (
	errNoCode   = errors.New("campus: no such code")
	errNoToken  = errors.New("campus: no such token")
	errNotHere  = errors.New("campus: not offered here")
	errNoClient = errors.New("campus: no such site")
)

// store keeps all that Campus ID knows. Secrets are kept as their hashes.
type store struct {
	sites  map[string]Site
	key    *ecdsa.PrivateKey
	keyID  string
	now    func() time.Time
	random io.Reader

	mu       sync.Mutex
	requests map[string]*request // by id
	codes    map[[32]byte]string // the id of a request by the hash of its code
	tokens   map[string]token    // by id
}

// token is an access token.
type token struct {
	request string // the id
	ends    time.Time
}

func newStore(c Config) (*store, error) {
	s := &store{
		sites: map[string]Site{}, now: c.Now, random: c.Random,
		requests: map[string]*request{}, codes: map[[32]byte]string{}, tokens: map[string]token{},
	}
	for _, site := range c.Sites {
		s.sites[site.ID] = site
	}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), c.Random); err != nil {
		return nil, fmt.Errorf("campus: key: %w", err)
	}
	s.keyID, err = s.draw(8)
	return s, err
}

// draw makes a name or a secret of so many random bytes.
func (s *store) draw(bytes int) (string, error) {
	b := make([]byte, bytes)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", fmt.Errorf("campus: randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// request is a site's question who somebody is. It implements [op.AuthRequest].
type request struct {
	id      string
	browser [32]byte // the hash of its cookie
	site    string   // its id
	asked   oidc.AuthRequest
	scopes  []string
	ends    time.Time

	person   *Person
	chosen   time.Time // when the person said who they are
	answered time.Time
	codeEnds time.Time
	used     bool
	revoked  bool
	tokens   []string
}

func (r *request) GetID() string                      { return r.id }
func (r *request) GetACR() string                     { return "" }
func (r *request) GetAMR() []string                   { return nil } // nobody proves anything here
func (r *request) GetAudience() []string              { return []string{r.site} }
func (r *request) GetAuthTime() time.Time             { return r.chosen }
func (r *request) GetClientID() string                { return r.site }
func (r *request) GetNonce() string                   { return r.asked.Nonce }
func (r *request) GetRedirectURI() string             { return r.asked.RedirectURI }
func (r *request) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }
func (r *request) GetResponseMode() oidc.ResponseMode { return oidc.ResponseModeQuery }
func (r *request) GetScopes() []string                { return r.scopes }
func (r *request) GetState() string                   { return r.asked.State }
func (r *request) GetSubject() string                 { return subject(*r.person, r.site) }
func (r *request) Done() bool                         { return !r.answered.IsZero() }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.asked.CodeChallenge, Method: r.asked.CodeChallengeMethod}
}

// ask remembers a question that came with a browser.
func (s *store) ask(asked oidc.AuthRequest, wanted []string, browser string) (id string, err error) {
	if id, err = s.draw(24); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	s.requests[id] = &request{id: id, browser: sha256.Sum256([]byte(browser)), site: asked.ClientID, asked: asked, scopes: wanted, ends: s.now().Add(requestLife)}
	return id, nil
}

// sweep forgets what is over, and the oldest where there is too much.
func (s *store) sweep() {
	now := s.now()
	var oldest *request
	for id, r := range s.requests {
		if now.After(r.ends) {
			s.forget(id)
		} else if oldest == nil || r.ends.Before(oldest.ends) {
			oldest = r
		}
	}
	if len(s.requests) >= mostRequests {
		s.forget(oldest.id)
	}
}

func (s *store) forget(id string) {
	for hash, of := range s.codes {
		if of == id {
			delete(s.codes, hash)
		}
	}
	for _, t := range s.requests[id].tokens {
		delete(s.tokens, t)
	}
	delete(s.requests, id)
}

// open is a request that this browser has brought and nobody has answered yet.
func (s *store) open(id, browser string) (request, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.of(id, browser)
	if r == nil || r.Done() {
		return request{}, false
	}
	return *r, true
}

// of is a request of this browser, or nil.
func (s *store) of(id, browser string) *request {
	r, ok := s.requests[id]
	hash := sha256.Sum256([]byte(browser))
	if !ok || browser == "" || s.now().After(r.ends) || subtle.ConstantTimeCompare(hash[:], r.browser[:]) != 1 {
		return nil
	}
	return r
}

// choose notes who the person in front of this browser says they are.
func (s *store) choose(id, browser string, who Person) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.of(id, browser)
	if r == nil || r.Done() {
		return false
	}
	r.person, r.chosen = &who, s.now()
	return true
}

// answer closes a request, so that it is answered once; with a code where the person
// has said yes.
func (s *store) answer(id, browser string, yes bool) (r request, code string, ok bool, err error) {
	if code, err = s.draw(32); err != nil {
		return request{}, "", false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.of(id, browser)
	if found == nil || found.Done() || found.person == nil && yes {
		return request{}, "", false, nil
	}
	now := s.now()
	found.answered = now
	if !yes {
		r = *found
		s.forget(id)
		return r, "", true, nil
	}
	found.ends, found.codeEnds = now.Add(memory), now.Add(codeLife)
	s.codes[sha256.Sum256([]byte(code))] = id
	return *found, code, true, nil
}

// given are the requests that were answered with yes in this browser, the last first.
func (s *store) given(browser string) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []request
	for id := range s.requests {
		if r := s.of(id, browser); r != nil && r.Done() && !r.revoked {
			all = append(all, *r)
		}
	}
	slices.SortFunc(all, func(a, b request) int { return b.answered.Compare(a.answered) })
	return all
}

// withdraw makes worthless what a site was given.
func (s *store) withdraw(id, browser string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.of(id, browser)
	if r == nil || !r.Done() {
		return false
	}
	s.revoke(r)
	return true
}

func (s *store) revoke(r *request) {
	r.used, r.revoked = true, true
	for _, id := range r.tokens {
		delete(s.tokens, id)
	}
}

// AuthRequestByCode uses a code up, whatever becomes of the exchange. One that comes a
// second time has been stolen by one of the two, so what the first was given is taken
// back.
func (s *store) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[s.codes[sha256.Sum256([]byte(code))]]
	switch {
	case !ok:
		return nil, errNoCode
	case r.used:
		s.revoke(r)
		return nil, errNoCode
	}
	r.used = true
	if s.now().After(r.codeEnds) {
		return nil, errNoCode
	}
	copied := *r
	return &copied, nil
}

// CreateAccessToken makes a token for the one request of that was asked, unless its
// code has come again meanwhile.
func (s *store) CreateAccessToken(_ context.Context, of op.TokenRequest) (string, time.Time, error) {
	asked, ok := of.(*request)
	if !ok {
		return "", time.Time{}, errNotHere
	}
	id, err := s.draw(16)
	if err != nil {
		return "", time.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[asked.id]
	if !ok || r.revoked {
		return "", time.Time{}, errNoCode
	}
	ends := s.now().Add(tokenLife)
	s.tokens[id] = token{request: r.id, ends: ends}
	r.tokens = append(r.tokens, id)
	return id, ends, nil
}

// told is what a token's bearer may be told.
func (s *store) told(id, of string) (*oidc.UserInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[id]
	if !ok || s.now().After(t.ends) {
		return nil, errNoToken
	}
	r := s.requests[t.request]
	if r.GetSubject() != of {
		return nil, errNoToken
	}
	info := &oidc.UserInfo{}
	tell(info, r, r.scopes)
	return info, nil
}

// tell writes down of a person what was asked for and agreed to.
func tell(info *oidc.UserInfo, r *request, scopes []string) {
	info.Subject = r.GetSubject()
	if slices.Contains(scopes, oidc.ScopeProfile) {
		info.Name = r.person.Name
	}
	if slices.Contains(scopes, oidc.ScopeEmail) {
		info.Email, info.EmailVerified = r.person.Email, oidc.Bool(r.person.Verified)
	}
}

// SetUserinfoFromRequest fills an ID token.
func (s *store) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, of op.IDTokenRequest, scopes []string) error {
	r, ok := of.(*request)
	if !ok {
		return errNotHere
	}
	tell(info, r, scopes)
	return nil
}
