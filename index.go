package presswatch

import (
	"context"
	"time"
)

// Index is the archive: every document once, in its newest version.
type Index interface {
	// Put stores documents. A document replaces the one with its ID unless
	// that has a higher Seq, in which case Put does nothing and reports no
	// error. The returned slice has one entry a document, nil where it is
	// stored durably; a coded error says whether trying again can help. The
	// second result is set when nothing could be done at all.
	Put(ctx context.Context, docs []Document) ([]error, error)
	// Get returns one document, or an error with code NotFound.
	Get(ctx context.Context, id DocID) (Document, error)
	// Search answers a query. A query that cannot be understood is Invalid.
	Search(ctx context.Context, q Query) (Result, error)
	// Refresh returns when everything that was Put before is found by Search.
	Refresh(ctx context.Context) error
	// Close releases what the index holds.
	Close() error
}

// Sort orders hits.
type Sort string

// The orders. Ties are broken by DocID, so that paging is stable.
const (
	ByRelevance Sort = "relevance"
	ByNewest    Sort = "newest"
	ByRisk      Sort = "risk"
)

// Query asks the archive. All filters must hold; within one, any value may.
type Query struct {
	Text     string // words (all must occur), "phrases", AND OR NOT, -word, ( ); "*" or "" matches all
	Since    time.Time
	Until    time.Time // exclusive
	Sources  []SourceID
	Langs    []string
	Levels   []Level
	Kinds    []Kind
	Stories  []StoryID
	MinRisk  float64
	Sort     Sort   // ByRelevance when empty; ByNewest when there is no Text either
	Limit    int    // hits a page; 0 means none, only counts
	After    string // Result.Next of the page before
	Facets   bool   // count values of source, language, level and kind
	Interval string // "day", "week" or "month" asks for a date histogram
}

// Result is one page of hits, and counts over all of them.
type Result struct {
	Hits      []Hit              `json:"hits"`
	Total     int                `json:"total"`
	Next      string             `json:"next,omitempty"` // empty on the last page
	Facets    map[string][]Count `json:"facets,omitempty"`
	Histogram []Count            `json:"histogram,omitempty"`
}

// Hit is a document that answers a query. Highlights are the matched ranges.
type Hit struct {
	Document   Document `json:"document"`
	Score      float64  `json:"score"`
	Highlights []Span   `json:"highlights,omitempty"`
}

// Count is a value and how many hits have it, most first; in a histogram the
// value is the first day of the interval, "2026-11-21", oldest first.
type Count struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}
