package stories

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"presswatch"
	"presswatch/internal/text"
)

const flood = `Sáng 20/11, mực nước sông Bồ tại trạm Phú Ốc lên mức 4,8 m, trên báo động 3 là 0,3 m. Ủy ban tỉnh yêu cầu di dời 1.250 hộ dân ở vùng thấp trũng trước 17 giờ cùng ngày.
Các trường học trong vùng cho học sinh nghỉ hai ngày. Lực lượng cứu hộ mang theo 40 xuồng máy, áo phao và nước uống tới những xã bị chia cắt, nơi đường vào đã ngập sâu hơn một mét.`

const gold1 = `Giá vàng miếng sáng nay được các tiệm lớn ở Hà Nội niêm yết ở mức 92 triệu đồng mua vào và 94 triệu đồng bán ra mỗi lượng, tăng 500 nghìn đồng so với chiều hôm qua. Trên thị trường thế giới, giá giao ngay ở mức 2710 USD một ounce, cao hơn 15 USD so với phiên trước đó.`

const gold2 = `Giá vàng miếng sáng nay được các tiệm lớn ở Hà Nội niêm yết ở mức 89 triệu đồng mua vào và 91 triệu đồng bán ra mỗi lượng, tăng 300 nghìn đồng so với chiều hôm qua. Trên thị trường thế giới, giá giao ngay ở mức 2655 USD một ounce, cao hơn 22 USD so với phiên trước đó.`

const market = `The weekly market on the river bank will open again on Saturday after the council repaired the landing stage. Farmers from nine villages asked for more stalls, longer hours and a place where children can wait for the ferry home.`

func doc(id, body string) *presswatch.Document {
	return &presswatch.Document{ID: presswatch.DocID(id), Text: body, Version: presswatch.ContentVersion("", body)}
}

func TestPlaceTellsCopies(t *testing.T) {
	lines := strings.Split(flood, "\n")
	for name, tc := range map[string]struct {
		first, second string
		want          presswatch.Relation
	}{
		"the same words":                         {flood, flood, presswatch.Exact},
		"without marks, decomposed, upper case":  {flood, strings.ToUpper(norm.NFD.String(text.Fold(flood))), presswatch.Exact},
		"other punctuation and white space":      {flood, strings.ReplaceAll(flood, "\n", "  – "), presswatch.Exact},
		"the first half":                         {flood, lines[0], presswatch.Near},
		"sentences in another order":             {flood, lines[1] + " " + lines[0], presswatch.Near},
		"a foreword before it":                   {flood, "Theo tin từ địa phương gửi về toà soạn: " + flood, presswatch.Near},
		"the longer text after the shorter":      {lines[1], flood, presswatch.Near},
		"another text":                           {flood, market, presswatch.New},
		"a template with other figures":          {gold1, gold2, presswatch.New},
		"a short text, the same":                 {"Mưa lớn ở Huế", "mưa LỚN ở Huế!", presswatch.Exact},
		"a short text, one word more":            {"Mưa lớn ở Huế", "Mưa rất lớn ở Huế", presswatch.New},
		"Hindi with Devanagari digits":           {strings.Repeat("बाढ़ में १२ गाँव डूब गए और लोग नाव से निकले ", 2), strings.Repeat("बाढ़ में 12 गाँव डूब गए और लोग नाव से निकले ", 2), presswatch.Exact},
		"signs only, the same":                   {"🙂🙂", "🙂🙂", presswatch.Exact},
		"signs only, others":                     {"🙂🙂", "🙁", presswatch.New},
		"no words at all is like no other words": {"!!!", market, presswatch.New},
	} {
		t.Run(name, func(t *testing.T) {
			a := New(NewMemory())
			one, two := doc("d1", tc.first), doc("d2", tc.second)
			if err := a.PlaceAll(t.Context(), []*presswatch.Document{one, two}); err != nil {
				t.Fatal(err)
			}
			if one.Story.Relation != presswatch.New || one.Story.CopyOf != "" {
				t.Errorf("the first is %+v, want new", one.Story)
			}
			if two.Story.Relation != tc.want {
				t.Errorf("relation %s (similarity %.2f), want %s", two.Story.Relation, two.Story.Similarity, tc.want)
			}
			if isCopy := tc.want != presswatch.New; isCopy != (two.Story.CopyOf == "d1") || isCopy != (two.Story.CopyGroup == one.Story.CopyGroup) || isCopy != (two.Story.ID == one.Story.ID) {
				t.Errorf("placed as %+v beside %+v", two.Story, one.Story)
			}
		})
	}
}

func TestCopiesOfACopyNameTheFirst(t *testing.T) {
	a, lines := New(NewMemory()), strings.Split(flood, "\n")
	docs := []*presswatch.Document{doc("d1", flood), doc("d2", lines[0]), doc("d3", lines[0]+" Xin chia sẻ cho mọi người biết.")}
	for _, d := range docs {
		if err := a.Place(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if s := docs[2].Story; s.CopyOf != "d1" || s.CopyGroup != docs[0].Story.CopyGroup {
		t.Errorf("placed as %+v, want a copy of d1", s)
	}
}

func TestAnExtractWithoutFiguresDoesNotJoinTemplates(t *testing.T) {
	extract := "Trên thị trường thế giới, giá giao ngay ở mức cao. Giá vàng miếng sáng nay được các tiệm lớn ở Hà Nội niêm yết ở mức mới, so với chiều hôm qua."
	a := New(NewMemory())
	docs := []*presswatch.Document{doc("d1", gold1), doc("d2", extract), doc("d3", gold2)}
	if err := a.PlaceAll(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	if docs[1].Story.CopyOf != "d1" {
		t.Fatalf("the extract is %+v, want a copy of d1", docs[1].Story)
	}
	if docs[2].Story.CopyGroup == docs[0].Story.CopyGroup {
		t.Errorf("the other day's prices are in one group with the first: %+v", docs[2].Story)
	}
}

func TestANewVersionStaysInItsPlaceAndIsFoundByItsNewText(t *testing.T) {
	a := New(NewMemory())
	first, changed, copyOfNew, copyOfOld := doc("d1", flood), doc("d1", market), doc("d2", market), doc("d3", flood)
	if err := a.PlaceAll(t.Context(), []*presswatch.Document{first, changed, copyOfNew, copyOfOld}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(changed.Story) != fmt.Sprint(first.Story) {
		t.Errorf("new version at %+v, first at %+v", changed.Story, first.Story)
	}
	if copyOfNew.Story.CopyOf != "d1" {
		t.Errorf("a copy of the new text is %+v, want a copy of d1", copyOfNew.Story)
	}
	if copyOfOld.Story.Relation != presswatch.New {
		t.Errorf("a copy of the forgotten text is %+v, want new", copyOfOld.Story)
	}
}

func TestPlaceRefusesADocumentWithoutID(t *testing.T) {
	d := doc("", flood)
	if err := New(NewMemory()).Place(t.Context(), d); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("err %v, want invalid", err)
	}
}

// TestReplay: whatever is delivered again, in whatever order and in whatever
// batches, gets the answer it got first, and nothing new is remembered.
func TestReplay(t *testing.T) {
	parts := strings.FieldsFunc(flood+market+gold1, func(r rune) bool { return r == '.' || r == '\n' })
	rapid.Check(t, func(rt *rapid.T) {
		var docs []*presswatch.Document
		for i := range rapid.IntRange(1, 12).Draw(rt, "docs") {
			pick := rapid.SliceOfN(rapid.SampledFrom(parts), 1, 5).Draw(rt, "sentences")
			docs = append(docs, doc(fmt.Sprintf("d%d", i), strings.Join(pick, ". ")))
		}
		mem := NewMemory()
		a := New(mem)
		if err := a.PlaceAll(context.Background(), docs); err != nil {
			rt.Fatal(err)
		}
		size := len(mem.(*memory).byKey)
		for _, i := range rapid.Permutation(slices.Collect(seq(len(docs)))).Draw(rt, "order") {
			again := doc(string(docs[i].ID), docs[i].Text)
			if err := a.Place(context.Background(), again); err != nil {
				rt.Fatal(err)
			}
			if again.Story != docs[i].Story {
				rt.Fatalf("%s: first %+v, again %+v", again.ID, docs[i].Story, again.Story)
			}
		}
		if n := len(mem.(*memory).byKey); n != size {
			rt.Fatalf("replay made %d keys of %d", n, size)
		}
		same := make([]*presswatch.Document, len(docs))
		for i, d := range docs {
			same[i] = doc(string(d.ID), d.Text)
		}
		other := New(NewMemory())
		for i, d := range same { // one by one gives what the batch gave
			if err := other.Place(context.Background(), d); err != nil || d.Story != docs[i].Story {
				rt.Fatalf("%s: batch %+v, alone %+v, err %v", d.ID, docs[i].Story, d.Story, err)
			}
		}
	})
}

func seq(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestGroupsHoldTogether(t *testing.T) {
	parts := strings.FieldsFunc(flood+market+gold2, func(r rune) bool { return r == '.' })
	rapid.Check(t, func(rt *rapid.T) {
		a := New(NewMemory())
		leader := map[string]presswatch.DocID{}
		for i := range rapid.IntRange(1, 15).Draw(rt, "docs") {
			d := doc(fmt.Sprintf("d%02d", i), strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 4).Draw(rt, "sentences"), ". "))
			if err := a.Place(context.Background(), d); err != nil {
				rt.Fatal(err)
			}
			s := d.Story
			switch {
			case s.Relation == presswatch.New:
				leader[s.CopyGroup] = d.ID
			case leader[s.CopyGroup] != s.CopyOf:
				rt.Fatalf("%s is a copy of %s, whose group %s is led by %s", d.ID, s.CopyOf, s.CopyGroup, leader[s.CopyGroup])
			case s.Similarity <= 0 || s.Similarity > 1 || s.Relation == presswatch.Exact && s.Similarity != 1:
				rt.Fatalf("%s: similarity %v of relation %s", d.ID, s.Similarity, s.Relation)
			}
		}
	})
}

func TestPlaceFromManyGoroutines(t *testing.T) {
	a := New(NewMemory())
	docs := make([]*presswatch.Document, 24)
	var wg sync.WaitGroup
	for i := range docs {
		docs[i] = doc(fmt.Sprintf("d%d", i), flood)
		wg.Go(func() {
			if err := a.Place(t.Context(), docs[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	firsts := 0
	for _, d := range docs {
		if d.Story.Relation == presswatch.New {
			firsts++
		}
		if d.Story.CopyGroup != docs[0].Story.CopyGroup {
			t.Errorf("%s is in %s, %s in %s", d.ID, d.Story.CopyGroup, docs[0].ID, docs[0].Story.CopyGroup)
		}
	}
	if firsts != 1 {
		t.Errorf("%d documents are the first, want 1", firsts)
	}
}

func TestMemoryForgetsAFailedUpdate(t *testing.T) {
	mem, boom := NewMemory(), errors.New("boom")
	a := New(mem)
	if err := a.Place(t.Context(), doc("d1", flood)); err != nil {
		t.Fatal(err)
	}
	err := mem.Update(t.Context(), func(tx presswatch.StoryTx) error {
		for _, id := range []presswatch.DocID{"d1", "d2"} {
			if err := tx.Put(t.Context(), presswatch.StoryEntry{Doc: id, Version: "other", Keys: []uint64{1, 2}}); err != nil {
				return err
			}
		}
		if list, _ := tx.Candidates(t.Context(), []uint64{2}, 10); len(list) != 2 {
			t.Errorf("inside the update %d entries are found, want 2", len(list))
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("err %v, want boom", err)
	}
	_ = mem.Update(t.Context(), func(tx presswatch.StoryTx) error {
		if list, _ := tx.Candidates(t.Context(), []uint64{1, 2}, 10); len(list) != 0 {
			t.Errorf("%d entries of the failed update are left", len(list))
		}
		if e, ok, _ := tx.Entry(t.Context(), "d1"); !ok || e.Version == "other" {
			t.Errorf("d1 is %v, %v; want what was there before", e.Version, ok)
		}
		return nil
	})
	d := doc("d3", flood)
	if err := a.Place(t.Context(), d); err != nil || d.Story.CopyOf != "d1" {
		t.Errorf("placed as %+v, err %v; want a copy of d1", d.Story, err)
	}
}

func TestMemoryGivesUpWithTheContext(t *testing.T) {
	mem := NewMemory()
	_ = mem.Update(t.Context(), func(presswatch.StoryTx) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := mem.Update(ctx, func(presswatch.StoryTx) error { return nil }); presswatch.CodeOf(err) != presswatch.Unavailable {
			t.Errorf("err %v, want unavailable", err)
		}
		return nil
	})
}

func TestAFailedPlaceLeavesTheDocument(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	mem := NewMemory()
	_ = mem.Update(t.Context(), func(presswatch.StoryTx) error {
		d := doc("d1", flood)
		if err := New(mem).Place(ctx, d); err == nil || d.Story != (presswatch.Story{}) {
			t.Errorf("err %v, story %+v; want an error and none", err, d.Story)
		}
		return nil
	})
}
