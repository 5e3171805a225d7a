package token

import (
	"reflect"
	"testing"
	"time"
)

var accessClaims = goodClaims.with("aud", `"lectern-session"`).with("exp", unix(time.Minute)).
	plus("sid", `"5e55"`).plus("session_start", unix(-time.Hour)).plus("session_end", unix(time.Hour)).plus("remember", "true")

// access is a well-signed access token with other claims.
func (f forger) access(o object) string {
	return f.forge(f.header().with("typ", `"access+jwt"`).String(), o.String(), testSecret)
}

func TestRead_accessTokensNameTheirSession(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		for _, row := range []struct {
			what    string
			claims  object
			problem Problem
		}{
			{"as this site writes it", accessClaims, ""},
			{"that ends with its session", accessClaims.with("session_end", unix(time.Minute)), ""},
			{"that outlasts its session", accessClaims.with("session_end", unix(time.Minute-time.Second)), BadClaims},
			{"that lives longer than any", accessClaims.with("exp", unix(time.Minute+time.Second)), BadClaims},
			{"without a session", accessClaims.without("sid").without("session_start").without("session_end").without("remember"), BadClaims},
			{"without the session's name", accessClaims.without("sid"), BadClaims},
			{"with an empty name", accessClaims.with("sid", `""`), BadClaims},
			{"with a name that is a number", accessClaims.with("sid", "7"), BadClaims},
			{"with two names", accessClaims.plus("sid", `"5e55"`), BadClaims},
			{"with a name in capitals", accessClaims.without("sid").plus("SID", `"5e55"`), BadClaims},
			{"without a beginning", accessClaims.without("session_start"), BadClaims},
			{"that began before time", accessClaims.with("session_start", "-1"), BadClaims},
			{"without an end", accessClaims.without("session_end"), BadClaims},
			{"with one member more", accessClaims.plus("admin", "true"), BadClaims},
			{"for another audience", accessClaims.with("aud", `"lectern"`), WrongIssuer},
		} {
			_, problem := i.Read(AccessUse, f.access(row.claims), time.Minute, nil)
			if problem != row.problem {
				t.Errorf("an access token %s: %q, want %q", row.what, problem, row.problem)
			}
		}
	})
}

func TestRead_sessionTokensNameNone(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f forger) {
		for _, claims := range []object{
			goodClaims.plus("sid", `"5e55"`),
			goodClaims.plus("sid", `""`),
			goodClaims.plus("session_start", unix(0)),
			goodClaims.plus("remember", "false"),
			accessClaims.with("aud", `"lectern"`),
		} {
			if _, problem := read(f.issuer(t), f.body(claims)); problem != BadClaims {
				t.Errorf("%s is read with %q", claims, problem)
			}
		}
	})
}

func TestSign_accessTokensAreReadAsWritten(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		want := Claims{
			Common:   Common{Subject: ada, ID: "one", IssuedAt: noon.Unix(), Expires: noon.Unix() + 60, AuthTime: noon.Unix(), Role: "student"},
			Methods:  []string{"pwd"},
			OnRecord: &OnRecord{Session: "5e55", Began: noon.Unix(), Ends: noon.Unix() + 60, Remember: true},
		}
		text, err := i.Sign(AccessUse, want)
		if err != nil {
			t.Fatal(err)
		}
		got, problem := i.Read(AccessUse, text, time.Minute, nil)
		if problem != "" {
			t.Fatalf("it is refused: %s", problem)
		}
		want.Issuer, want.Audience, want.NotBefore = got.Issuer, AccessUse.Audience(), got.NotBefore
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("read %+v, want %+v", *got, want)
		}
		if _, problem := i.Read(SessionUse, text, time.Hour, nil); problem != BadType {
			t.Errorf("it is read as a session's with %q", problem)
		}
	})
}
