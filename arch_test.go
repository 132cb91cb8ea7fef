package presswatch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "presswatch"

// layers says which of our own packages each folder may import. The longest
// matching folder wins; a folder may always import below itself; "." is the
// domain and "*" is everything. A folder that is not listed fails the test.
var layers = map[string][]string{
	".":                 {},
	"internal/text":     {},
	"internal/obs":      {},
	"internal/config":   {"."},
	"internal/lang":     {".", "internal/text"},
	"internal/fetch":    {".", "internal/obs"},
	"internal/auth":     {".", "internal/obs"},
	"internal/web":      {"."},
	"internal/rules":    {"."},
	"internal/jsonl":    {"."},
	"internal/evidence": {".", "internal/obs"},
	"internal/imports":  {".", "internal/evidence"},
	"internal/demo":     {".", "internal/lang"},
	"internal/stories":  {".", "internal/text", "internal/lang", "internal/jsonl"},
	"internal/queue":    {".", "internal/obs"},
	"internal/store":    {".", "internal/obs"},
	"internal/index":    {".", "internal/obs", "internal/lang", "internal/text"},
	"crawlers":          {".", "internal/obs", "internal/lang", "internal/text", "internal/fetch"},
	"pipeline":          {".", "internal/obs", "internal/lang", "internal/text", "internal/jsonl"},
	"classifiers":       {".", "internal/obs", "internal/lang", "internal/text", "internal/jsonl"},
	"api":               {".", "internal/obs", "internal/rules", "internal/auth", "internal/lang", "internal/web"},
	"dashboards":        {".", "internal/obs", "internal/rules", "internal/auth", "internal/lang", "internal/web"},
	"internal/bench":    {},
	"internal/app":      {"*"},
	"cmd":               {"internal/app"},
}

// fences names the only folder that may import each outside driver.
var fences = map[string]string{
	"github.com/gocolly/colly/v2":            "crawlers",
	"github.com/robfig/cron/v3":              "crawlers",
	"github.com/go-shiori/go-readability":    "pipeline",
	"codeberg.org/readeck/go-readability/v2": "pipeline",
	"github.com/segmentio/kafka-go":          "internal/queue",
	"github.com/twmb/franz-go/pkg/kfake":     "internal/queue",
	"github.com/elastic/go-elasticsearch/v8": "internal/index",
	"github.com/blevesearch/bleve/v2":        "internal/index",
	"github.com/jackc/pgx/v5":                "internal/store",
	"modernc.org/sqlite":                     "internal/store",
}

// lists maps each folder of components to the method that marks one.
var lists = map[string]string{"crawlers": "Kind", "pipeline": "Name", "classifiers": "Spec"}

// yardsticks may use any driver: what is measured there is not ours.
const yardsticks = "internal/bench"

const maxFile, maxFunc = 500, 80 // lines, tests excepted

var langCode = regexp.MustCompile(`^"(vi|en|hi|ar)"$`)

func TestArchitecture(t *testing.T) {
	fset := token.NewFileSet()
	made, marked := map[string]string{}, map[string][]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.Contains(p, "testdata") {
			return err
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, test := path.Dir(filepath.ToSlash(p)), strings.HasSuffix(p, "_test.go")
		for _, im := range f.Imports {
			checkImport(t, p, dir, strings.Trim(im.Path.Value, `"`), test)
		}
		if test {
			return nil
		}
		if n := fset.Position(f.FileEnd).Line; n > maxFile {
			t.Errorf("%s has %d lines, the most is %d", p, n, maxFile)
		}
		if path.Base(p) == "all.go" {
			made[dir] = fmt.Sprint(idents(f))
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1; n > maxFunc {
				t.Errorf("%s: %s has %d lines, the most is %d", p, fn.Name.Name, n, maxFunc)
			}
			if fn.Recv != nil && fn.Name.Name == lists[dir] {
				marked[dir] = append(marked[dir], idents(fn.Recv.List[0].Type)...)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && langCode.MatchString(l.Value) && !strings.HasPrefix(dir, "internal/lang") {
				t.Errorf("%s: language code %s; ask the lang.Profile instead", fset.Position(l.Pos()), l.Value)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, types := range marked {
		for _, name := range types {
			if !regexp.MustCompile(`\b(New)?` + name + `\b`).MatchString(made[dir]) {
				t.Errorf("%s.%s is a component but %s/all.go does not list it", dir, name, dir)
			}
		}
	}
}

func checkImport(t *testing.T, file, dir, imp string, test bool) {
	t.Helper()
	for driver, home := range fences {
		if dir != yardsticks && (imp == driver || strings.HasPrefix(imp, driver+"/")) && !within(dir, home) {
			t.Errorf("%s imports %s, which only %s may", file, imp, home)
		}
	}
	if imp != module && !strings.HasPrefix(imp, module+"/") {
		return
	}
	if test { // tests may wire adapters together
		return
	}
	target := strings.TrimPrefix(strings.TrimPrefix(imp, module), "/")
	if target == "" {
		target = "."
	}
	layer, ok := layerOf(dir)
	if !ok {
		t.Errorf("%s: folder %s has no layer; add it to layers", file, dir)
		return
	}
	allowed := layers[layer]
	if within(target, layer) || slices.Contains(allowed, "*") || slices.ContainsFunc(allowed, func(a string) bool { return within(target, a) }) {
		return
	}
	t.Errorf("%s: %s must not import %s", file, layer, target)
}

func layerOf(dir string) (best string, ok bool) {
	for l := range layers {
		if within(dir, l) && len(l) >= len(best) {
			best, ok = l, true
		}
	}
	return best, ok
}

func within(dir, root string) bool {
	return dir == root || (root != "." && strings.HasPrefix(dir, root+"/"))
}

func idents(n ast.Node) (names []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}
