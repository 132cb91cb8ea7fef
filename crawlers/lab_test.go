package crawlers

import (
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/fetch"
)

// TestLab runs each case of a hostile site that listens elsewhere, between two
// ordinary pages: PRESSWATCH_LAB=127.1.9.9:18080.
func TestLab(t *testing.T) {
	lab := os.Getenv("PRESSWATCH_LAB")
	if lab == "" {
		t.Skip("SKIPPED: no hostile site; set PRESSWATCH_LAB to its address")
	}
	host, port, _ := strings.Cut(lab, ":")
	ip := netip.MustParseAddr(host)
	cases := map[string]presswatch.Code{
		"endless": "", "bigcl": "", "bomb-gzip": "", "bomb-br": "", "bomb-zstd": "", "sitemap.xml.gz": "", "deep": "", "deepb": "", "attrs": "",
		"slow": presswatch.Unavailable, "hang": presswatch.Unavailable, "loop": presswatch.Invalid, "chain": presswatch.TooLarge, "badutf8": "",
		"ssrf": presswatch.Forbidden, "badhdr": presswatch.TooLarge, "cutoff": presswatch.Unavailable, "wrongtype": "", "regex": "",
		"robotsredir": presswatch.Forbidden, "endless-robots": "",
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			// Only the hostile hosts may be reached: the internal one is refused.
			c := fetch.New(fetch.Options{AllowNet: []netip.Prefix{netip.PrefixFrom(ip, 32), netip.PrefixFrom(ip.Next(), 32)}, Pace: 50 * time.Millisecond})
			defer c.CloseIdle()
			target := fmt.Sprintf("http://%s/h/%s", lab, name)
			if name == "endless-robots" {
				target = fmt.Sprintf("http://%s:%s/", ip.Next(), port)
			}
			good := "http://" + lab + "/h/good"
			debug.FreeOSMemory()
			before := resident("VmRSS")
			_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // VmHWM begins anew
			start := time.Now()
			var r results
			if err := Collect(t.Context(), c, slices.Values([]string{good + "0", target, good + "1"}), 1, r.emit); err != nil {
				t.Fatal(err)
			}
			took, grown := time.Since(start), resident("VmHWM")-before
			if err := r.errs[target]; presswatch.CodeOf(err) != want {
				t.Errorf("error %v, want %q", err, want)
			}
			for i := range 2 {
				if c := r.caps[good+fmt.Sprint(i)]; !strings.Contains(string(c.Body), fmt.Sprintf("Bài thường %d", i)) {
					t.Errorf("good%d: %v", i, r.errs[good+fmt.Sprint(i)])
				}
			}
			if took > 45*time.Second || grown > 64<<10 {
				t.Errorf("took %v, %d KiB more memory", took, grown)
			}
			t.Logf("%-15s %6.2fs +%3d MiB truncated=%v %.150v", name, took.Seconds(), grown>>10, r.caps[target].Truncated, r.errs[target])
		})
	}
}

// resident reads a field of /proc/self/status, in KiB.
func resident(field string) (kib int) {
	b, _ := os.ReadFile("/proc/self/status")
	for l := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(l, field+":"); ok {
			fmt.Sscan(v, &kib)
		}
	}
	return kib
}
