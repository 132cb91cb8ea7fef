package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"presswatch"

	"github.com/goccy/go-yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
)

// EnvPrefix begins the environment's names of keys.
const EnvPrefix = "PRESSWATCH_"

// notKeys are variables of ours that are no configuration.
var notKeys = []string{"TEST_", "DEV_", "SHARED", "AXE", "LAB", "CONFIG", "SHOTS"}

// secrets may also be read from a file named by the variable with _FILE.
var secrets = []string{"elasticsearch.password", "elasticsearch.api_key", "database.url"}

// DefaultFile is read when it is there and no other is named.
const DefaultFile = "presswatch.yaml"

// Load reads the configuration: defaults, then file, then env (as os.Environ),
// then flags (by key). An unknown key is an error that names it. An empty file
// name reads DefaultFile if there is one.
func Load(file string, env []string, flags map[string]any) (Config, error) {
	c := Default()
	if err := readFile(&c, file); err != nil {
		return c, err
	}
	k := koanf.New(".")
	if err := k.Load(structs.Provider(c, "koanf"), nil); err != nil {
		return c, err
	}
	fromEnv, err := readEnv(env, k)
	if err != nil {
		return c, err
	}
	for _, m := range []map[string]any{fromEnv, flags} {
		if err := k.Load(confmap.Provider(m, "."), nil); err != nil {
			return c, err
		}
	}
	out := Config{}
	if err := k.Unmarshal("", &out); err != nil {
		return c, presswatch.Errorf(presswatch.Invalid, "configuration: %w", err)
	}
	if err := out.Validate(); err != nil {
		return c, presswatch.Errorf(presswatch.Invalid, "configuration: %w", err)
	}
	return out, nil
}

func readFile(c *Config, file string) error {
	named := file != ""
	if !named {
		file = DefaultFile
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "configuration: %w", err)
	}
	filled := *c
	err = yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&filled)
	if errors.Is(err, io.EOF) { // nothing but comments
		return nil
	}
	if err == nil {
		*c = filled
		return nil
	}
	return presswatch.Errorf(presswatch.Invalid, "configuration: %s: %w", file, short(err))
}

// short is the first line of a YAML error: position and what is wrong, without
// the drawing of the place.
func short(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

func readEnv(env []string, k *koanf.Koanf) (map[string]any, error) {
	out, keys := map[string]any{}, k.Keys()
	for _, kv := range env {
		name, val, _ := strings.Cut(kv, "=")
		name, ours := strings.CutPrefix(name, EnvPrefix)
		if !ours || slices.ContainsFunc(notKeys, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		key := keyOf(name, keys)
		if key == "" {
			if key = keyOf(strings.TrimSuffix(name, "_FILE"), secrets); key == "" {
				return nil, presswatch.Errorf(presswatch.Invalid, "environment: %s%s is no key of the configuration", EnvPrefix, name)
			}
			b, err := os.ReadFile(val)
			if err != nil {
				return nil, presswatch.Errorf(presswatch.Invalid, "environment: %s%s: %w", EnvPrefix, name, err)
			}
			val = strings.TrimSpace(string(b))
		}
		if _, list := k.Get(key).([]string); list {
			out[key] = strings.Split(val, ",")
			continue
		}
		out[key] = val
	}
	return out, nil
}

func keyOf(name string, keys []string) string {
	for _, k := range keys {
		if strings.EqualFold(strings.NewReplacer(".", "_", "-", "_").Replace(k), name) {
			return k
		}
	}
	return ""
}

// Show returns c as YAML with secrets masked, for `presswatch doctor`.
func Show(c Config) string {
	mask := func(s *string) {
		if *s != "" {
			*s = "(set)"
		}
	}
	mask(&c.Elasticsearch.Password)
	mask(&c.Elasticsearch.APIKey)
	mask(&c.Database.URL)
	b, err := yaml.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
