package presswatch

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// CaseID names a case. It derives from the document, so that an item opens a
// case once, however often its verdict arrives.
type CaseID string

// NewCaseID derives the case of a document.
func NewCaseID(doc DocID) CaseID { return CaseID(hashID("k", string(doc))) }

// CaseStatus is where a case stands.
type CaseStatus string

// The states of a case in the queue.
const (
	CaseOpen    CaseStatus = "open"
	CaseDecided CaseStatus = "decided"
)

// Label is what a person found an item to be.
type Label string

// Labels are the findings a reviewer chooses from, in the order of their keys.
// Satire and opinion are classes of their own.
func Labels() []Label {
	return []Label{"false", "misleading", "unproven", "true", "fake", "out_of_context", "satire", "opinion"}
}

// Valid reports whether l is one of Labels.
func (l Label) Valid() bool { return slices.Contains(Labels(), l) }

// Case is an item under review: the fold of its events, never written itself.
type Case struct {
	ID        CaseID     `json:"id"`
	Doc       DocID      `json:"doc"`
	Status    CaseStatus `json:"status"`
	Risk      float64    `json:"risk"`
	Level     Level      `json:"level"`
	Title     string     `json:"title"`
	Language  string     `json:"language"`
	Source    SourceID   `json:"source"`
	Story     StoryID    `json:"story"`
	Seq       int64      `json:"seq"` // Document.Seq of the version that the rest was taken from
	Published time.Time  `json:"published,omitzero"`
	OpenedAt  time.Time  `json:"opened_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	Decision  *Decision  `json:"decision,omitempty"`
	Version   int        `json:"version"` // events so far; a decision names the version it was made on
}

// Decision is a person's finding, with the reason that another could check.
type Decision struct {
	Label  Label     `json:"label"`
	Reason string    `json:"reason"`
	By     string    `json:"by"` // login
	At     time.Time `json:"at"`
}

// MaxReason is the most characters of a decision's reason.
const MaxReason = 4000

// Validate says what is wrong with a decision, naming the field.
func (d Decision) Validate() error {
	switch {
	case !d.Label.Valid():
		return Errorf(Invalid, "label: %q is not one of %v", d.Label, Labels())
	case d.Reason == "":
		return Errorf(Invalid, "reason: say why, so that a second person can check it")
	case len([]rune(d.Reason)) > MaxReason:
		return Errorf(TooLarge, "reason: the most is %d characters", MaxReason)
	case d.By == "":
		return Errorf(Invalid, "by: a decision needs its author")
	}
	return nil
}

// The types of case events.
const (
	EventOpened   = "opened"   // data: Case, as it was opened
	EventRescored = "rescored" // data: Case, with the new verdict
	EventDecided  = "decided"  // data: Decision
	EventReopened = "reopened" // data: none
)

// CaseEvent is one thing that happened to a case. Events are only ever
// appended; each carries the hash of the one before it in the whole log.
type CaseEvent struct {
	Seq  int64           `json:"seq"` // position in the log of all cases, from 1, without gaps
	Case CaseID          `json:"case"`
	N    int             `json:"n"` // position in its own case, from 1
	Type string          `json:"type"`
	At   time.Time       `json:"at"`
	By   string          `json:"by"` // login, or "pipeline"
	Data json.RawMessage `json:"data,omitempty"`
	Prev string          `json:"prev"`
	Hash string          `json:"hash"`
}

// FoldCase replays events, in order, into the case they make.
func FoldCase(events []CaseEvent) (Case, error) {
	var c Case
	for i, e := range events {
		if e.N != i+1 {
			return c, Errorf(Internal, "case %s: event %d stands at place %d", e.Case, e.N, i+1)
		}
		if err := c.apply(e); err != nil {
			return c, Errorf(Internal, "case %s, event %d: %w", e.Case, e.N, err)
		}
		c.Version, c.UpdatedAt = e.N, e.At
	}
	return c, nil
}

func (c *Case) apply(e CaseEvent) error {
	switch e.Type {
	case EventOpened:
		if err := json.Unmarshal(e.Data, c); err != nil {
			return err
		}
		c.ID, c.Status, c.OpenedAt, c.Decision = e.Case, CaseOpen, e.At, nil
	case EventRescored:
		var n Case
		if err := json.Unmarshal(e.Data, &n); err != nil {
			return err
		}
		c.Risk, c.Level, c.Title, c.Story, c.Seq = n.Risk, n.Level, n.Title, n.Story, n.Seq
	case EventDecided:
		d := new(Decision)
		if err := json.Unmarshal(e.Data, d); err != nil {
			return err
		}
		c.Status, c.Decision = CaseDecided, d
	case EventReopened:
		c.Status, c.Decision = CaseOpen, nil
	default:
		return Errorf(Invalid, "unknown type %q", e.Type)
	}
	return nil
}

// CaseQuery asks for cases, worst first.
type CaseQuery struct {
	Status  CaseStatus // empty: any
	Langs   []string
	Levels  []Level
	Stories []StoryID
	Limit   int    // at most 100; 0 means 50
	After   string // CasePage.Next of the page before
}

// CasePage is one page of cases.
type CasePage struct {
	Cases []Case `json:"cases"`
	Total int    `json:"total"`
	Next  string `json:"next,omitempty"`
}

// Cases is the review queue.
type Cases interface {
	// OpenCases opens a case for each document at or above the review level
	// that has none. An open case follows its document, also below that level:
	// where a newer version differs in verdict, title or story it is rescored.
	// A decided case stays as it is. It returns how many are new. All or none
	// are written.
	OpenCases(ctx context.Context, docs []Document) (int, error)
	// ListCases returns cases by falling risk, then by ID.
	ListCases(ctx context.Context, q CaseQuery) (CasePage, error)
	// CaseByID returns a case and its events, or NotFound.
	CaseByID(ctx context.Context, id CaseID) (Case, []CaseEvent, error)
	// Decide records a decision made on the given version of the case. When
	// the case has moved on since, it is a Conflict and nothing is written.
	Decide(ctx context.Context, id CaseID, version int, d Decision) (Case, error)
	// Reopen takes a decision back, on the given version, saying who did so.
	Reopen(ctx context.Context, id CaseID, version int, by string) (Case, error)
}
