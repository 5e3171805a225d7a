// Package redistest starts a real redis-server for a test, and gets it into
// trouble: it can be stopped and started again with what it held, paused in
// the middle of a sentence, filled to the brim, and emptied.
//
// Only tests import it. Each server listens on a port of its own of this
// machine alone, keeps its data in the test's folder, and is ended by its
// process id when the test is over, also when the test is killed.
package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is what Debian's package redis-server brings.
const program = "redis-server"

// Server is a redis-server of a test's own.
type Server struct {
	t       testing.TB
	folder  string
	port    int
	process *exec.Cmd
	guard   *exec.Cmd
}

// Start starts an empty redis-server. Where there is none to be started, the
// test is skipped with one line; on CI that is a failure.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing, and on CI it must be there", program)
		}
		t.Skipf("%s is not installed", program)
	}
	s := &Server{t: t, folder: t.TempDir()}
	t.Cleanup(s.end)
	const tries = 5 // somebody else may take a port that was free just now
	for range tries {
		s.port = freePort(t)
		if s.begin() {
			return s
		}
	}
	t.Fatalf("%s does not start; see the lines above", program)
	return nil
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// URL is its address.
func (s *Server) URL() string { return "redis://" + s.address() + "/0" }

func (s *Server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// begin starts the process and waits until it answers. It reports false when
// the process has ended instead.
func (s *Server) begin() bool {
	s.t.Helper()
	s.process = exec.Command(program,
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.port), "--dir", s.folder,
		"--save", "", "--appendonly", "yes", "--appendfsync", "no", "--maxmemory-policy", "noeviction")
	var said strings.Builder
	s.process.Stdout, s.process.Stderr = &said, &said
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.watch()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.process.Wait()
	}()
	for {
		if answer, err := s.ask("PING"); err == nil && answer == "+PONG" {
			return true
		}
		select {
		case <-ended:
			s.unwatch()
			s.process = nil
			s.t.Log(said.String())
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// watch has a shell wait for the end of this process, whatever that end is, and
// end the server then. Nothing is written to it: it waits for the pipe to close.
func (s *Server) watch() {
	s.t.Helper()
	s.guard = exec.Command("sh", "-c", `read -r _; kill -KILL "$1"`, "guard", strconv.Itoa(s.process.Process.Pid))
	if _, err := s.guard.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.guard.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// unwatch ends the guard before it can end anything.
func (s *Server) unwatch() {
	_ = s.guard.Process.Kill()
	_ = s.guard.Wait()
}

// end ends the process at once, if it runs.
func (s *Server) end() {
	if s.process == nil {
		return
	}
	s.unwatch()
	_ = s.process.Process.Kill()
	s.gone()
}

// gone waits until nobody listens any more.
func (s *Server) gone() {
	for {
		conn, err := net.Dial("tcp", s.address())
		if err != nil {
			s.process = nil
			return
		}
		conn.Close()
	}
}

// Stop ends the server in good order: whoever knocks is refused.
func (s *Server) Stop() {
	s.t.Helper()
	s.unwatch()
	s.signal(syscall.SIGTERM)
	s.gone()
}

// Restart starts the server again after a Stop, at the same address and with
// what it held.
func (s *Server) Restart() {
	s.t.Helper()
	if !s.begin() {
		s.t.Fatalf("%s does not start again", program)
	}
}

// Pause makes the server silent: it still lets in whoever knocks, and answers
// nobody.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
}

// Resume ends a Pause.
func (s *Server) Resume() {
	s.t.Helper()
	s.signal(syscall.SIGCONT)
}

func (s *Server) signal(what os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(what); err != nil {
		s.t.Fatal(err)
	}
}

// Fill leaves the server no memory for anything more.
func (s *Server) Fill() {
	s.t.Helper()
	s.Do("CONFIG SET maxmemory 1")
}

// Drain ends a Fill.
func (s *Server) Drain() {
	s.t.Helper()
	s.Do("CONFIG SET maxmemory 0")
}

// Flush throws away all that the server holds.
func (s *Server) Flush() {
	s.t.Helper()
	s.Do("FLUSHALL")
}

// Do sends a command, its words between spaces, and returns the first line of
// the answer. An error that the server reports fails the test.
func (s *Server) Do(command string) string {
	s.t.Helper()
	answer, err := s.ask(command)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func (s *Server) ask(command string) (string, error) {
	conn, err := net.Dial("tcp", s.address())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(line, "-") {
		return "", fmt.Errorf("%s answers %q to %q", program, line, command)
	}
	return strings.TrimSpace(line), nil
}
