package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"presswatch"
)

const (
	maxPage     = 100
	defaultPage = 50
	maxFilter   = 200 // values in one filter
)

// ListCases returns cases by falling risk, then by ID. Paging is stable: a case
// that is opened meanwhile neither hides nor repeats another.
func (db *DB) ListCases(ctx context.Context, q presswatch.CaseQuery) (page presswatch.CasePage, err error) {
	limit := q.Limit
	if limit == 0 {
		limit = defaultPage
	}
	if limit < 0 || limit > maxPage {
		return page, presswatch.Errorf(presswatch.Invalid, "limit: %d is not between 1 and %d", q.Limit, maxPage)
	}
	f, err := caseFilter(q)
	if err != nil {
		return page, err
	}
	from := f.clone()
	if q.After != "" {
		risk, id, err := f.parseCursor(q.After)
		if err != nil {
			return page, err
		}
		r := from.arg(risk)
		from.where = append(from.where, "(risk < "+r+" OR (risk = "+r+" AND id > "+from.arg(id)+"))")
	}
	err = db.view(ctx, "list cases", func(tx *sql.Tx) error {
		page.Cases = []presswatch.Case{}
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM cases`+f.sql(), f.args...).Scan(&page.Total); err != nil {
			return err
		}
		query := `SELECT body FROM cases` + from.sql() + ` ORDER BY risk DESC, id LIMIT ` + from.arg(limit+1)
		return each(ctx, tx, func(rows *sql.Rows) error {
			var body []byte
			if err := rows.Scan(&body); err != nil {
				return err
			}
			var c presswatch.Case
			if err := json.Unmarshal(body, &c); err != nil {
				return err
			}
			page.Cases = append(page.Cases, c)
			return nil
		}, query, from.args...)
	})
	if err != nil {
		return presswatch.CasePage{}, err
	}
	if len(page.Cases) > limit {
		page.Cases = page.Cases[:limit]
		last := page.Cases[limit-1]
		page.Next = f.cursor(last.Risk, string(last.ID))
	}
	return page, nil
}

// filter is the WHERE of a query.
type filter struct {
	where []string
	args  []any
}

func caseFilter(q presswatch.CaseQuery) (filter, error) {
	var f filter
	switch q.Status {
	case "":
	case presswatch.CaseOpen, presswatch.CaseDecided:
		f.where = append(f.where, "status = "+f.arg(string(q.Status)))
	default:
		return f, presswatch.Errorf(presswatch.Invalid, "status: %q is neither open nor decided", q.Status)
	}
	for _, err := range []error{
		oneOf(&f, "language", q.Langs), oneOf(&f, "level", q.Levels), oneOf(&f, "story", q.Stories),
	} {
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// oneOf asks for one of some values; no values ask for nothing.
func oneOf[S ~string](f *filter, name string, values []S) error {
	if len(values) == 0 {
		return nil
	}
	if len(values) > maxFilter {
		return presswatch.Errorf(presswatch.Invalid, "%s: %d values, the most is %d", name, len(values), maxFilter)
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = f.arg(column(string(v)))
	}
	f.where = append(f.where, name+" IN ("+strings.Join(marks, ", ")+")")
	return nil
}

// arg adds an argument and returns its mark.
func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return fmt.Sprintf("$%d", len(f.args))
}

func (f filter) clone() filter {
	return filter{append([]string(nil), f.where...), append([]any(nil), f.args...)}
}

func (f filter) sql() string {
	if len(f.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.where, " AND ")
}

// cursor is the place behind a case, in base64: 8 bytes of risk, the ID, and 8
// bytes of a sum over both and the filter. The sum keeps a damaged cursor, or
// that of another query, from giving a page that looks right. It keeps no
// secret: whoever forges one sees nothing but a page of the same list.
func (f filter) cursor(risk float64, id string) string {
	b := binary.BigEndian.AppendUint64(nil, math.Float64bits(risk))
	b = append(b, id...)
	return base64.RawURLEncoding.EncodeToString(append(b, f.sum(b)...))
}

func (f filter) sum(b []byte) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "presswatch page v1\n%q\n%q\n", f.sql(), f.args)
	h.Write(b)
	return h.Sum(nil)[:8]
}

func (f filter) parseCursor(s string) (risk float64, id string, err error) {
	bad := presswatch.Errorf(presswatch.Invalid, "after: this is not a cursor of this query; start again from the first page")
	if len(s) > 256 {
		return 0, "", bad
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 17 {
		return 0, "", bad
	}
	b, sum := b[:len(b)-8], b[len(b)-8:]
	if string(f.sum(b)) != string(sum) {
		return 0, "", bad
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), string(b[8:]), nil
}
