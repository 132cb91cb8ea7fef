package index

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"presswatch/internal/index/analysis"
)

// Fields that only bleve has.
const (
	fieldKey  = "key"  // sort key: newest first, then DocID; see keyOf
	fieldDoc  = "doc"  // stored: the document, JSON in zstd
	fieldMeta = "meta" // stored: see meta
)

// bleveField is a field that is analysed already.
type bleveField struct {
	name    string
	options index.FieldIndexingOptions
	value   []byte
	length  int
	freqs   index.TokenFrequencies
}

func (f *bleveField) Name() string                                     { return f.name }
func (f *bleveField) Value() []byte                                    { return f.value }
func (f *bleveField) ArrayPositions() []uint64                         { return nil }
func (f *bleveField) EncodedFieldType() byte                           { return 't' }
func (f *bleveField) Analyze()                                         {}
func (f *bleveField) Options() index.FieldIndexingOptions              { return f.options }
func (f *bleveField) AnalyzedLength() int                              { return f.length }
func (f *bleveField) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.freqs }
func (f *bleveField) NumPlainTextBytes() uint64                        { return uint64(len(f.value)) }
func (f *bleveField) Size() int                                        { return len(f.value) + 64*f.length }

// bleveDocument lays out an entry for bleve.
func bleveDocument(e *entry, m meta, compressed []byte) *document.Document {
	d := document.NewDocument(e.id)
	d.Fields = make([]document.Field, 0, 16)
	words := func(name string, tokens []analysis.Token) {
		if len(tokens) > 0 {
			d.AddField(&bleveField{name: name, options: index.IndexField | index.IncludeTermVectors, length: len(tokens), freqs: positions(tokens)})
		}
	}
	marks := func(name string, tokens []analysis.Token, n int) {
		if n > 0 {
			d.AddField(&bleveField{name: name, options: index.IndexField, length: n, freqs: markFreqs(tokens, n)})
		}
	}
	keyword := func(name, value string, options index.FieldIndexingOptions) {
		if value != "" {
			freqs := index.TokenFrequencies{value: {Term: []byte(value)}}
			d.AddField(&bleveField{name: name, options: options | index.IndexField | index.SkipFreqNorm, length: 1, freqs: freqs})
		}
	}
	words(fieldTitle, e.title)
	words(fieldText, e.text)
	marks(fieldTitleMarks, e.title, m.lengths[2])
	marks(fieldTextMarks, e.text, m.lengths[3])
	keyword(fieldSource, e.key.source, index.DocValues)
	keyword(fieldLanguage, e.key.language, index.DocValues)
	keyword(fieldLevel, e.key.level, index.DocValues)
	keyword(fieldKind, e.key.kind, index.DocValues)
	keyword(fieldStory, e.key.story, 0)
	keyword(fieldDay, e.key.day, index.DocValues)
	keyword(fieldRisk, riskTerm(e.key.risk), index.DocValues)
	keyword(fieldKey, keyOf(e.key.at, e.id), index.DocValues)
	d.AddField(&bleveField{name: fieldDoc, options: index.StoreField, value: compressed})
	d.AddField(&bleveField{name: fieldMeta, options: index.StoreField, value: m.bytes()})
	return d
}

// positions counts terms and where they stand. Offsets are left out: highlights
// are found in the stored text.
func positions(tokens []analysis.Token) index.TokenFrequencies {
	freqs := make(index.TokenFrequencies, len(tokens)*2/3)
	of := make([]*index.TokenFreq, len(tokens))
	for i, t := range tokens {
		f := freqs[t.Term]
		if f == nil {
			f = &index.TokenFreq{Term: []byte(t.Term)}
			freqs[t.Term] = f
		}
		f.SetFrequency(f.Frequency() + 1)
		of[i] = f
	}
	locations := make([]index.TokenLocation, len(tokens))
	pointers := make([]*index.TokenLocation, len(tokens))
	for i, f := range of {
		if f.Locations == nil {
			n := f.Frequency()
			f.Locations, pointers = pointers[:0:n], pointers[n:]
		}
		locations[i].Position = i + 1
		f.Locations = append(f.Locations, &locations[i])
	}
	return freqs
}

func markFreqs(tokens []analysis.Token, n int) index.TokenFrequencies {
	freqs := make(index.TokenFrequencies, n*2/3)
	for _, t := range tokens {
		if t.Marks == "" {
			continue
		}
		f := freqs[t.Marks]
		if f == nil {
			f = &index.TokenFreq{Term: []byte(t.Marks)}
			freqs[t.Marks] = f
		}
		f.SetFrequency(f.Frequency() + 1)
	}
	return freqs
}

// keyLength is how many characters of a key come before the DocID.
const keyLength = 16

// keyOf makes a key that sorts newest first, then by DocID. It is text, since
// bleve separates values with the byte 0xff.
func keyOf(at int64, id string) string {
	return fmt.Sprintf("%016x%s", ^(uint64(at) ^ 1<<63), id)
}

func riskTerm(steps int) string { return fmt.Sprintf("%05d", steps) }

// scoredFields are the fields with BM25 statistics, in the order of meta and
// stats.
var scoredFields = [...]string{fieldTitle, fieldText, fieldTitleMarks, fieldTextMarks}

// meta is what Put needs to know of a stored document to replace it.
type meta struct {
	seq     int64
	lengths [len(scoredFields)]int // words in each field
}

func metaOf(e *entry) meta {
	m := meta{seq: e.seq}
	m.lengths = [...]int{len(e.title), len(e.text), countMarks(e.title), countMarks(e.text)}
	return m
}

func countMarks(tokens []analysis.Token) (n int) {
	for _, t := range tokens {
		if t.Marks != "" {
			n++
		}
	}
	return n
}

func (m meta) bytes() []byte {
	b := binary.AppendVarint(nil, m.seq)
	for _, n := range m.lengths {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func readMeta(b []byte) (m meta, ok bool) {
	seq, n := binary.Varint(b)
	if n <= 0 {
		return m, false
	}
	m.seq, b = seq, b[n:]
	for i := range m.lengths {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > math.MaxInt32 {
			return m, false
		}
		m.lengths[i], b = int(v), b[n:]
	}
	return m, true
}

// stats is what BM25 needs of each field and bleve does not keep: how many
// documents have it, and how many words they have in all. It is written with
// each batch, in the same commit, and counts the batches.
type stats struct {
	Batches int64
	Fields  [len(scoredFields)]struct{ Docs, Words int64 }
}

var statsKey = []byte("presswatch.stats")

func readStats(r index.IndexReader) (s stats, err error) {
	raw, err := r.GetInternal(statsKey)
	if err != nil || raw == nil {
		return s, err
	}
	return s, json.Unmarshal(raw, &s)
}

// add counts a document in (sign 1) or out (-1).
func (s *stats) add(m meta, sign int64) {
	for i, n := range m.lengths {
		if n > 0 {
			s.Fields[i].Docs += sign
			s.Fields[i].Words += sign * int64(n)
		}
	}
}
