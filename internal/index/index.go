// Package index is the archive: bleve on disk for one machine, Elasticsearch
// for a cluster. Both find the same documents in the same order, because text
// is analysed here (analysis), queries are read here (query), and bleve is made
// to score as Elasticsearch does.
package index

import (
	"context"

	"presswatch"
)

// eachPage is how many documents Each asks for at a time.
const eachPage = 200

// CountDocs is how many documents an index holds.
func CountDocs(ctx context.Context, idx presswatch.Index) (int, error) {
	res, err := idx.Search(ctx, presswatch.Query{})
	return res.Total, err
}

// Each calls fn with every document, newest first, until fn returns an error,
// which it returns. Documents that are put meanwhile may be left out.
func Each(ctx context.Context, idx presswatch.Index, fn func(presswatch.Document) error) error {
	q := presswatch.Query{Sort: presswatch.ByNewest, Limit: eachPage}
	for {
		res, err := idx.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, h := range res.Hits {
			if err := fn(h.Document); err != nil {
				return err
			}
		}
		if res.Next == "" {
			return nil
		}
		q.After = res.Next
	}
}
