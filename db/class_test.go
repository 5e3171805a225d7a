package db_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

const someClass = school.ClassCode("K7M3P")

var classTime = time.UnixMilli(1_700_000_000_000).UTC()

// instructor opens a school with one person in it.
func instructor(t *testing.T) (*db.DB, school.ID) {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	id := school.MustNewID()
	if err := d.CreateUser(t.Context(), school.User{ID: id, Email: "grace@school.example", Name: "Grace", Role: school.Instructor, CreatedAt: classTime}, "hash"); err != nil {
		t.Fatal(err)
	}
	return d, id
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestClass_goesFromQuestionToResult(t *testing.T) {
	ctx := t.Context()
	d, grace := instructor(t)
	at := classTime
	said := db.ClassPrediction{Round: 1, JWT: "accepted", Server: "refused"}
	want(t, "predict in no class", d.SaveClassPrediction(ctx, someClass, "ada", said, at), school.ErrNotFound)
	want(t, "ask in no class", d.AskClass(ctx, someClass, "first", at), school.ErrNotFound)
	want(t, "open", d.OpenClass(ctx, someClass, grace, at), nil)
	want(t, "the same code again", d.OpenClass(ctx, someClass, grace, at), school.ErrCodeTaken)
	want(t, "predict before anything is asked", d.SaveClassPrediction(ctx, someClass, "ada", said, at), school.ErrClassMoved)
	want(t, "run before anything is asked", d.BeginClassRun(ctx, someClass, 0, at), school.ErrClassMoved)

	want(t, "ask", d.AskClass(ctx, someClass, "first", at), nil)
	want(t, "predict", d.SaveClassPrediction(ctx, someClass, "ada", said, at), nil)
	said.JWT = "refused"
	want(t, "predict otherwise", d.SaveClassPrediction(ctx, someClass, "ada", said, at), nil)
	want(t, "predict in the next round", d.SaveClassPrediction(ctx, someClass, "bea", db.ClassPrediction{Round: 2, JWT: "accepted"}, at), school.ErrClassMoved)
	c, err := d.Class(ctx, someClass)
	if tally := (db.ClassTally{Learners: 1, JWT: db.ClassSplit{Refused: 1}, Server: db.ClassSplit{Refused: 1}}); err != nil || c.Tally != tally || c.Phase != db.ClassAsking {
		t.Errorf("the class is %+v, %v; want the tally %+v", c, err, tally)
	}

	want(t, "run another round", d.BeginClassRun(ctx, someClass, 2, at), school.ErrClassMoved)
	want(t, "run", d.BeginClassRun(ctx, someClass, 1, at), nil)
	want(t, "run twice", d.BeginClassRun(ctx, someClass, 1, at), school.ErrClassMoved)
	want(t, "predict during the run", d.SaveClassPrediction(ctx, someClass, "bea", said, at), school.ErrClassMoved)
	want(t, "ask during the run", d.AskClass(ctx, someClass, "second", at), school.ErrClassMoved)
	later := at.Add(2 * db.ClassRunTime)
	want(t, "run again what died", d.BeginClassRun(ctx, someClass, 1, later), nil)
	want(t, "end the run that died", d.EndClassRun(ctx, someClass, 1, at, "aaaaaaaaaa", later), school.ErrClassMoved)
	want(t, "fail", d.EndClassRun(ctx, someClass, 1, later, "", later), nil)
	want(t, "predict after nothing came of it", d.SaveClassPrediction(ctx, someClass, "bea", said, later), nil)
	want(t, "run", d.BeginClassRun(ctx, someClass, 1, later), nil)
	want(t, "end the run", d.EndClassRun(ctx, someClass, 1, later, "bbbbbbbbbb", later), nil)
	want(t, "predict after the run", d.SaveClassPrediction(ctx, someClass, "ada", said, later), school.ErrClassMoved)
	if c, err := d.Class(ctx, someClass); err != nil || c.Phase != db.ClassRan || c.RunID != "bbbbbbbbbb" || c.Tally.Learners != 2 {
		t.Errorf("after the run the class is %+v, %v", c, err)
	}

	want(t, "ask again", d.AskClass(ctx, someClass, "second", later), nil)
	if c, err := d.Class(ctx, someClass); err != nil || c.Round != 2 || c.RunID != "" || c.Tally != (db.ClassTally{}) {
		t.Errorf("with a new question the class is %+v, %v", c, err)
	}
	want(t, "end", d.EndClass(ctx, someClass, later), nil)
	want(t, "ask when it is over", d.AskClass(ctx, someClass, "third", later), school.ErrClassOver)
	want(t, "hide when it is over", d.HideClassTally(ctx, someClass, true, later), school.ErrClassOver)
	want(t, "predict when it is over", d.SaveClassPrediction(ctx, someClass, "ada", db.ClassPrediction{Round: 2}, later), school.ErrClassOver)
	if _, err := d.ClassPrediction(ctx, someClass, "ada"); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("a prediction outlives its class: %v", err)
	}
}

func TestClass_isGoneAfterADay(t *testing.T) {
	ctx := t.Context()
	d, grace := instructor(t)
	want(t, "open", d.OpenClass(ctx, someClass, grace, classTime), nil)
	want(t, "ask", d.AskClass(ctx, someClass, "first", classTime), nil)
	want(t, "predict", d.SaveClassPrediction(ctx, someClass, "ada", db.ClassPrediction{Round: 1, JWT: "refused"}, classTime), nil)
	young := school.ClassCode("W9XFT")
	now := classTime.Add(db.ClassLife)
	want(t, "open another", d.OpenClass(ctx, young, grace, now.Add(-time.Millisecond)), nil)
	want(t, "predict the day after", d.SaveClassPrediction(ctx, someClass, "ada", db.ClassPrediction{Round: 1}, now), school.ErrClassOver)
	if open, err := d.Classes(ctx, grace, now); err != nil || len(open) != 1 || open[0].Code != young {
		t.Errorf("the open classes are %+v, %v; want %s alone", open, err, young)
	}
	if n, err := (db.Classes{DB: d, Now: func() time.Time { return now }}).Sweep(ctx); err != nil || n != 1 {
		t.Errorf("swept %d, %v; want 1", n, err)
	}
	_, err := d.Class(ctx, someClass)
	want(t, "read what was swept", err, school.ErrNotFound)
	_, err = d.ClassPrediction(ctx, someClass, "ada")
	want(t, "read what was predicted", err, school.ErrNotFound)
	_, err = d.Class(ctx, young)
	want(t, "read the young one", err, nil)
}

func TestClass_hasItsLimits(t *testing.T) {
	ctx := t.Context()
	d, grace := instructor(t)
	for i := range db.ClassesAtOnce {
		code := school.ClassCode(string(someClass[:4]) + string("34679"[i]))
		want(t, "open", d.OpenClass(ctx, code, grace, classTime), nil)
	}
	want(t, "one too many", d.OpenClass(ctx, "W9XFT", grace, classTime), school.ErrTooManyClasses)
	full := someClass[:4] + "3"
	want(t, "end", d.EndClass(ctx, someClass[:4]+"4", classTime), nil)
	want(t, "another after one was ended", d.OpenClass(ctx, "W9XFT", grace, classTime), nil)

	want(t, "ask", d.AskClass(ctx, full, "first", classTime), nil)
	for i := range db.ClassLearners {
		want(t, "predict", d.SaveClassPrediction(ctx, full, fmt.Sprint(i), db.ClassPrediction{Round: 1, JWT: "refused"}, classTime), nil)
	}
	want(t, "one too many", d.SaveClassPrediction(ctx, full, "late", db.ClassPrediction{Round: 1, JWT: "refused"}, classTime), school.ErrClassFull)
	want(t, "somebody who was there before", d.SaveClassPrediction(ctx, full, "7", db.ClassPrediction{Round: 1, JWT: "accepted"}, classTime), nil)
	if c, err := d.Class(ctx, full); err != nil || c.Tally.JWT != (db.ClassSplit{Accepted: 1, Refused: db.ClassLearners - 1}) {
		t.Errorf("the tally is %+v, %v", c.Tally, err)
	}
}

// TestClass_runsOnce has many begin the run of a round at once.
func TestClass_runsOnce(t *testing.T) {
	ctx := t.Context()
	d, grace := instructor(t)
	want(t, "open", d.OpenClass(ctx, someClass, grace, classTime), nil)
	want(t, "ask", d.AskClass(ctx, someClass, "first", classTime), nil)
	var wg sync.WaitGroup
	begun := make(chan error, 8)
	for range cap(begun) {
		wg.Go(func() { begun <- d.BeginClassRun(ctx, someClass, 1, classTime) })
	}
	wg.Wait()
	close(begun)
	n := 0
	for err := range begun {
		if err == nil {
			n++
		} else {
			want(t, "begin", err, school.ErrClassMoved)
		}
	}
	if n != 1 {
		t.Errorf("%d runs were begun, want 1", n)
	}
}
