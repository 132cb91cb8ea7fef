package app

import (
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress is a bar on standard error when that is a terminal, and nothing
// otherwise.
type progress struct {
	out   io.Writer
	group *mpb.Progress
	bar   *mpb.Bar
}

func newProgress(e *env, name string) *progress {
	p := &progress{out: e.stderr}
	f, ok := e.stderr.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) || e.json || os.Getenv("TERM") == "dumb" {
		return p
	}
	p.group = mpb.New(mpb.WithOutput(f))
	p.bar = p.group.AddBar(0,
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO), "done")))
	return p
}

// set says how much of how much is done; a total of 0 is unknown.
func (p *progress) set(done, total int64) {
	if p.bar == nil {
		return
	}
	p.bar.SetTotal(max(total, done), false)
	p.bar.SetCurrent(done)
}

// say prints a line without breaking the bar.
func (p *progress) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...) + "\n"
	if p.group != nil {
		io.WriteString(p.group, line)
		return
	}
	io.WriteString(p.out, line)
}

// done ends the bar.
func (p *progress) done() {
	if p.bar == nil {
		return
	}
	p.bar.SetTotal(-1, true)
	p.group.Wait()
}
