package db_test

import (
	"errors"
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
