// Package evidence keeps captures as WARC 1.1 files (ISO 28500:2017), which
// other tools can read, and reads WARC files, ours and others'. Each record is
// a gzip member of its own, so that one record is found by file and offset
// without reading what stands before it.
package evidence
