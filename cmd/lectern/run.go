package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// The exit codes, which scripts rely on.
const (
	done       = 0
	failed     = 1 // with one line on stderr
	wrongUsage = 2 // a command or a setting that is not one
)

// run is the program, with everything it takes from outside passed in.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	var commands commands
	parser, err := kong.New(&commands,
		kong.Name("lectern"),
		kong.Description("A course site that shows how its visitors stay signed in."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { panic(helpShown{}) }),
		kong.Resolvers(environment(getenv)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(console{stdin, stdout, stderr}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "lectern:", err)
		return failed
	}
	chosen, code := parse(parser, args, stderr)
	if chosen == nil {
		return code
	}
	err = chosen.Run()
	var wrong *usageError
	switch {
	case err == nil:
		return done
	case errors.As(err, &wrong):
		fmt.Fprintln(stderr, "lectern:", err)
		return wrongUsage
	}
	fmt.Fprintln(stderr, "lectern:", err)
	return failed
}

// helpShown ends the parsing of "--help", after which there is nothing to do.
type helpShown struct{}

// parse returns the command that was asked for, or nil and the exit code.
func parse(parser *kong.Kong, args []string, stderr io.Writer) (chosen *kong.Context, code int) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helpShown); !ok {
				panic(r)
			}
			chosen, code = nil, done
		}
	}()
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "lectern:", err)
		return nil, wrongUsage
	}
	return chosen, done
}

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// usageError is a setting that cannot be.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

func refuse(setting, format string, args ...any) error {
	return &usageError{"--" + setting + ": " + fmt.Sprintf(format, args...)}
}
