package token

import (
	"testing"
	"time"
)

// goodAPIClaims are what a program's access token says at noon.
var goodAPIClaims = object{
	{"iss", `"https://lectern.example"`},
	{"aud", `"lectern-api"`},
	{"sub", `"adaadaadaadaadaadaadaadaad"`},
	{"jti", `"AAAAAAAAAAAAAAAAAAAAAA"`},
	{"iat", unix(0)},
	{"nbf", unix(0)},
	{"exp", unix(time.Hour)},
	{"auth_time", unix(0)},
	{"role", `"student"`},
	{"client_id", `"lectern"`},
}

// readAs reads a token as somebody does who was handed it for this use.
func readAs(i *Issuer, use Use, token string) Problem {
	if use == APIUse {
		_, problem := i.ReadAPI(token, time.Hour, nil)
		return problem
	}
	_, problem := i.Read(use, token, longest, nil)
	return problem
}

// A token opens the door that it was made for and no other, although one key
// signs them all (RFC 8725 §3.11, §3.12).
func TestUse_noneOpensTheDoorOfAnother(t *testing.T) {
	t.Attr("asvs", "9.2.2 9.2.3 9.2.4")
	common := Common{Subject: ada, ID: "AAAAAAAAAAAAAAAAAAAAAA", IssuedAt: noon.Unix(), Expires: noon.Add(time.Hour).Unix(), AuthTime: noon.Unix(), Role: "student"}
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		for use := range Use(uses) {
			claims := Claims{Common: common, Methods: []string{"pwd"}}
			if use == AccessUse {
				claims.OnRecord = &OnRecord{Session: "5e55", Began: noon.Unix(), Ends: noon.Add(time.Hour).Unix()}
			}
			token, err := i.Sign(use, claims)
			if use == APIUse {
				token, err = i.SignAPI(APIClaims{common, "lectern"})
			}
			if err != nil {
				t.Fatal(err)
			}
			for door := range Use(uses) {
				want := BadType
				if door == use {
					want = ""
				}
				if got := readAs(i, door, token); got != want {
					t.Errorf("%s read as %s: %q, want %q", use.Type(), door.Type(), got, want)
				}
				if door == use {
					continue
				}
				// With the typ of the door the aud still gives it away, or the claims.
				header, claims := parts(t, token)
				if header == "" || readAs(i, door, f.forge(f.header().with("typ", `"`+door.Type()+`"`).String(), claims, testSecret)) == "" {
					t.Errorf("%s with the typ of %s is accepted", use.Type(), door.Type())
				}
			}
			if readAs(i, use, f.forge(f.header().with("typ", `"`+use.Type()+`"`).String(), goodClaims.with("aud", `"elsewhere"`).String(), testSecret)) == "" {
				t.Errorf("%s for another aud is accepted", use.Type())
			}
		}
	})
}

func TestUse_typeAndAudienceAreNobodyElses(t *testing.T) {
	t.Attr("asvs", "9.2.4")
	seen := map[string]bool{}
	for use := range Use(uses) {
		for _, name := range []string{use.Type(), use.Audience()} {
			if name == "" || seen[name] {
				t.Errorf("%q is there twice", name)
			}
			seen[name] = true
		}
	}
}

func TestReadAPI_takesExactlyTheClaimsOfRFC9068(t *testing.T) {
	t.Attr("asvs", "9.2.3 10.3.1 10.3.3")
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		header := f.header().with("typ", `"at+jwt"`).String()
		read := func(claims object) Problem { return readAs(i, APIUse, f.forge(header, claims.String(), testSecret)) }
		if problem := read(goodAPIClaims); problem != "" {
			t.Fatalf("the good token is refused: %s", problem)
		}
		for _, m := range goodAPIClaims {
			if problem := read(goodAPIClaims.without(m.name)); problem != BadClaims {
				t.Errorf("without %s: %q", m.name, problem)
			}
			if problem := read(goodAPIClaims.plus(m.name, m.value)); problem != BadClaims {
				t.Errorf("with %s twice: %q", m.name, problem)
			}
		}
		for _, row := range []struct {
			what    string
			claims  object
			problem Problem
		}{
			{"a scope that nobody gives here", goodAPIClaims.plus("scope", `"admin"`), BadClaims},
			{"Role beside role", goodAPIClaims.plus("Role", `"admin"`), BadClaims},
			{"CLIENT_ID in the place of client_id", goodAPIClaims.without("client_id").plus("CLIENT_ID", `"lectern"`), BadClaims},
			{"an empty client_id", goodAPIClaims.with("client_id", `""`), BadClaims},
			{"a client_id that is a number", goodAPIClaims.with("client_id", `7`), BadClaims},
			{"the amr of a session", goodAPIClaims.plus("amr", `["pwd"]`), BadClaims},
			{"the aud of a session", goodAPIClaims.with("aud", `"lectern"`), WrongIssuer},
			{"a list of auds", goodAPIClaims.with("aud", `["lectern-api"]`), BadClaims},
			{"another site's iss", goodAPIClaims.with("iss", `"https://other.example"`), WrongIssuer},
			{"exp now", goodAPIClaims.with("exp", unix(0)), Expired},
			{"exp a second beyond the longest life", goodAPIClaims.with("exp", unix(time.Hour+time.Second)), BadClaims},
			{"nbf a second ahead", goodAPIClaims.with("nbf", unix(time.Second)), NotYet},
		} {
			if problem := read(row.claims); problem != row.problem {
				t.Errorf("%s: got %q, want %q", row.what, problem, row.problem)
			}
		}
	})
}
