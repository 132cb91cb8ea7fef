package index

import (
	"testing"

	"presswatch"
	"presswatch/internal/index/indextest"
)

func openTestBleve(t *testing.T) presswatch.Index {
	idx, err := OpenBleve(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := idx.Close(); err != nil {
			t.Error(err)
		}
	})
	return idx
}

func TestBleve(t *testing.T) {
	indextest.Run(t, openTestBleve)
}
