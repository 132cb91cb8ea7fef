package presswatch

// Level is what a risk means for the queue.
type Level string

// The levels. None of them says that an item is false: they say how soon a
// person should look.
const (
	Low    Level = "low"
	Review Level = "review"
	High   Level = "high"
)

// AtLeast reports whether l is as urgent as other, or more.
func (l Level) AtLeast(other Level) bool { return l.rank() >= other.rank() }

func (l Level) rank() int {
	switch l {
	case High:
		return 2
	case Review:
		return 1
	default:
		return 0
	}
}

// Verdict is how likely a reviewer would find the item false or misleading,
// and why. It orders work; it never judges.
type Verdict struct {
	Risk     float64    `json:"risk"` // 0 to 1, calibrated
	Level    Level      `json:"level"`
	Evidence []Evidence `json:"evidence"`
	Model    string     `json:"model"` // name and version of what scored it
}

// Evidence is one signal's part in a verdict.
type Evidence struct {
	Signal string   `json:"signal"`
	Score  float64  `json:"score"`  // 0 to 1, the signal's own
	Weight float64  `json:"weight"` // its part in the risk, in log-odds; negative speaks for the item
	Reason string   `json:"reason"` // a sentence, in English; Key and Args say it in other languages
	Key    string   `json:"key,omitempty"`
	Args   []string `json:"args,omitempty"`
	Spans  []Span   `json:"spans,omitempty"`
}

// Span is a range of a document's title or text that evidence points at.
// Start and End count Unicode code points; End is exclusive.
type Span struct {
	Field string `json:"field"` // "title" or "text"
	Start int    `json:"start"`
	End   int    `json:"end"`
}
