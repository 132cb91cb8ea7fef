// Package obs is what an operator sees: logs and figures.
package obs

import (
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewLogger writes to w; level is debug, info, warn or error, format text or
// json. Both escape control characters, so that one event is one line.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		l = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// Metrics are the figures of one process, served at /metrics.
type Metrics struct {
	registry *prometheus.Registry

	Captures  *prometheus.CounterVec // published to the log, by way: crawl or import
	Processed *prometheus.CounterVec // messages worked on, by group and outcome: ok, dropped or failed
	Cases     prometheus.Counter     // cases opened
	Seconds   *prometheus.HistogramVec
}

// NewMetrics makes the figures, all zero.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		Captures:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "presswatch_captures_total", Help: "Captures published to the log."}, []string{"way"}),
		Processed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "presswatch_messages_total", Help: "Messages worked on."}, []string{"group", "outcome"}),
		Cases:     prometheus.NewCounter(prometheus.CounterOpts{Name: "presswatch_cases_opened_total", Help: "Cases opened for review."}),
		Seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "presswatch_batch_seconds", Help: "Time of one batch.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9)}, []string{"group"}),
	}
	m.registry.MustRegister(m.Captures, m.Processed, m.Cases, m.Seconds,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the figures in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
