// Command asvs runs the tests that say which rows of the ASVS they prove, and writes
// what came of it to handlers/asvs/results.json, from where the page at /lab/asvs
// has it. It is run at the root of the module, by `make asvs`. With the names of packages
// it runs the tests of those alone, and keeps what came of the others before.
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
	"slices"
	"time"

	"lectern/handlers/asvs"
)

// results is the file that is written.
const results = "handlers/asvs/results.json"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "asvs:", err)
		os.Exit(1)
	}
}

// run goes through the packages one after the other; through all, if none is named. A
// test that fails is a result like another and is written down; the command fails all
// the same, after it has written.
func run(ctx context.Context, only []string, progress io.Writer) error {
	claims, err := scan(".")
	if err != nil {
		return err
	}
	packs := byPackage(claims)
	for _, name := range only {
		if !slices.ContainsFunc(packs, func(p pack) bool { return p.path == name }) {
			return fmt.Errorf("no test of %s names a row", name)
		}
	}
	r := asvs.Results{Runs: map[string]asvs.Run{}, Rows: map[string][]asvs.Test{}}
	before := asvs.Results{}
	if len(only) > 0 {
		if before, err = asvs.Latest(); err != nil {
			return err
		}
	}
	failed := 0
	for _, p := range packs {
		if len(only) > 0 && !slices.Contains(only, p.path) {
			keep(&r, before, p)
			continue
		}
		fmt.Fprintf(progress, "%s: %d tests\n", p.path, len(p.claims))
		r.Runs[p.path] = asvs.Run{
			At: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(),
			Machine: fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		}
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

// keep takes over what came of the tests of a package before, as far as they still say
// the same.
func keep(r *asvs.Results, before asvs.Results, p pack) {
	if run, ran := before.Runs[p.path]; ran {
		r.Runs[p.path] = run
	}
	for _, claim := range p.claims {
		for _, row := range claim.Rows {
			for _, test := range before.Rows[row] {
				if test.Package == claim.Package && test.Name == claim.Test {
					r.Rows[row] = append(r.Rows[row], test)
				}
			}
		}
	}
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
