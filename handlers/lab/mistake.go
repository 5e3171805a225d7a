package lab

import (
	"fmt"

	"lectern/handlers/lab/broken"
	"lectern/handlers/session"
	"lectern/handlers/session/kinds"
)

// mistake finds a deliberate mistake by its name, and puts it where its kind of
// session would be.
func mistake(name string) (func(kinds.Kinds, kinds.Config) (session.Backend, error), error) {
	for _, m := range broken.All {
		if m.Name == name {
			return func(k kinds.Kinds, c kinds.Config) (session.Backend, error) {
				secrets := make([][]byte, 2)
				for i := range secrets {
					secrets[i] = make([]byte, 32)
					if _, err := c.Random.Read(secrets[i]); err != nil {
						return nil, err
					}
				}
				return m.New(broken.Config{
					Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: c.Random,
					Store: k.Records, Families: k.Families, Tokens: c.Tokens, Ledger: k.Ledger, Secrets: secrets,
				}), nil
			}, nil
		}
	}
	return nil, fmt.Errorf("lab: there is no mistake %q", name)
}
