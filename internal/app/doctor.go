package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"presswatch/classifiers"
	"presswatch/crawlers"
	"presswatch/internal/config"

	"github.com/spf13/cobra"
)

// lowDisk is the free space, in bytes, below which doctor warns.
const lowDisk = 1 << 30

// finding is one line of doctor.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

func doctorCommand(e *env) *cobra.Command {
	var show bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look whether everything is as it should be", Args: cobra.NoArgs,
		Long: `Checks configuration, data folder, disk, sources, model, log, archive and database,
and says of each what is wrong and what to do. Exit status 1 when something is.`,
		Example: "  presswatch doctor\n  presswatch doctor --show-config",
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			cfg, err := e.config()
			if err != nil {
				return err
			}
			if show {
				fmt.Fprint(e.stdout, config.Show(cfg))
				return nil
			}
			return e.printFindings(e.examine(cmd.Context(), cfg))
		}),
	}
	c.Flags().BoolVar(&show, "show-config", false, "print the effective configuration, secrets masked")
	return c
}

func (e *env) printFindings(all []finding) error {
	failed := false
	for _, f := range all {
		failed = failed || !f.OK
		if e.json {
			if err := e.printJSON(f); err != nil {
				return err
			}
			continue
		}
		mark := "ok    "
		if !f.OK {
			mark = "WRONG "
		}
		fmt.Fprintf(e.stdout, "%s %-12s %s\n", mark, f.Check, plain(f.Detail))
	}
	if failed {
		return errSilent
	}
	return nil
}

func (e *env) examine(ctx context.Context, cfg config.Config) []finding {
	var out []finding
	add := func(check string, err error, detail string) {
		if err != nil {
			detail = oneLine(err)
		}
		out = append(out, finding{check, err == nil, detail})
	}
	add("disk", diskSpace(cfg.Data), "enough room")
	sources, err := crawlers.LoadSources(cfg.Sources)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s: not there; presswatch sources add makes it", cfg.Sources)
	}
	inUse := 0
	for _, s := range sources {
		if !s.Disabled {
			inUse++
		}
	}
	add("sources", err, fmt.Sprintf("%d in use, %d disabled, in %s", inUse, len(sources)-inUse, cfg.Sources))
	m, err := classifiers.Default()
	version := ""
	if err == nil {
		version = m.Version()
	}
	add("model", err, version)
	n, err := open(ctx, cfg, e.logger(cfg), "doctor", parts{queue: true, db: true, index: true})
	if h := (*held)(nil); errors.As(err, &h) {
		add("data folder", nil, "in use by "+h.by.String())
		if h.by.API != "" {
			add("service", h.by.get(ctx, "/readyz", new(any)), "answers at "+h.by.API)
		}
		return out
	}
	if err != nil {
		add("parts", err, "")
		return out
	}
	defer n.Close()
	add("data folder", nil, cfg.Data)
	for _, name := range readyParts {
		add(name, n.ready(ctx)[name], "answers")
	}
	add("http.addr", canListen(cfg.HTTP.Addr), cfg.HTTP.Addr+" is free")
	return out
}

// diskSpace looks at the nearest folder above path that is there.
func diskSpace(path string) error {
	for {
		var fs syscall.Statfs_t
		err := syscall.Statfs(path, &fs)
		if err == nil {
			if free := fs.Bavail * uint64(fs.Bsize); free < lowDisk {
				return fmt.Errorf("%d MB free at %s; make room", free>>20, path)
			}
			return nil
		}
		up := filepath.Dir(path)
		if up == path {
			return err
		}
		path = up
	}
}

func canListen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; stop what uses it, or set http.addr", err)
	}
	return l.Close()
}
