package classifiers

import (
	"flag"
	"testing"
)

var trainDir = flag.String("train", "", "folder of labelled sets: rewrite the embedded model from it, as presswatch train risk does")

func TestRewriteModel(t *testing.T) {
	if *trainDir == "" {
		t.Skip("only with -train DIR")
	}
	r, err := Train(t.Context(), TrainOptions{Dir: *trainDir, Out: "model"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Sets {
		t.Logf("%-20s AUC %.3f macro-F1 %.3f ECE %.3f", s.Name, s.Random.AUC, s.Random.MacroF1, s.Random.ECE)
	}
}
