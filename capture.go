package presswatch

import (
	"fmt"
	"time"
)

// MaxBody is the most bytes of a decoded body that a Capture carries. Whoever
// fetches cuts there and sets Truncated.
const MaxBody = 16 << 20

// SourceID names a source of sources.yaml, such as "vnexpress-thoi-su".
type SourceID string

// Kind tells an article of the press from a post of a social network.
type Kind string

// The kinds of content.
const (
	Article Kind = "article"
	Post    Kind = "post"
)

// Capture is one fetch, exactly as it came: bytes, addresses, status, headers,
// time, source. It never changes; everything else is derived from it.
type Capture struct {
	ID          string              `json:"id"` // the same fetch has the same ID, however often it is sent
	Source      SourceID            `json:"source"`
	Kind        Kind                `json:"kind"`
	URL         string              `json:"url"`                 // as asked for
	FinalURL    string              `json:"final_url,omitempty"` // after redirects; empty when equal to URL
	Status      int                 `json:"status,omitempty"`    // HTTP status; 0 when no HTTP was spoken (an import)
	Header      map[string][]string `json:"header,omitempty"`    // response headers, canonical names
	ContentType string              `json:"content_type,omitempty"`
	FetchedAt   time.Time           `json:"fetched_at"`
	Truncated   bool                `json:"truncated,omitempty"` // the body was longer than MaxBody
	Evidence    string              `json:"evidence,omitempty"`  // WARC record: file name, '#', byte offset
	Hints       Hints               `json:"hints,omitzero"`
	Body        []byte              `json:"-"` // content-decoded, charset as served; at most MaxBody bytes
}

// Hints is what the place where the link was found said about it: a feed item,
// a row of an import. Extraction prefers what the page says itself, and falls
// back on these.
type Hints struct {
	Title     string    `json:"title,omitempty"`
	Language  string    `json:"language,omitempty"` // BCP 47
	Published time.Time `json:"published,omitzero"`
	Byline    []string  `json:"byline,omitempty"`
	Site      string    `json:"site,omitempty"`
	DocURL    string    `json:"doc_url,omitempty"` // the address to go by, whatever the page claims
}

// Address is where the bytes came from in the end.
func (c Capture) Address() string {
	if c.FinalURL != "" {
		return c.FinalURL
	}
	return c.URL
}

// Key orders captures: those of one address stay in order.
func (c Capture) Key() string { return string(NewDocID(c.URL)) }

// Validate says what is wrong with a capture, naming the field.
func (c Capture) Validate() error {
	switch {
	case c.ID == "":
		return Errorf(Invalid, "capture: id is empty")
	case c.URL == "":
		return Errorf(Invalid, "capture %s: url is empty", c.ID)
	case c.FetchedAt.IsZero():
		return Errorf(Invalid, "capture %s: fetched_at is empty", c.ID)
	case c.Kind != Article && c.Kind != Post:
		return Errorf(Invalid, "capture %s: kind %q is neither article nor post", c.ID, c.Kind)
	case len(c.Body) > MaxBody:
		return Errorf(TooLarge, "capture %s: body of %d bytes, the most is %d", c.ID, len(c.Body), MaxBody)
	}
	return nil
}

// NewCaptureID derives the ID of a capture from what makes it the same fetch:
// its source, its address, its time and its bytes.
func NewCaptureID(source SourceID, url string, fetched time.Time, body []byte) string {
	return hashBytes("c", []byte(source), []byte(url), fmt.Append(nil, fetched.UnixMicro()), body)
}
