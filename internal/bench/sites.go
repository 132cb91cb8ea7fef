package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// site is one outlet on a loopback address of its own.
type site struct {
	Base  string   `json:"base"`
	Paths []string `json:"paths"`
	pages []page
}

type page struct{ raw, packed []byte }

type siteList []site

// URLs are all addresses.
func (l siteList) URLs() []string {
	var out []string
	for _, s := range l {
		for _, p := range s.Paths {
			out = append(out, s.Base+p)
		}
	}
	return out
}

// startSites starts the page server as a process of its own.
func startSites(pages, work string) (siteList, func(), error) {
	list := filepath.Join(work, "sites.json")
	c := exec.Command(os.Args[0], "-role", "sites", "-pages", pages, "-arg", list)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() { c.Process.Kill(); c.Wait() }
	for range 600 {
		var l siteList
		b, err := os.ReadFile(list)
		if err == nil && json.Unmarshal(b, &l) == nil {
			return l, stop, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	return nil, nil, errors.New("the page server did not start")
}

// serveSites serves every page of the manifest, one address a host, until it
// is killed.
func serveSites(manifest, list string) {
	hosts, err := readPages(manifest)
	if err != nil {
		log.Fatal(err)
	}
	var names []string
	for h := range hosts {
		names = append(names, h)
	}
	slices.Sort(names)
	var out siteList
	for i, h := range names {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.2.%d.%d:0", i/200, i%200+1))
		if err != nil {
			log.Fatal(err)
		}
		s := site{Base: "http://" + l.Addr().String(), pages: hosts[h]}
		for j := range s.pages {
			s.Paths = append(s.Paths, fmt.Sprintf("/tin/bai-viet-so-%d.html", j))
		}
		out = append(out, s)
		go http.Serve(l, &s)
	}
	b, err := json.Marshal(out)
	if err == nil {
		err = os.WriteFile(list+".tmp", b, 0o600)
	}
	if err == nil {
		err = os.Rename(list+".tmp", list)
	}
	if err != nil {
		log.Fatal(err)
	}
	select {}
}

func readPages(manifest string) (map[string][]page, error) {
	f, err := os.Open(manifest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hosts := map[string][]page{}
	for dec := json.NewDecoder(f); ; {
		var rec struct{ URL, File string }
		if err := dec.Decode(&rec); errors.Is(err, io.EOF) {
			return hosts, nil
		} else if err != nil {
			return nil, err
		}
		packed, err := os.ReadFile(filepath.Join(filepath.Dir(manifest), rec.File))
		if err != nil {
			return nil, err
		}
		zr, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(zr)
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(rec.URL)
		if err != nil {
			return nil, err
		}
		hosts[u.Host] = append(hosts[u.Host], page{raw, packed})
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/robots.txt":
		io.WriteString(w, "User-agent: *\nDisallow: /private/\n")
	case r.URL.Path == "/feed.xml":
		s.feed(w)
	case strings.HasPrefix(r.URL.Path, "/tin/"):
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/tin/bai-viet-so-"), ".html"))
		if err != nil || n < 0 || n >= len(s.pages) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body := s.pages[n].raw
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			body = s.pages[n].packed
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	default:
		http.NotFound(w, r)
	}
}

func (s *site) feed(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/rss+xml; charset=utf-8")
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>%s</title><link>%s</link><description>-</description>`, s.Base, s.Base)
	for i, p := range s.Paths {
		fmt.Fprintf(w, `<item><title>%d</title><link>%s%s</link><guid>%s%s</guid></item>`, i, s.Base, p, s.Base, p)
	}
	io.WriteString(w, `</channel></rss>`)
}
