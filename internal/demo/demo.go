package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"presswatch"
)

// Options of the sites. The zero value is good.
type Options struct {
	Log *slog.Logger     // nil means slog.Default()
	Now func() time.Time // pieces are so old as they say then; nil means time.Now
	// Port is the first of consecutive ports to listen on, so that addresses,
	// and with them documents, are the same at the next start. 0, or a port
	// that is taken, leaves the choice to the system.
	Port int
}

// Sites are the running servers of all outlets.
type Sites struct {
	sites []*site
	log   *slog.Logger
	wg    sync.WaitGroup
	once  sync.Once
	stop  func() bool
	err   error
}

// Start serves every outlet on a port of its own on 127.0.0.1, until Close is
// called or ctx ends.
func Start(ctx context.Context, o Options) (*Sites, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	outlets, pieces, err := load()
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Internal, "demo: %w", err)
	}
	s := &Sites{log: o.Log}
	started := o.Now()
	for i, out := range outlets {
		ln, err := listen(o.Port, i)
		if err != nil {
			return nil, errors.Join(presswatch.Errorf(presswatch.Unavailable, "demo: %w", err), s.Close())
		}
		own := slices.DeleteFunc(slices.Clone(pieces), func(p Piece) bool { return p.Outlet != out.ID })
		one, err := newSite(out, own, ln.Addr().(*net.TCPAddr), started)
		if err != nil {
			return nil, errors.Join(presswatch.Errorf(presswatch.Internal, "demo: %w", err), ln.Close(), s.Close())
		}
		s.sites = append(s.sites, one)
		s.wg.Go(func() {
			if err := one.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("demo: an outlet stopped", "outlet", one.outlet.ID, "error", err)
			}
		})
	}
	s.stop = context.AfterFunc(ctx, func() { _ = s.shut() })
	o.Log.Info("demo: sample newsrooms are up", "outlets", len(s.sites), "pieces", len(pieces), "first", s.sites[0].base)
	return s, nil
}

// listen prefers port+i.
func listen(port, i int) (net.Listener, error) {
	if port > 0 {
		if ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+i))); err == nil {
			return ln, nil
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

func (s *Sites) shut() error {
	s.once.Do(func() {
		for _, one := range s.sites {
			s.err = errors.Join(s.err, one.server.Close())
		}
	})
	return s.err
}

// Close stops the servers and waits until they have ended.
func (s *Sites) Close() error {
	if s.stop != nil {
		s.stop()
	}
	err := s.shut()
	s.wg.Wait()
	return err
}

// AllowNet is what a client must be allowed to reach for the sites: one
// address of loopback.
func (s *Sites) AllowNet() []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 32)}
}

// URL is the address of a piece, and of its page; empty when there is no such
// piece.
func (s *Sites) URL(slug string) string {
	for _, one := range s.sites {
		for _, p := range one.pieces {
			if p.Slug == slug {
				return one.address(p)
			}
		}
	}
	return ""
}

// SourcesYAML is a sources.yaml that collects all outlets.
func (s *Sites) SourcesYAML() []byte {
	var b bytes.Buffer
	b.WriteString("# The sample newsrooms of presswatch up --demo. Outlets, people and events are\n# made up, and the addresses hold while the program runs.\n" +
		"defaults:\n  schedule: \"@every 30s\"\n  jitter: 0s\n  max_items: 100\n\nsources:\n")
	for _, one := range s.sites {
		for _, src := range one.sources() {
			fmt.Fprintf(&b, "  - id: %s\n    name: %q\n    kind: %s\n    url: %s\n    lang: %s\n", src.id, src.name, one.outlet.Kind, src.url, src.lang)
			if one.outlet.Kind == "site" {
				fmt.Fprintf(&b, "    include: ['%s']\n", strings.ReplaceAll(one.outlet.Path, "%s", `[a-z0-9-]+`))
			}
			b.WriteByte('\n')
		}
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
