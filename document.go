package presswatch

import (
	"crypto/sha256"
	"encoding/base32"
	"time"
)

// DocID names one document for ever. It derives from the canonical URL (for a
// post, its URI), so that the same article is the same document however often
// and by whichever way it arrives.
type DocID string

// NewDocID derives the ID from a canonical URL.
func NewDocID(canonicalURL string) DocID { return DocID(hashID("d", canonicalURL)) }

// hashID is a prefix and 26 letters of SHA-256 in lower-case base32: 130 bits,
// safe in URLs, file names and keys. Parts are separated, so that none can run
// into the next.
func hashID(prefix string, parts ...string) string {
	all := make([][]byte, len(parts))
	for i, p := range parts {
		all[i] = []byte(p)
	}
	return hashBytes(prefix, all...)
}

// hashBytes is hashID without a copy of what may be large.
func hashBytes(prefix string, parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
		h.Write([]byte{0})
	}
	return prefix + crockford.EncodeToString(h.Sum(nil))[:26]
}

var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Document is one press item or social post, as every other package sees it:
// what the pipeline made of a capture.
type Document struct {
	ID           DocID     `json:"id"`
	Version      string    `json:"version"` // hash of title and text: equal content, equal version
	Seq          int64     `json:"seq"`     // time of the capture in Unix microseconds; an index keeps the highest
	Source       SourceID  `json:"source"`
	Kind         Kind      `json:"kind"`
	URL          string    `json:"url"`
	CanonicalURL string    `json:"canonical_url"`
	Site         string    `json:"site,omitempty"`
	Title        string    `json:"title"`
	Text         string    `json:"text"`               // NFC, paragraphs separated by one empty line
	Language     string    `json:"language,omitempty"` // BCP 47; "und" when nothing can be said
	Byline       []string  `json:"byline,omitempty"`
	Published    time.Time `json:"published,omitzero"`
	Modified     time.Time `json:"modified,omitzero"`
	FetchedAt    time.Time `json:"fetched_at"`
	Images       []string  `json:"images,omitempty"`
	Capture      string    `json:"capture"` // ID of the capture it was made from
	Evidence     string    `json:"evidence,omitempty"`
	Truncated    bool      `json:"truncated,omitempty"`
	Story        Story     `json:"story"`
	Verdict      Verdict   `json:"verdict"`
}

// Date is when the document counts as having appeared: when it was published,
// or, where nobody says, when it was fetched.
func (d Document) Date() time.Time {
	if d.Published.IsZero() {
		return d.FetchedAt
	}
	return d.Published
}

// ContentVersion hashes title and text into a Document.Version.
func ContentVersion(title, text string) string { return hashID("v", title, text) }

// Validate says what is wrong with a document, naming the field.
func (d Document) Validate() error {
	switch {
	case d.ID == "":
		return Errorf(Invalid, "document: id is empty")
	case d.CanonicalURL == "":
		return Errorf(Invalid, "document %s: canonical_url is empty", d.ID)
	case d.ID != NewDocID(d.CanonicalURL):
		return Errorf(Invalid, "document %s: id does not derive from %s", d.ID, d.CanonicalURL)
	case d.Title == "" && d.Text == "":
		return Errorf(Invalid, "document %s: neither title nor text", d.ID)
	case d.Verdict.Risk < 0 || d.Verdict.Risk > 1:
		return Errorf(Invalid, "document %s: risk %v is not between 0 and 1", d.ID, d.Verdict.Risk)
	}
	return nil
}
