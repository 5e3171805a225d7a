package db_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

var passkeyTime = time.UnixMilli(1_700_000_000_000).UTC()

// byMail are the ways in where a code by e-mail is always one.
var byMail = school.WaysOpen{Mail: true}

// withPasskey opens a school with two people, the first of whom has a passkey that
// has counted to 5.
func withPasskey(t *testing.T) (d *db.DB, grace, ada school.ID, p school.PasskeyCredential) {
	t.Helper()
	d, grace = instructor(t)
	ada = school.MustNewID()
	if err := d.CreateUser(t.Context(), school.User{ID: ada, Email: "ada@school.example", Name: "Ada", Role: school.Student, CreatedAt: passkeyTime}, "hash"); err != nil {
		t.Fatal(err)
	}
	p = passkey(grace, "first")
	p.SignCount = 5
	if err := d.AddPasskey(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return d, grace, ada, p
}

func passkey(of school.ID, name string) school.PasskeyCredential {
	return school.PasskeyCredential{
		Passkey:      school.Passkey{ID: school.MustNewID(), User: of, Name: name, Synced: true, CreatedAt: passkeyTime},
		CredentialID: "credential-" + name,
		Record:       []byte(`{"publicKey":"` + name + `"}`),
	}
}

func names(t *testing.T, d *db.DB, of school.ID) (names []string) {
	t.Helper()
	all, err := d.Passkeys(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}

func TestPasskeys_ofOthersAreOutOfReach(t *testing.T) {
	ctx := t.Context()
	d, grace, ada, p := withPasskey(t)
	want(t, "rename", d.RenamePasskey(ctx, ada, p.ID, "mine"), school.ErrNotFound)
	_, err := d.RemovePasskey(ctx, ada, p.ID, byMail)
	want(t, "remove", err, school.ErrNotFound)
	_, err = d.UsePasskey(ctx, ada, p.CredentialID, 6, false, passkeyTime)
	want(t, "use", err, school.ErrNotFound)
	taken := passkey(ada, "first")
	want(t, "add the same", d.AddPasskey(ctx, taken), school.ErrPasskeyTaken)
	want(t, "rename what is not there", d.RenamePasskey(ctx, grace, school.MustNewID(), "mine"), school.ErrNotFound)
	if got := names(t, d, ada); got != nil {
		t.Errorf("Ada has %v", got)
	}
	all, err := d.PasskeyCredentials(ctx, grace)
	if err != nil || len(all) != 1 || !same(all[0], p) {
		t.Errorf("Grace has %+v, %v; want %+v", all, err, p)
	}
}

func same(a, b school.PasskeyCredential) bool {
	return a.Passkey == b.Passkey && a.CredentialID == b.CredentialID && a.SignCount == b.SignCount && string(a.Record) == string(b.Record)
}

func TestPasskeys_areTwentyAtMost(t *testing.T) {
	d, grace, ada, first := withPasskey(t)
	for i := 1; i < school.MaxPasskeys; i++ {
		want(t, "add", d.AddPasskey(t.Context(), passkey(grace, fmt.Sprint("more-", i))), nil)
	}
	want(t, "add one more", d.AddPasskey(t.Context(), passkey(grace, "too-many")), school.ErrTooManyPasskeys)
	want(t, "add one for somebody else", d.AddPasskey(t.Context(), passkey(ada, "too-many")), nil)
	removed, err := d.RemovePasskey(t.Context(), grace, first.ID, byMail)
	if err != nil || removed != first.Passkey {
		t.Errorf("removed is %+v, %v", removed, err)
	}
	want(t, "add one in its place", d.AddPasskey(t.Context(), passkey(grace, "last")), nil)
	if got := names(t, d, grace); len(got) != school.MaxPasskeys || slices.Contains(got, "first") {
		t.Errorf("Grace has %v", got)
	}
}

func TestRemovePasskey_takesTheSecondStepAlongWithTheLast(t *testing.T) {
	d, grace, _, first := withPasskey(t)
	second := passkey(grace, "second")
	want(t, "add", d.AddPasskey(t.Context(), second), nil)
	want(t, "switch on", d.SetTwoStep(t.Context(), grace, true, byMail), nil)
	want(t, "keep codes", d.PutRecoveryCodes(t.Context(), grace, []school.StoredCode{{Finder: "finder", Hash: "hash"}}, passkeyTime), nil)
	for _, tt := range []struct {
		removed school.ID
		on      bool
		codes   int
	}{{first.ID, true, 1}, {second.ID, false, 0}} {
		if _, err := d.RemovePasskey(t.Context(), grace, tt.removed, byMail); err != nil {
			t.Fatal(err)
		}
		f, err := d.Factors(t.Context(), grace)
		if err != nil || f.TwoStep != tt.on || f.RecoveryCodes != tt.codes {
			t.Errorf("the second step is %t with %d codes, %v; want %t with %d", f.TwoStep, f.RecoveryCodes, err, tt.on, tt.codes)
		}
	}
}

func TestUsePasskey_hasToCountOn(t *testing.T) {
	ctx := t.Context()
	later := passkeyTime.Add(time.Hour)
	for _, tt := range []struct {
		name          string
		before, count uint32
		good          bool
	}{
		{"one more", 5, 6, true},
		{"many more", 5, 1<<32 - 1, true},
		{"the same", 5, 5, false},
		{"less", 5, 4, false},
		{"no count any more", 5, 0, false},
		{"no count ever", 0, 0, true},
		{"the first count", 0, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, grace, _, _ := withPasskey(t)
			p := passkey(grace, "tried")
			p.SignCount = tt.before
			want(t, "add", d.AddPasskey(ctx, p), nil)
			used, err := d.UsePasskey(ctx, grace, p.CredentialID, tt.count, true, later)
			expect := p
			if tt.good {
				want(t, "use", err, nil)
				expect.SignCount, expect.UsedAt, expect.BackedUp = tt.count, later, true
			} else {
				want(t, "use", err, school.ErrPasskeyCloned)
				expect.WarnedAt = later
			}
			all, err := d.PasskeyCredentials(ctx, grace)
			i := slices.IndexFunc(all, func(c school.PasskeyCredential) bool { return c.ID == p.ID })
			if err != nil || i < 0 || !same(all[i], expect) || used != expect.Passkey {
				t.Errorf("it is %+v, kept is %+v, %v; want %+v", used, all, err, expect)
			}
			if first := all[1-i]; !first.UsedAt.IsZero() || !first.Opens() || first.SignCount != 5 {
				t.Errorf("the other passkey is %+v", first)
			}
			if tt.good {
				return
			}
			again, err := d.UsePasskey(ctx, grace, p.CredentialID, 1<<31, true, later.Add(time.Hour))
			want(t, "use what is marked", err, school.ErrPasskeyCloned)
			if again != expect.Passkey {
				t.Errorf("it is %+v; want %+v", again, expect.Passkey)
			}
		})
	}
}

func TestUsePasskey_ofManyAtOnceWithOneCountOneCounts(t *testing.T) {
	d, grace, _, p := withPasskey(t)
	var good, cloned int
	var mu sync.Mutex
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			_, err := d.UsePasskey(t.Context(), grace, p.CredentialID, 6, false, passkeyTime)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				good++
				return
			}
			want(t, "use", err, school.ErrPasskeyCloned)
			cloned++
		})
	}
	done.Wait()
	if good != 1 || cloned != 7 {
		t.Errorf("%d were good and %d were not", good, cloned)
	}
}

func TestPasskeys_areListedAsAddedAndRenamed(t *testing.T) {
	d, grace, _, p := withPasskey(t)
	earlier := passkey(grace, "earlier")
	earlier.CreatedAt = passkeyTime.Add(-time.Hour)
	want(t, "add", d.AddPasskey(t.Context(), earlier), nil)
	want(t, "rename", d.RenamePasskey(t.Context(), grace, p.ID, "blue key"), nil)
	if got := names(t, d, grace); !slices.Equal(got, []string{"earlier", "blue key"}) {
		t.Errorf("listed are %v", got)
	}
}
