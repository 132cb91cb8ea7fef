# Presswatch. `make test` sets up all that the tests need and runs them.
GO      ?= go
GOFLAGS ?= -p=2
export GOFLAGS
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.1.4

.PHONY: all build test test-fast lint vuln bench demo dev-up dev-down clean

all: build

build: ## the program, as ./presswatch
	$(GO) build -trimpath -ldflags='-s -w' -o presswatch ./cmd/presswatch

test: ## everything, with the race detector and the real servers
	./deploy/dev/test

test-fast: ## what needs no server and no browser
	$(GO) test -shuffle=on ./...

lint: ## formatting, vet, staticcheck, the architecture
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'gofmt: the files above need it' >&2; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test -run 'Architecture' .

vuln: ## known vulnerabilities that our code reaches
	$(GO) run $(GOVULNCHECK) ./...

bench: ## the whole path against the naive chain and the bare parse
	./deploy/dev/bench

demo: ## sample newsrooms and a queue to try
	$(GO) run ./cmd/presswatch up --demo

dev-up: ## real Kafka, Elasticsearch and PostgreSQL for the tests
	./deploy/dev/dev up

dev-down:
	./deploy/dev/dev down

clean:
	rm -rf presswatch bench.out
