package presswatch

import "context"

// StoryID names a story: the wider event that documents tell of.
type StoryID string

// Relation says how a document stands to what was there before it.
type Relation string

// The relations. Translation and SameEvent are given by later stages.
const (
	New         Relation = "new"         // nothing like it was there
	Exact       Relation = "exact"       // the same words
	Near        Relation = "near"        // the same text, edited a little
	Translation Relation = "translation" // the same text in another language
	SameEvent   Relation = "same_event"  // another text about the same event
)

// Story is a document's place among the others.
type Story struct {
	ID         StoryID  `json:"id"`
	CopyGroup  string   `json:"copy_group"`        // all copies of one text share it
	CopyOf     DocID    `json:"copy_of,omitempty"` // the first of the group; empty for itself
	Relation   Relation `json:"relation"`
	Similarity float64  `json:"similarity,omitempty"` // 0 to 1, to CopyOf
}

// StoryEntry is what is remembered of a document to place later ones.
type StoryEntry struct {
	Doc      DocID
	Version  string // Document.Version it was made from
	Language string
	Story    Story
	Keys     []uint64 // sampled hashes under which it is found again
	Shingles []uint64 // all hashes, sorted, for the exact comparison
	Numbers  []string // numerals of the text, sorted
	At       int64    // Document.Seq
}

// StoryMemory remembers documents by their hashes.
type StoryMemory interface {
	// Update runs fn alone: no other Update, of this process or another, runs
	// meanwhile. What fn puts is durable when Update returns nil, and gone
	// when it returns an error.
	Update(ctx context.Context, fn func(StoryTx) error) error
}

// StoryTx is the memory inside one Update.
type StoryTx interface {
	// Entry returns what is remembered of a document.
	Entry(ctx context.Context, id DocID) (StoryEntry, bool, error)
	// Candidates returns the entries that share most of the keys, most first,
	// at most limit.
	Candidates(ctx context.Context, keys []uint64, limit int) ([]StoryEntry, error)
	// Put remembers an entry in place of the one with its Doc.
	Put(ctx context.Context, e StoryEntry) error
}
