package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
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

// parse fetches every page and parses it, nothing more. The fetch is part of
// it, as in the others.
func parse(list string) {
	for _, u := range readList(list) {
		resp, err := http.Get(u)
		if err != nil {
			log.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		if _, err := html.Parse(bytes.NewReader(b)); err == nil {
			os.Stdout.WriteString("1\n")
		}
	}
}

func readList(path string) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	return strings.Fields(string(b))
}
