package db_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

// noon is the time at which everything in these tests begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func minutes(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// processVariable makes the test binary a process that opens the database at
// its value, so that tests can have several.
const processVariable = "LECTERN_TEST_DATABASE"

func TestMain(m *testing.M) {
	if path := os.Getenv(processVariable); path != "" {
		if err := joinForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// joinForever opens a database and joins each listed course with new people,
// naming each on standard output as soon as they have joined. It ends when
// standard input does.
func joinForever(path string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, path)
	if err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); errors.Is(err, io.EOF) {
		return d.Close()
	}
	page, err := d.Courses(ctx, db.CourseQuery{})
	if err != nil {
		return err
	}
	for {
		u := person("Somebody", school.Student)
		if err := d.CreateUser(ctx, u, "hash"); err != nil {
			return err
		}
		for _, c := range page.Courses {
			if err := d.Join(ctx, u.ID, c.ID, noon); err != nil {
				return err
			}
			fmt.Println(u.ID, c.ID)
		}
	}
}

// process starts the test binary as a process of its own on the database.
func process(t *testing.T, path string) (cmd *exec.Cmd, in io.WriteCloser, out *bufio.Scanner) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), processVariable+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, in, bufio.NewScanner(stdout)
}

func TestOpen_refusesANewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	d := open(t, path)
	knows, err := d.SchemaVersion(t.Context())
	must(t, err)
	_, err = d.Writer().Exec(`INSERT INTO schema_migrations (version, name, applied_at) VALUES (999, 'later', 0)`)
	must(t, err)
	must(t, d.Close())

	_, err = db.Open(t.Context(), path)
	var tooNew *db.TooNewError
	if !errors.As(err, &tooNew) {
		t.Fatalf("got %v, want a TooNewError", err)
	}
	if want := (db.TooNewError{Path: path, Has: 999, Knows: knows}); *tooNew != want {
		t.Errorf("got %+v, want %+v", *tooNew, want)
	}
	for _, part := range []string{path, "999", "newer program"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func TestOpen_refusesWhatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	must(t, os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600))
	d, err := db.Open(t.Context(), path)
	if err == nil {
		d.Close()
		t.Fatal("opened it")
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("%q does not name the file", err)
	}
	kept, err := os.ReadFile(path)
	must(t, err)
	if !strings.HasPrefix(string(kept), "no database\n") {
		t.Error("the file was changed")
	}
}

func TestOpen_refusesAFolder(t *testing.T) {
	if _, err := db.Open(t.Context(), t.TempDir()); err == nil {
		t.Error("opened it")
	}
}

func TestOpen_keepsTheFileToItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "50% of a ?#name", "lectern.db")
	d := open(t, path)
	must(t, d.SetSetting(t.Context(), "key", "value", noon))
	for name, want := range map[string]os.FileMode{
		path:               0o600,
		path + "-wal":      0o600,
		path + "-shm":      0o600,
		filepath.Dir(path): 0o700,
	} {
		info, err := os.Stat(name)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", name, got, want)
		}
	}
}

func TestOpen_setsOptionsOnEveryConnection(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	for _, c := range []struct {
		pool   *sql.DB
		pragma string
		want   string
	}{
		{d.Writer(), "journal_mode", "wal"},
		{d.Writer(), "foreign_keys", "1"},
		{d.Writer(), "synchronous", "2"},
		{d.Writer(), "busy_timeout", "0"},
		{d.Reader(), "journal_mode", "wal"},
		{d.Reader(), "query_only", "1"},
		{d.Reader(), "busy_timeout", "800"},
	} {
		connections := c.pool.Stats().MaxOpenConnections
		for range connections { // each is held until the end, so that the next is another
			conn, err := c.pool.Conn(t.Context())
			must(t, err)
			defer conn.Close()
			var got string
			must(t, conn.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got))
			if got != c.want {
				t.Errorf("%s is %s, want %s", c.pragma, got, c.want)
			}
			must(t, conn.Close())
		}
	}
	if _, err := d.Reader().Exec(`DELETE FROM settings`); err == nil {
		t.Error("the reader can write")
	}
}

func TestOpen_againChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	d := open(t, path)
	must(t, d.SetSetting(t.Context(), "key", "value", noon))
	before := dump(t, d)
	must(t, d.Close())
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Close there is still a log: %v", err)
	}
	if diff := difference(before, dump(t, open(t, path))); diff != "" {
		t.Error(diff)
	}
}

func TestOpen_byManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d, err := db.Open(context.Background(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// SQLite does not wait for this lock by itself.
func TestOpen_waitsForWhoeverWritesToTheNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	other, err := sql.Open("sqlite3", path+"?_txlock=immediate")
	must(t, err)
	defer other.Close()
	writing, err := other.Begin()
	must(t, err)
	time.AfterFunc(50*time.Millisecond, func() { writing.Rollback() })
	open(t, path)
}

func TestOpen_bySeveralProcessesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	var wg sync.WaitGroup
	for range 4 {
		cmd, in, out := process(t, path)
		wg.Go(func() {
			if !out.Scan() || out.Text() != "open" {
				t.Errorf("said %q", out.Text())
			}
			in.Close()
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestJoin_survivesAKilledProcess(t *testing.T) {
	s := newSchool(t)
	teacher := s.user("Grace", school.Instructor)
	s.course(teacher, "One", 1)
	s.course(teacher, "Two", 1)
	must(t, s.Close())

	cmd, in, out := process(t, s.path)
	var joined [][2]school.ID
	for out.Scan() {
		if out.Text() == "open" {
			_, err := fmt.Fprintln(in, "go")
			must(t, err)
			continue
		}
		user, course, _ := strings.Cut(out.Text(), " ")
		joined = append(joined, [2]school.ID{school.ID(user), school.ID(course)})
		if len(joined) == 51 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil || len(joined) < 51 {
		t.Fatalf("the process ended by itself after %d: %v", len(joined), err)
	}
	d := open(t, s.path)
	for _, j := range joined {
		if _, err := d.Enrolment(t.Context(), j[0], j[1]); err != nil {
			t.Errorf("%v: %v", j, err)
		}
	}
	must(t, d.CheckCounts(t.Context()))
}

func TestPing(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	must(t, d.Ping(t.Context()))
	must(t, d.Close())
	if err := d.Ping(t.Context()); err == nil {
		t.Error("a closed database answers")
	}
}

func TestMigration_leavesNothingWhenItFails(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	version, err := d.SchemaVersion(t.Context())
	must(t, err)
	if err := d.ApplyMigration(t.Context(), version+1, `CREATE TABLE half (id TEXT); CREATE TABLE half (id TEXT);`); err == nil {
		t.Fatal("it did not fail")
	}
	now, err := d.SchemaVersion(t.Context())
	must(t, err)
	if now != version {
		t.Errorf("version is %d, want %d", now, version)
	}
	if _, err := d.Writer().Exec(`SELECT * FROM half`); err == nil {
		t.Error("half of it is there")
	}
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// SQLite numbers parameters like $2 as they come, whatever they are called.
func TestStatements_numberTheirParametersInOrder(t *testing.T) {
	statements := db.Statements()
	if len(statements) != db.CountStatements() {
		t.Errorf("%d statements have %d names", db.CountStatements(), len(statements))
	}
	for name, text := range statements {
		highest := 0
		for _, found := range parameter.FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(found[1])
			must(t, err)
			if n > highest+1 {
				t.Errorf("%s: $%d comes before $%d", name, n, highest+1)
			}
			highest = max(highest, n)
		}
	}
}
