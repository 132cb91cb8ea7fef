package api

import (
	"context"
	"math"
	"net/url"
	"strconv"
	"time"

	"presswatch"
)

// searchTime is the most time that one question to the archive may take.
const searchTime = 5 * time.Second

type searchIn struct {
	Q        string   `query:"q" maxLength:"512" doc:"Words (all must occur), \"phrases\", AND OR NOT, -word, ( ); empty matches all"`
	Since    string   `query:"since" maxLength:"40" doc:"RFC 3339 time, or a day: 2026-11-21"`
	Until    string   `query:"until" maxLength:"40" doc:"RFC 3339 time, exclusive, or a day, inclusive"`
	Source   []string `query:"source,explode" maxItems:"50"`
	Lang     []string `query:"lang,explode" maxItems:"20" doc:"BCP 47; may be repeated"`
	Level    []string `query:"level,explode" enum:"low,review,high" maxItems:"3"`
	Kind     []string `query:"kind,explode" enum:"article,post" maxItems:"2"`
	Story    []string `query:"story,explode" maxItems:"50"`
	MinRisk  float64  `query:"min_risk" minimum:"0" maximum:"1"`
	Sort     string   `query:"sort" enum:"relevance,newest,risk"`
	Limit    int      `query:"limit" minimum:"0" maximum:"100" default:"20" doc:"Hits a page; 0: counts only"`
	After    string   `query:"after" maxLength:"2048" doc:"The cursor of the page before"`
	Facets   bool     `query:"facets" doc:"Count values of source, language, level and kind"`
	Interval string   `query:"interval" enum:"day,week,month" doc:"Asks for a histogram of dates"`
}

type searchPage struct {
	Items     []presswatch.Hit              `json:"items"`
	Total     int                           `json:"total"`
	Cursor    string                        `json:"cursor,omitempty" doc:"Asks for the next page; absent on the last"`
	Next      string                        `json:"next,omitempty" doc:"Address of the next page"`
	Facets    map[string][]presswatch.Count `json:"facets,omitempty"`
	Histogram []presswatch.Count            `json:"histogram,omitempty" doc:"The value is the first day of the interval"`
	Notice    string                        `json:"notice" doc:"What the scores mean"`
}

type searchOut struct{ Body searchPage }

func (s *Server) searchDocuments(ctx context.Context, in *searchIn) (*searchOut, error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	res, err := s.Index.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	page := searchPage{Items: orEmpty(res.Hits), Total: res.Total, Cursor: res.Next, Facets: res.Facets, Histogram: res.Histogram, Notice: notice}
	if res.Next != "" {
		page.Next = "/v1/documents?" + in.values(res.Next).Encode()
	}
	return &searchOut{Body: page}, nil
}

func (in *searchIn) query() (presswatch.Query, error) {
	q := presswatch.Query{
		Text: in.Q, Sources: as[presswatch.SourceID](in.Source), Langs: in.Lang, Levels: as[presswatch.Level](in.Level),
		Kinds: as[presswatch.Kind](in.Kind), Stories: as[presswatch.StoryID](in.Story), MinRisk: in.MinRisk,
		Sort: presswatch.Sort(in.Sort), Limit: in.Limit, After: in.After, Facets: in.Facets, Interval: in.Interval,
	}
	if math.IsNaN(in.MinRisk) {
		return q, presswatch.Errorf(presswatch.Invalid, "min_risk: not a number between 0 and 1")
	}
	var err error
	if q.Since, err = when("since", in.Since, 0); err != nil {
		return q, err
	}
	q.Until, err = when("until", in.Until, 1)
	return q, err
}

// when reads a time or a day; plus days are added to a day.
func when(field, v string, plus int) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, v); err == nil {
		return t.AddDate(0, 0, plus), nil
	}
	return time.Time{}, presswatch.Errorf(presswatch.Invalid, "%s: %q is neither an RFC 3339 time nor a day such as 2026-11-21", field, v)
}

// values are the parameters of the page after the cursor.
func (in *searchIn) values(after string) url.Values {
	v := url.Values{"after": {after}, "limit": {strconv.Itoa(in.Limit)}, "source": in.Source, "lang": in.Lang, "level": in.Level, "kind": in.Kind, "story": in.Story}
	for k, s := range map[string]string{"q": in.Q, "since": in.Since, "until": in.Until, "sort": in.Sort} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if in.MinRisk > 0 {
		v.Set("min_risk", strconv.FormatFloat(in.MinRisk, 'g', -1, 64))
	}
	return v
}

type documentIn struct {
	ID string `path:"id" maxLength:"64"`
}

type documentOut struct {
	ETag string `header:"ETag"`
	Body documentDetail
}

type documentDetail struct {
	Document presswatch.Document `json:"document"`
	Case     presswatch.CaseID   `json:"case,omitempty" doc:"Its case, when it has one"`
	Notice   string              `json:"notice" doc:"What the score means"`
}

func (s *Server) getDocument(ctx context.Context, in *documentIn) (*documentOut, error) {
	doc, err := s.Index.Get(ctx, presswatch.DocID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &documentOut{ETag: strconv.Quote(doc.Version), Body: documentDetail{Document: doc, Notice: notice}}
	switch c, _, err := s.Cases.CaseByID(ctx, presswatch.NewCaseID(doc.ID)); presswatch.CodeOf(err) {
	case "":
		out.Body.Case = c.ID
	case presswatch.NotFound:
	default:
		return nil, err
	}
	return out, nil
}
