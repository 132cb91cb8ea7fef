// Package presswatch holds the words of the house: what a capture, a document,
// a story, a verdict and a case are, and the ports through which the parts of
// the program meet. It imports only the standard library; adapters live below
// internal/, the product in crawlers, pipeline, classifiers, api and dashboards.
package presswatch
