.PHONY: help run dev test check bench asvs generate vulncheck
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: ## build and start the demo at http://localhost:8080 (Ctrl-C stops it)
	@go build -o bin/lectern ./cmd/lectern
	@exec ./bin/lectern serve --demo

dev: ## the demo at http://localhost:7331, rebuilt and reloaded on every change
	go tool templ generate --watch --proxy=http://localhost:8080 --open-browser=false \
		--watch-pattern='(.+\.(go|templ|css|js|svg|md|sql))$$' --ignore-pattern='(_templ\.(go|txt)$$)|(^data/)' \
		--cmd='go run ./cmd/lectern serve --demo'

test: ## the whole test suite
	go test -timeout 20m ./...

# All kinds of session and all that is seen in a browser were tried by test. Slowed down
# by the race detector, pages go through two kinds again, and browsers not at all: races
# are in what requests share, which is the same.
check: ## generated files fresh, gofmt, vet, staticcheck, tests with the race detector
	go tool templ generate
	git diff --exit-code -- '*_templ.go'
	@unformatted=$$(gofmt -l assets cmd db handlers seed views); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -race -short -timeout 20m -skip '^TestBrowser_' ./...

bench: ## the benchmarks, as tables with ratios (a few minutes; best on a quiet machine)
	go test -run '^$$' -bench . -benchmem ./...

asvs: ## which rows of the ASVS the tests prove, for /lab/asvs (several minutes; packages="lectern/db …" runs those alone)
	go run ./cmd/asvs $(packages)

generate: ## make the *_templ.go files from the *.templ files
	go tool templ generate

vulncheck: ## known vulnerabilities (needs the internet)
	go run golang.org/x/vuln/cmd/govulncheck@latest ./...
