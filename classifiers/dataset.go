package classifiers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"presswatch"
	langs "presswatch/internal/lang/all"
)

// task says what the label 1 of a set means, and so which head may learn
// from it. Harm and check-worthiness are not falsehood and feed none.
type task string

const (
	falsehood task = "falsehood" // 1: fake, false or unreliable
	clickbait task = "clickbait" // 1: a title made to be clicked
	otherTask task = "other"     // measured, never learned
)

// dataset is one labelled set that training and evaluation know by name.
type dataset struct {
	Name    string
	Task    task
	Licence string
	Note    string
	ByTime  bool // its time stamps can be trusted to split it
	BySite  bool // its groups are sources, speakers or accounts
}

// datasets are the known sets; the label of a file of another name is taken to
// mean falsehood.
func datasets() []dataset {
	const research = "published for research, no licence stated"
	return []dataset{
		{Name: "reintel", Task: falsehood, Licence: research, Note: "Vietnamese social posts, unreliable or not", ByTime: true, BySite: true},
		{Name: "vn_huynhtuan", Task: falsehood, Licence: research, Note: "Vietnamese articles and posts, lower-cased"},
		{Name: "constraint_hi", Task: falsehood, Licence: research, Note: "Hindi posts, fake or not"},
		{Name: "constraint_en", Task: falsehood, Licence: "MIT", Note: "English posts about COVID-19"},
		{Name: "coaid", Task: falsehood, Licence: research, Note: "English articles and claims about COVID-19", BySite: true},
		{Name: "gossipcop", Task: falsehood, Licence: research, Note: "English celebrity headlines", BySite: true},
		{Name: "liar", Task: falsehood, Licence: research, Note: "English short claims; near the limit of text alone", BySite: true},
		{Name: "arcov", Task: falsehood, Licence: research, Note: "Arabic posts about COVID-19, rumour or not", ByTime: true},
		{Name: "ans", Task: falsehood, Licence: research, Note: "Arabic headlines, some with a changed fact"},
		{Name: "es_posadas", Task: falsehood, Licence: "CC BY 4.0", Note: "Spanish articles; shared head only", BySite: true},
		{Name: "fakebr", Task: falsehood, Licence: research, Note: "Portuguese articles; shared head only", BySite: true},
		{Name: "urdu", Task: falsehood, Licence: research, Note: "Urdu articles; shared head only"},
		{Name: "clickbait_vi", Task: clickbait, Licence: "CC BY 4.0", Note: "Vietnamese headlines", BySite: true, ByTime: true},
		{Name: "clickbait_vi_ds108", Task: clickbait, Licence: "CC BY 4.0", Note: "Vietnamese headlines", BySite: true, ByTime: true},
		{Name: "claimbuster", Task: otherTask, Licence: "GPL-3.0", Note: "check-worthiness"},
		{Name: "clef20_t1", Task: otherTask, Licence: research, Note: "check-worthiness"},
		{Name: "victsd", Task: otherTask, Licence: research, Note: "toxicity"},
		{Name: "vihsd", Task: otherTask, Licence: research, Note: "hate"},
	}
}

func datasetNamed(name string) dataset {
	all := datasets()
	if i := slices.IndexFunc(all, func(d dataset) bool { return d.Name == name }); i >= 0 {
		return all[i]
	}
	return dataset{Name: name, Task: falsehood, Licence: "not known", Note: "not known by name"}
}

// example is one labelled record.
type example struct {
	set      string
	ID       string `json:"id"`
	Lang     string `json:"lang"`
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	URL      string `json:"url"`
	Label    *int   `json:"label"`
	Split    string `json:"split"`
	Group    string `json:"group"`
	TS       *int64 `json:"ts"`
}

func (e example) positive() bool { return e.Label != nil && *e.Label == 1 }

// document is the example as the signals see it.
func (e example) document() presswatch.Document {
	d := presswatch.Document{Title: e.Title, Text: e.Text, URL: e.URL, Language: e.Lang}
	if e.Language != "" {
		d.Language = e.Language
	}
	return d
}

// head names the head that learns from the example: its language, or the
// empty name of the shared head when the language is not one of ours.
func (e example) head() string {
	if p, ok := langs.ByCode(e.document().Language); ok {
		return p.Code
	}
	return ""
}

// maxLine is the longest line of a labelled file.
const maxLine = 32 << 20

// readSets reads every *.jsonl of a folder, in order of their names.
func readSets(dir string) (map[string][]example, []string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(paths) == 0 {
		return nil, nil, presswatch.Errorf(presswatch.NotFound, "%s: no labelled sets (*.jsonl)", dir)
	}
	slices.Sort(paths)
	sets, names := map[string][]example{}, []string{}
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), ".jsonl")
		if sets[name], err = readSet(p, name); err != nil {
			return nil, nil, err
		}
		names = append(names, name)
	}
	return sets, names, nil
}

func readSet(path, name string) ([]example, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.NotFound, "set %s: %w", name, err)
	}
	defer f.Close()
	var out []example
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		e := example{set: name}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "set %s, line %d: %w", name, n, err)
		}
		if e.Label == nil || (*e.Label != 0 && *e.Label != 1) {
			return nil, presswatch.Errorf(presswatch.Invalid, "set %s, line %d: label: 0 or 1 is needed", name, n)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "set %s: %w", name, err)
	}
	return out, nil
}

func hash64(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = fmt.Fprint(h, strconv.Itoa(len(p)), ":", p)
	}
	return h.Sum64()
}
