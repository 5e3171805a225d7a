// Command asvs runs the tests that say which rows of the ASVS they prove, and writes
// what came of it to handlers/asvs/results.json, from where the page at /lab/asvs
// has it. It is run at the root of the module, by `make asvs`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"time"

	"lectern/handlers/asvs"
)

// results is the file that is written.
const results = "handlers/asvs/results.json"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "asvs:", err)
		os.Exit(1)
	}
}

// run goes through the packages one after the other. A test that fails is a result
// like another and is written down; the command fails all the same, after it has
// written.
func run(ctx context.Context, progress io.Writer) error {
	claims, err := scan(".")
	if err != nil {
		return err
	}
	r := asvs.Results{
		At: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(),
		Machine: fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Rows:    map[string][]asvs.Test{},
	}
	failed := 0
	for _, p := range byPackage(claims) {
		fmt.Fprintf(progress, "%s: %d tests\n", p.path, len(p.claims))
		heard, err := runPackage(ctx, p)
		if err != nil {
			return err
		}
		for _, claim := range p.claims {
			test := heard.of(claim)
			if test.Outcome == asvs.Fail {
				failed++
				fmt.Fprintf(progress, "%s: %s failed\n", p.path, claim.Test)
			}
			for _, row := range claim.Rows {
				r.Rows[row] = append(r.Rows[row], test)
			}
		}
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(results, text, 0o644); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d tests failed; %s says which", failed, results)
	}
	return nil
}

// runPackage runs the tests of a package that prove something, and listens to them.
func runPackage(ctx context.Context, p pack) (heard, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=20m", "-run", p.pattern(), p.path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h, readErr := hear(out)
	waitErr := cmd.Wait()
	if readErr != nil {
		return nil, fmt.Errorf("%s: %w", p.path, readErr)
	}
	// With a failed test go test ends with 1 too; that none was heard of is another matter.
	if exit := (*exec.ExitError)(nil); waitErr != nil && (!errors.As(waitErr, &exit) || len(h) == 0) {
		return nil, fmt.Errorf("%s: %w", p.path, waitErr)
	}
	return h, nil
}
