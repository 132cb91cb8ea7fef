package demo

import (
	"os"
	"slices"
	"strings"
	"testing"

	"presswatch/crawlers"
)

// TestTheSampleSourcesAreValid holds the sources.yaml of the repository to the
// format, and to what its comments promise.
func TestTheSampleSourcesAreValid(t *testing.T) {
	sources, err := crawlers.LoadSources("../../sources.yaml")
	if err != nil {
		t.Fatal(err)
	}
	langs, addresses := map[string]int{}, map[string]bool{}
	for _, s := range sources {
		if addresses[s.URL] || !strings.HasPrefix(s.URL, "https://") {
			t.Errorf("%s: %s is there twice, or not https", s.ID, s.URL)
		}
		if addresses[s.URL] = true; !s.Disabled {
			langs[s.Lang]++
		}
		if strings.Contains(s.URL, ".example/") && !s.Disabled {
			t.Errorf("%s is an example, and enabled", s.ID)
		}
	}
	for lang, least := range map[string]int{"vi": 18, "en": 4, "hi": 3, "ar": 3} {
		if langs[lang] < least {
			t.Errorf("%d sources in %s, want %d", langs[lang], lang, least)
		}
	}
	at := slices.IndexFunc(sources, func(s crawlers.Source) bool { return s.Kind == "site" })
	if at < 0 || len(sources[at].Include) == 0 {
		t.Error("the sample shows no section page with include")
	}
	b, err := os.ReadFile("../../sources.yaml")
	if err != nil || !strings.Contains(string(b), "NOT fetched when this file was written") {
		t.Errorf("the file must say that its addresses were not fetched (%v)", err)
	}
}
