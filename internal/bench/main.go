// Command bench measures the whole path, from pages on a server to documents
// that are found, beside two yardsticks on the same pages in the same run: the
// naive chain (colly and go-readability, JSON out) and a bare parse.
//
//	go run ./internal/bench -pages PAGES.jsonl -program ./presswatch
//
// Each is a process of its own, so that processor time and peak memory are the
// operating system's figures; the page server is another, and not counted.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	pages := flag.String("pages", "", "manifest: JSON lines with url and file (gzip), relative to it")
	program := flag.String("program", "./presswatch", "the program to measure")
	role := flag.String("role", "", "internal: sites, naive or parse")
	arg := flag.String("arg", "", "internal: argument of the role")
	runs := flag.Int("runs", 1, "how often each is measured, in turn")
	out := flag.String("out", "", "also write the figures to this file, as JSON")
	flag.Parse()
	switch *role {
	case "sites":
		serveSites(*pages, *arg)
	case "naive":
		naive(*arg)
	case "parse":
		parse(*pages)
	default:
		if err := measure(*pages, *program, *runs, *out); err != nil {
			log.Fatal(err)
		}
	}
}

// figure is what one process cost.
type figure struct {
	Name      string  `json:"name"`
	Documents int     `json:"documents"`
	CPU       float64 `json:"cpu_seconds"`
	Wall      float64 `json:"wall_seconds"`
	PeakMB    float64 `json:"peak_mb"`
	PerCPU    float64 `json:"documents_per_cpu_second"`
	PerSecond float64 `json:"documents_per_second"`
}

func newFigure(name string, docs int, wall time.Duration, ps *os.ProcessState) figure {
	f := figure{Name: name, Documents: docs, Wall: wall.Seconds(), CPU: (ps.UserTime() + ps.SystemTime()).Seconds()}
	if u, ok := ps.SysUsage().(*syscall.Rusage); ok {
		f.PeakMB = float64(u.Maxrss) / 1024
	}
	f.PerCPU, f.PerSecond = float64(docs)/f.CPU, float64(docs)/f.Wall
	return f
}

func (f figure) String() string {
	return fmt.Sprintf("%-12s %6d documents  %7.2f CPU-s  %7.2f s  %7.1f docs/CPU-s  %7.1f docs/s  peak %4.0f MB",
		f.Name, f.Documents, f.CPU, f.Wall, f.PerCPU, f.PerSecond, f.PeakMB)
}

func measure(pages, program string, runs int, out string) error {
	work, err := os.MkdirTemp("", "presswatch-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	program, err = filepath.Abs(program)
	if err != nil {
		return err
	}
	sites, stop, err := startSites(pages, work)
	if err != nil {
		return err
	}
	defer stop()
	var all []figure
	for n := range runs {
		whole, err := wholePath(program, filepath.Join(work, fmt.Sprint("run", n)), sites)
		if err != nil {
			return err
		}
		chain, err := naiveChain(sites, work)
		if err != nil {
			return err
		}
		bare, err := bareParse(pages)
		if err != nil {
			return err
		}
		for _, f := range []figure{whole, chain, bare} {
			fmt.Println(f)
		}
		fmt.Printf("%-12s whole path / naive chain %.2f, whole path / bare parse %.2f (documents per CPU-second)\n", "ratio", whole.PerCPU/chain.PerCPU, whole.PerCPU/bare.PerCPU)
		all = append(all, whole, chain, bare)
	}
	if out == "" {
		return nil
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(b, '\n'), 0o644)
}

// naiveChain runs the naive chain over all addresses.
func naiveChain(s siteList, work string) (figure, error) {
	urls := filepath.Join(work, "urls")
	if err := os.WriteFile(urls, []byte(strings.Join(s.URLs(), "\n")), 0o600); err != nil {
		return figure{}, err
	}
	c := exec.Command(os.Args[0], "-role", "naive", "-arg", urls)
	c.Stderr = os.Stderr
	start := time.Now()
	b, err := c.Output()
	if err != nil {
		return figure{}, fmt.Errorf("naive chain: %w", err)
	}
	return newFigure("naive chain", strings.Count(string(b), "\n"), time.Since(start), c.ProcessState), nil
}

// bareParse parses all pages; the process says what the parsing alone took.
func bareParse(pages string) (figure, error) {
	c := exec.Command(os.Args[0], "-role", "parse", "-pages", pages)
	c.Stderr = os.Stderr
	start := time.Now()
	b, err := c.Output()
	if err != nil {
		return figure{}, fmt.Errorf("bare parse: %w", err)
	}
	var n int
	var cpu float64
	if _, err := fmt.Sscan(string(b), &n, &cpu); err != nil {
		return figure{}, fmt.Errorf("bare parse: %w", err)
	}
	f := newFigure("bare parse", n, time.Since(start), c.ProcessState)
	f.CPU, f.PerCPU = cpu, float64(n)/cpu
	return f, nil
}
