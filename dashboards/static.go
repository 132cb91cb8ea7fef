package dashboards

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"sync"

	"presswatch/internal/web"
)

//go:embed static
var staticFS embed.FS

// staticSums are short hashes of the static files by name.
var staticSums = sync.OnceValue(func() map[string]string {
	sums := map[string]string{}
	entries, err := staticFS.ReadDir("static")
	if err != nil { // the folder is part of the program
		panic("dashboards: " + err.Error())
	}
	for _, e := range entries {
		b, err := staticFS.ReadFile("static/" + e.Name())
		if err != nil {
			panic("dashboards: " + err.Error())
		}
		sum := sha256.Sum256(b)
		sums[e.Name()] = hex.EncodeToString(sum[:6])
	}
	return sums
})

func staticURL(name string) string { return "/static/" + name + "?v=" + staticSums()[name] }

// staticFiles serves /static/: for ever when the address carries the hash of
// the content, else to be asked for again.
func staticFiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header(), policy)
		name := path.Base(r.URL.Path)
		sum, ok := staticSums()[name]
		if !ok || r.URL.Path != "/static/"+name {
			http.NotFound(w, r)
			return
		}
		if r.URL.Query().Get("v") == sum {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			w.Header().Set("Cache-Control", "no-cache")
		}
		w.Header().Set("ETag", `"`+sum+`"`)
		http.ServeFileFS(w, r, staticFS, "static/"+name)
	})
}
