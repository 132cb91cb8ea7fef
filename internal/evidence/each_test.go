package evidence

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"presswatch"
)

func TestEachGivesEveryCaptureAndGoesOnAfterDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1) // a file a record
	var refs []string
	for i := range 4 {
		refs = append(refs, write(t, s, page(i, "<p>Bài số "+string(rune('0'+i))+"</p>")))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all := files(t, dir)
	cut := filepath.Join(dir, filepath.Base(all[1]))
	st, err := os.Stat(cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(cut, st.Size()-20); err != nil {
		t.Fatal(err)
	}
	var got []string
	damaged := 0
	err = Each(context.Background(), dir, func(c presswatch.Capture, err error) error {
		if err != nil {
			damaged++
			return nil
		}
		got = append(got, c.Evidence)
		if len(c.Body) == 0 || c.Validate() != nil {
			t.Errorf("%s: %v", c.Evidence, c.Validate())
		}
		return nil
	})
	if err != nil || damaged != 1 || len(got) != 3 || got[0] != refs[0] || got[1] != refs[2] || got[2] != refs[3] {
		t.Errorf("got %v, %d damaged, %v; want all of %v but the second", got, damaged, err, refs)
	}
}
