package api

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"presswatch/internal/web"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html docs.css
var docsFiles embed.FS

func (s *Server) config() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Presswatch", Version: cmp.Or(s.Version, "dev"),
				Description: "The review queue, the archive and the state of the service. " + notice,
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "The token in the data folder of this machine"},
					"session": {Type: "apiKey", In: "cookie", Name: "__Host-presswatch", Description: "The cookie of a signed-in person"},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"session": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{toProblem},
	}
}

// problemResponses documents that whatever is not a success is a Problem.
func problemResponses(api huma.API) map[string]*huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return map[string]*huma.Response{"default": {
		Description: "What went wrong (RFC 9457)",
		Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
	}}
}

// describe renders the OpenAPI documents once all routes are known.
func (s *Server) describe() {
	spec := s.api.OpenAPI()
	delete(spec.Components.Schemas.Map(), "ErrorModel") // huma's own: Problem goes out in its place
	delete(spec.Components.Schemas.Map(), "ErrorDetail")
	var err error
	if s.openapi, err = json.Marshal(spec); err == nil {
		s.openapi3, err = spec.Downgrade()
	}
	if err != nil { // a schema that does not marshal is a defect of this package, found by its first test
		panic(fmt.Sprintf("api: openapi: %v", err))
	}
}

func (s *Server) serveOpenAPI(w http.ResponseWriter, _ *http.Request) { writeSpec(w, s.openapi) }

func (s *Server) serveOpenAPI30(w http.ResponseWriter, _ *http.Request) { writeSpec(w, s.openapi3) }

func writeSpec(w http.ResponseWriter, spec []byte) {
	w.Header().Set("Content-Type", "application/openapi+json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(spec) // the client may be gone
}

var docsPage = template.Must(template.New("docs.html").ParseFS(docsFiles, "docs.html"))

type docsData struct {
	Title, Version, Description string
	Groups                      []docsGroup
	Schemas                     []docsSchema
	Problems                    []docsProblem
}

type docsGroup struct {
	Tag        string
	Operations []docsOp
}

type docsOp struct {
	ID, Method, Path, Summary, Description string
	Params                                 []docsField
	Body, Answer                           string
}

type docsField struct {
	Name, In, Type, Doc string
	Required            bool
}

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsProblem struct {
	Code   string
	Status int
	Title  string
}

func (s *Server) serveDocs(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	if err := docsPage.Execute(&page, docsOf(s.api.OpenAPI())); err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(page.Bytes()) // the client may be gone
}

func serveDocsStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, docsFiles, "docs.css")
}

// docsOf lays the OpenAPI document out for reading.
func docsOf(spec *huma.OpenAPI) docsData {
	d := docsData{Title: spec.Info.Title, Version: spec.Info.Version, Description: spec.Info.Description}
	groups := map[string][]docsOp{}
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		item := spec.Paths[path]
		for _, o := range []*huma.Operation{item.Get, item.Post} {
			if o != nil {
				groups[o.Tags[0]] = append(groups[o.Tags[0]], docsOpOf(o))
			}
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(groups)) {
		d.Groups = append(d.Groups, docsGroup{tag, groups[tag]})
	}
	all := spec.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		sc := docsSchema{Name: name}
		for _, f := range slices.Sorted(maps.Keys(all[name].Properties)) {
			p := all[name].Properties[f]
			sc.Fields = append(sc.Fields, docsField{Name: f, Type: typeName(p), Doc: p.Description, Required: slices.Contains(all[name].Required, f)})
		}
		d.Schemas = append(d.Schemas, sc)
	}
	for _, code := range web.Codes() {
		status := web.Status(code)
		d.Problems = append(d.Problems, docsProblem{string(code), status, http.StatusText(status)})
	}
	slices.SortFunc(d.Problems, func(a, b docsProblem) int { return strings.Compare(a.Code, b.Code) })
	return d
}

func docsOpOf(o *huma.Operation) docsOp {
	d := docsOp{ID: o.OperationID, Method: o.Method, Path: o.Path, Summary: o.Summary, Description: strings.ReplaceAll(o.Description, "`", "")}
	for _, p := range o.Parameters {
		d.Params = append(d.Params, docsField{Name: p.Name, In: p.In, Type: typeName(p.Schema), Doc: p.Description, Required: p.Required})
	}
	if o.RequestBody != nil {
		d.Body = schemaName(o.RequestBody.Content["application/json"])
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		if status != "default" && o.Responses[status].Content != nil {
			d.Answer = schemaName(o.Responses[status].Content["application/json"])
		}
	}
	return d
}

func schemaName(m *huma.MediaType) string {
	if m == nil || m.Schema == nil {
		return ""
	}
	return strings.TrimPrefix(m.Schema.Ref, "#/components/schemas/")
}

// typeName says in a few words what a value is.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, "#/components/schemas/")
	case s.Type == "array":
		return "list of " + typeName(s.Items)
	case len(s.Enum) > 0:
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Enum), " ", ", "), "[]")
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	case s.Type == "object":
		if of, ok := s.AdditionalProperties.(*huma.Schema); ok {
			return "map to " + typeName(of)
		}
	case s.Type == "":
		return "any"
	}
	return s.Type
}
