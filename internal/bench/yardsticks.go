package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	readability "github.com/go-shiori/go-readability"
	"github.com/gocolly/colly/v2"
	"golang.org/x/net/html"
)

// naive is what one would write first: colly fetches, go-readability extracts,
// JSON comes out.
func naive(list string) {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var mu sync.Mutex
	c := colly.NewCollector(colly.Async(true))
	c.SetRequestTimeout(20 * time.Second)
	if err := c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: 8}); err != nil {
		log.Fatal(err)
	}
	enc := json.NewEncoder(out)
	c.OnResponse(func(r *colly.Response) {
		a, err := readability.FromReader(bytes.NewReader(r.Body), r.Request.URL)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		enc.Encode(map[string]string{"url": r.Request.URL.String(), "title": a.Title, "text": a.TextContent})
	})
	for _, u := range readList(list) {
		if err := c.Visit(u); err != nil {
			log.Print(err)
		}
	}
	c.Wait()
}

// parse parses every page, nothing more: its processor time is that of the
// parsing alone, reading and unpacking left out.
func parse(manifest string) {
	hosts, err := readPages(manifest)
	if err != nil {
		log.Fatal(err)
	}
	runtime.GC()
	before := cpuTime()
	n := 0
	for _, pages := range hosts {
		for _, p := range pages {
			if _, err := html.Parse(bytes.NewReader(p.raw)); err == nil {
				n++
			}
		}
	}
	fmt.Printf("%d %f\n", n, (cpuTime() - before).Seconds())
}

// cpuTime is the processor time of this process until now.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func readList(path string) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return strings.Fields(string(b))
}
