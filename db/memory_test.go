package db_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

func TestOpenMemory_isADatabaseOfItsOwnThatLeavesNothing(t *testing.T) {
	ctx := t.Context()
	first, err := db.OpenMemory(ctx, "first")
	if err != nil {
		t.Fatal(err)
	}
	second, err := db.OpenMemory(ctx, "second")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.SetSetting(ctx, "colour", "teal", time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	if got, err := first.Setting(ctx, "colour"); err != nil || got != "teal" {
		t.Errorf("its readers see %q, %v, and not what was written", got, err)
	}
	if _, err := second.Setting(ctx, "colour"); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("another one has it too: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := db.OpenMemory(ctx, "first")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Setting(ctx, "colour"); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("what was in one that is closed is still there: %v", err)
	}
}

func TestOpenMemory_isBounded(t *testing.T) {
	ctx := t.Context()
	d, err := db.OpenMemory(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	megabyte := strings.Repeat("x", 1<<20)
	for i := range 20 {
		if err = d.SetSetting(ctx, strconv.Itoa(i), megabyte, time.UnixMilli(1)); err != nil {
			break
		}
	}
	if err == nil {
		t.Fatal("20 MB fit in")
	}
	if _, err := d.Setting(ctx, "0"); err != nil {
		t.Errorf("what was in before is gone: %v", err)
	}
}

// TestSessionRows_areAllThatTheDatabaseHas: every row that a session leaves is seen,
// in all its columns.
func TestSessionRows_areAllThatTheDatabaseHas(t *testing.T) {
	ctx := t.Context()
	d, err := db.OpenMemory(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ada := school.MustNewID()
	at := time.UnixMilli(1_700_000_000_000)
	if err := d.CreateUser(ctx, school.User{ID: ada, Email: "ada@school.example", Name: "Ada", Role: school.Student, CreatedAt: at}, "hash"); err != nil {
		t.Fatal(err)
	}
	if rows, err := d.SessionRows(ctx, true); err != nil || len(rows) != 0 {
		t.Fatalf("before anything there are %+v, %v", rows, err)
	}
	for _, insert := range []string{
		`INSERT INTO sessions (id_hash, user_id, role, methods, auth_at, created_at, seen_at, idle_until, expires_at, address, device)
		 VALUES (x'0102', '` + string(ada) + `', 'student', 'pwd', 0, 0, 0, 0, 0, 'there', 'telephone')`,
		`INSERT INTO denied_tokens (jti, expires_at) VALUES ('abc', 1700000000000)`,
	} {
		if _, err := d.Writer().ExecContext(ctx, insert); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.EndSessions(ctx, ada, at); err != nil {
		t.Fatal(err)
	}
	rows, err := d.SessionRows(ctx, true)
	if err != nil || len(rows) != 3 {
		t.Fatalf("there are %+v, %v", rows, err)
	}
	if first := rows[0]; first.Table != "sessions" || first.Values[0] != "0102" || first.Bytes != 2+26+7+3+6*8+5+9 {
		t.Errorf("the first is %+v", first)
	}
	if second := rows[1]; second.Table != "denied_tokens" || second.Values[1] != "2023-11-14 22:13:20" || second.Bytes != 3+8 {
		t.Errorf("the second is %+v", second)
	}
	if rows, err := d.SessionRows(ctx, false); err != nil || len(rows) != 2 {
		t.Errorf("without the moments there are %+v, %v", rows, err)
	}
}
