# Every target gets what it needs by itself and says what it does. `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The project brings its own Node: recipes run on the one in node_modules, whatever the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

say = printf '%-9s %s\n'
cli = node src/cli/main.ts
grpcurl := $(or $(HEDDLE_TEST_GRPCURL),$(shell sh -c 'command -v grpcurl'),$(wildcard $(HOME)/go/bin/grpcurl),.tools/grpcurl)
python := $(or $(HEDDLE_TEST_PYTHON),.tools/python/bin/python)

.PHONY: help generate up down status logs check test test-integration test-browser test-compose fuzz bench build lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

generate: gen/.stamp ## Install packages and generate TypeScript from proto/
	@$(say) generate "gen/ is up to date"

up: gen/.stamp ## Start discovery, users, catalog, orders and gateway in the background
	@$(cli) up $(ARGS)

down: gen/.stamp ## Stop what `make up` started; the data stays
	@$(cli) down $(ARGS)

status: gen/.stamp ## Show every instance, its health and its calls
	@$(cli) status $(ARGS)

logs: gen/.stamp ## Show the logs; ARGS=user those of one service
	@$(cli) logs $(ARGS)

check: gen/.stamp ## Types, lint, format, contracts, layout, fresh gen/; BASE=<commit> to compare contracts with
	@BASE="$(BASE)" node scripts/check.ts

test: gen/.stamp ## Unit and contract tests; ARGS=<file> narrows
	@$(say) test "unit and contract"
	@vitest run --project unit --project contract $(ARGS)

test-integration: gen/.stamp $(grpcurl) $(python) ## Tests of real processes, with PostgreSQL and grpcurl
	@$(say) test "integration: some minutes"
	@HEDDLE_TEST_GRPCURL="$(abspath $(grpcurl))" HEDDLE_TEST_PYTHON="$(abspath $(python))" scripts/postgres vitest run --project integration $(ARGS)

test-browser: gen/.stamp ## Tests in a headless Chromium
	@$(say) test "browser"
	@scripts/chromium vitest run --project browser $(ARGS)

test-compose: gen/.stamp ## Build the image and try docker-compose.yml for real; needs a Docker engine
	@$(say) test "docker-compose.yml"
	@node scripts/compose-smoke.ts

fuzz: gen/.stamp ## Look for bytes that break HTTP/2 or gRPC; ARGS="--minutes 10 --seed 1"
	@node src/test/fuzz/main.ts $(ARGS)

bench: gen/.stamp ## Measure Heddle and its peers side by side: five minutes; ARGS="--only servers --rounds 3"
	@node src/bench/main.ts $(ARGS)

build: gen/.stamp ## Make dist/, what the npm package holds
	@$(say) build "dist/"
	@npm run --silent build

lock: ## Write package-lock.json after a change of package.json
	@$(say) lock "package-lock.json"
	@npm install --no-audit --no-fund --loglevel=error
	@node scripts/lock-stubs.ts
	@touch node_modules/.stamp

clean: ## Stop everything and remove all that was made here, the data too
	@if [ -d .heddle ] && [ -x node_modules/.bin/node ]; then $(cli) down; fi
	@$(say) clean "node_modules, gen (what git does not keep), third_party, dist, .heddle, .tools"
	@rm -rf node_modules gen/.stamp gen/google gen/grpc third_party dist coverage .heddle .tools

# What the targets stand on: each made once, and again when what it is made from changes.

node_modules/.stamp: package-lock.json
	@$(say) install "npm packages, about half a minute"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

third_party/.stamp: node_modules/.stamp scripts/third-party.ts scripts/print-proto2.ts
	@$(say) generate "third_party/ from npm packages"
	@node scripts/third-party.ts
	@touch $@

gen/.stamp: third_party/.stamp buf.yaml buf.gen.yaml $(shell find proto)
	@$(say) generate "gen/ from proto/"
	@buf generate
	@touch $@

.tools/grpcurl:
	@command -v go >/dev/null || { echo "grpcurl is missing, and Go to build it: get Go (1.21 or later) from https://go.dev/dl, or set HEDDLE_TEST_GRPCURL"; exit 1; }
	@$(say) install "grpcurl, built by Go: about a minute"
	@GOBIN="$(CURDIR)/.tools" go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3

.tools/python/bin/python:
	@command -v python3 >/dev/null || { echo "python3 is missing: install it, or set HEDDLE_TEST_PYTHON to a Python that has grpcio"; exit 1; }
	@$(say) install "grpcio 1.85.1 into .tools/python: under a minute"
	@rm -rf .tools/python && python3 -m venv .tools/python
	@.tools/python/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.1 || { rm -rf .tools/python; exit 1; }
