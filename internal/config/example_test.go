package config

import (
	"path/filepath"
	"reflect"
	"testing"
)

// The example file is the documentation of the keys: it must say the defaults.
func TestExampleFileSaysTheDefaults(t *testing.T) {
	got, err := Load(filepath.Join("..", "..", "deploy", "presswatch.example.yaml"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Kafka.Brokers, want.Elasticsearch.Addresses, want.Crawl.AllowNet = []string{}, []string{}, []string{}
	want.HTTP.TrustedProxies = []string{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the example says\n%+v\nthe defaults are\n%+v", got, want)
	}
}
