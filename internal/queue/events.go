package queue

import (
	"encoding/json"
	"net/url"
	"time"

	"presswatch"
)

// Headers of our messages: CloudEvents 1.0, Kafka protocol binding, binary mode.
const (
	HeaderID          = "ce_id"
	HeaderSource      = "ce_source"
	HeaderSpecVersion = "ce_specversion"
	HeaderTime        = "ce_time"
	HeaderType        = "ce_type"
	HeaderContentType = "content-type"

	TypeCapture  = "presswatch.capture.v1"
	TypeDocument = "presswatch.document.v1"

	contentCapture  = "application/vnd.presswatch.capture" // a frame; see docs/decisions/0002-captures-inline.md
	contentDocument = "application/json"
)

func event(id, kind, content string, source presswatch.SourceID, at time.Time) map[string]string {
	return map[string]string{
		HeaderSpecVersion: "1.0",
		HeaderID:          id,
		HeaderSource:      "/sources/" + url.PathEscape(string(source)),
		HeaderType:        kind,
		HeaderTime:        at.UTC().Format(time.RFC3339Nano),
		HeaderContentType: content,
	}
}

// EncodeCapture makes a message of a capture: its fields as JSON and its body,
// compressed, in one value. A capture that is not valid, or whose fields are
// larger than 1 MiB, is an error.
func EncodeCapture(c presswatch.Capture) (presswatch.Message, error) {
	if err := c.Validate(); err != nil {
		return presswatch.Message{}, err
	}
	meta, err := json.Marshal(c)
	if err != nil {
		return presswatch.Message{}, presswatch.Errorf(presswatch.Invalid, "capture %s: %w", c.ID, err)
	}
	value, err := appendFrame(nil, meta, c.Body)
	if err != nil {
		return presswatch.Message{}, presswatch.Errorf(presswatch.CodeOf(err), "capture %s: %w", c.ID, err)
	}
	return presswatch.Message{
		Key: c.Key(), Value: value,
		Headers: event(c.ID, TypeCapture, contentCapture, c.Source, c.FetchedAt),
	}, nil
}

// DecodeCapture reads what EncodeCapture made, from whoever sent it: an error
// is Invalid or TooLarge, and a body never exceeds presswatch.MaxBody. The body
// may share the memory of m.Value.
func DecodeCapture(m presswatch.Message) (presswatch.Capture, error) {
	meta, body, err := openFrame(m.Value)
	if err != nil {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.CodeOf(err), "capture %q: %w", m.Headers[HeaderID], err)
	}
	var c presswatch.Capture
	if err := json.Unmarshal(meta, &c); err != nil {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "capture %q: %w", m.Headers[HeaderID], err)
	}
	c.Body = body
	if err := c.Validate(); err != nil {
		return presswatch.Capture{}, err
	}
	return c, nil
}

// EncodeDocument makes a message of a document, as JSON. A document that is
// not valid is an error.
func EncodeDocument(d presswatch.Document) (presswatch.Message, error) {
	if err := d.Validate(); err != nil {
		return presswatch.Message{}, err
	}
	value, err := json.Marshal(d)
	if err != nil {
		return presswatch.Message{}, presswatch.Errorf(presswatch.Invalid, "document %s: %w", d.ID, err)
	}
	return presswatch.Message{
		Key: string(d.ID), Value: value,
		Headers: event(string(d.ID)+"-"+d.Version, TypeDocument, contentDocument, d.Source, d.FetchedAt),
	}, nil
}

// DecodeDocument reads what EncodeDocument made, from whoever sent it; an
// error is Invalid.
func DecodeDocument(m presswatch.Message) (presswatch.Document, error) {
	var d presswatch.Document
	if err := json.Unmarshal(m.Value, &d); err != nil {
		return presswatch.Document{}, presswatch.Errorf(presswatch.Invalid, "document %q: %w", m.Headers[HeaderID], err)
	}
	if err := d.Validate(); err != nil {
		return presswatch.Document{}, err
	}
	return d, nil
}
