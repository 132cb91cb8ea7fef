// Package app joins the parts into the program: one file a command.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"presswatch"
	"presswatch/internal/config"
	"presswatch/internal/obs"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// What the collector is told, unless GOMEMLIMIT and GOGC say otherwise: a small
// machine runs the whole product in 256 MB, of which some 50 are the program
// itself and mapped files. About 80 MB are in use while importing.
const (
	memoryLimit = 170 << 20 // bytes; soft
	gcPercent   = 75
)

// env is what a command gets from outside.
type env struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer

	configFile string
	flags      map[string]any // keys of the configuration set by flags
	json       bool
	ran        bool // a command began: its errors are failures, not usage
}

// Main runs the command line and returns the exit status. It is the program:
// tests call it as main does.
func Main(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := &env{environ: environ, stdin: stdin, stdout: stdout, stderr: stderr, flags: map[string]any{}}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	root := rootCommand(e)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errSilent):
		return exitFailed
	case !e.ran:
		fmt.Fprintf(stderr, "presswatch: %s\n", strings.Join(strings.Fields(err.Error()), " "))
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "presswatch: interrupted")
		return exitFailed
	}
	fmt.Fprintf(stderr, "presswatch: %s\n", oneLine(err))
	return exitFailed
}

// errSilent fails a command that has already said why.
var errSilent = errors.New("failed")

// oneLine keeps joined errors on one line: a failure is one line that says
// where and what to do.
func oneLine(err error) string {
	return strings.Join(strings.Split(strings.TrimSpace(err.Error()), "\n"), "; ")
}

// config loads the configuration with this command's flags on top.
func (e *env) config() (config.Config, error) {
	return config.Load(e.configFile, e.environ, e.flags)
}

func (e *env) logger(c config.Config) *slog.Logger {
	return obs.NewLogger(e.stderr, c.Log.Level, c.Log.Format)
}

// run wraps a command's work: from here on an error is a failure, no usage.
func (e *env) run(fn func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		e.ran = true
		return fn(cmd, args)
	}
}

// invalid is a usage error found by a command itself.
func (e *env) invalid(format string, args ...any) error {
	e.ran = false
	return presswatch.Errorf(presswatch.Invalid, format, args...)
}
