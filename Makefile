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
go_peer := $(or $(HEDDLE_TEST_GO_PEER),.tools/go-peer)

.PHONY: help generate up down status logs explain token check test test-integration test-browser test-compose conformance chaos fuzz simulate bench build lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

generate: gen/.stamp ## Install packages and generate TypeScript and gen/openapi.json from proto/
	@$(say) generate "gen/ is up to date"

up: gen/.stamp ## Start discovery, users, catalog, orders and gateway in the background
	@$(cli) up $(ARGS)

down: gen/.stamp ## Stop what `make up` started; the data stays
	@$(cli) down $(ARGS)

status: gen/.stamp ## Show every instance, its health and its calls
	@$(cli) status $(ARGS)

logs: gen/.stamp ## Show the logs; ARGS=user those of one service
	@$(cli) logs $(ARGS)

explain: gen/.stamp ## Tell what happened to a call; ARGS=<trace id>, or the latest eventful ones
	@$(cli) explain $(ARGS)

token: gen/.stamp ## Print a bearer token; ARGS="--sub ada --scope products:write", or ARGS=rotate for new keys
	@$(cli) token $(ARGS)

check: gen/.stamp ## Types, lint, format, contracts, layout, fresh gen/; BASE=<commit> to compare contracts with
	@BASE="$(BASE)" node scripts/check.ts

test: gen/.stamp ## Unit and contract tests; ARGS=<file> narrows
	@$(say) test "unit and contract"
	@vitest run --project unit --project contract $(ARGS)

test-integration: gen/.stamp $(grpcurl) $(if $(HEDDLE_TEST_PYTHON),,.tools/python/.stamp) $(go_peer) ## Tests of real processes, with PostgreSQL, RabbitMQ and grpcurl
	@$(say) test "integration: some minutes"
	@HEDDLE_TEST_GRPCURL="$(abspath $(grpcurl))" HEDDLE_TEST_PYTHON="$(abspath $(python))" HEDDLE_TEST_GO_PEER="$(abspath $(go_peer))" scripts/postgres scripts/rabbitmq vitest run --project integration $(ARGS)

test-browser: gen/.stamp ## Tests in a headless Chromium
	@$(say) test "browser"
	@scripts/chromium vitest run --project browser $(ARGS)

test-compose: gen/.stamp ## Build the image and try docker-compose.yml for real; needs a Docker engine
	@$(say) test "docker-compose.yml"
	@node scripts/compose-smoke.ts

conformance: gen/.stamp .tools/h2spec src/test/conformance/gen/.stamp ## h2spec and Connect's suites; ARGS="--engine own --suite server" narrows
	@$(say) conformance "h2spec and Connect conformance on both HTTP engines: some minutes"
	@tsc -p src/test/conformance
	@node src/test/conformance/main.ts $(ARGS)

simulate: gen/.stamp ## Run simulated worlds and look for one that breaks a promise; ARGS="--seeds 20000 --minutes 5" or "--seed 42"
	@node src/test/simulation/main.ts $(ARGS)

chaos: gen/.stamp ## Place 20,000 orders while everything is killed in turn, and audit; ARGS="--stack sqlite --orders 2000 --seed 7"
	@node src/test/chaos/main.ts $(ARGS)

fuzz: gen/.stamp ## Look for bytes that break HTTP/2 or gRPC; ARGS="--minutes 10 --seed 1"
	@node src/test/fuzz/main.ts $(ARGS)

bench: gen/.stamp ## Measure Heddle and its peers side by side: a quarter of an hour; ARGS="--only situations --rounds 3"
	@scripts/postgres scripts/rabbitmq node src/bench/main.ts $(ARGS)

build: gen/.stamp ## Make dist/, what the npm package holds
	@$(say) build "dist/"
	@npm run --silent build
	@cp -R gen/descriptors.binpb gen/docs dist/gen/

lock: ## Write package-lock.json after a change of package.json
	@$(say) lock "package-lock.json"
	@npm install --no-audit --no-fund --loglevel=error
	@node scripts/lock-stubs.ts
	@touch node_modules/.stamp

clean: ## Stop everything and remove all that was made here, the data too
	@if [ -d .heddle ] && [ -x node_modules/.bin/node ]; then $(cli) down; fi
	@$(say) clean "node_modules, gen (what git does not keep), third_party, dist, .heddle, .tools"
	@rm -rf node_modules gen/.stamp gen/google gen/grpc gen/xds gen/docs gen/descriptors.binpb src/test/conformance/gen third_party dist coverage .heddle .tools

# What the targets stand on: each made once, and again when what it is made from changes.

node_modules/.stamp: package-lock.json
	@$(say) install "npm packages, about half a minute"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

third_party/.stamp: node_modules/.stamp scripts/third-party.ts scripts/print-proto2.ts
	@$(say) generate "third_party/ from npm packages"
	@node scripts/third-party.ts
	@touch $@

gen/.stamp: third_party/.stamp buf.yaml buf.gen.yaml scripts/describe.ts $(shell find proto src/rest/openapi)
	@$(say) generate "gen/ from proto/"
	@buf generate
	@node scripts/describe.ts
	@touch $@

.tools/grpcurl:
	@$(say) install "grpcurl, built by Go: about a minute"
	@scripts/go-tool grpcurl github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3 || { echo "or set HEDDLE_TEST_GRPCURL"; exit 1; }

# The newest version that Go's proxy has. It is older than Go's modules: what it stands on is pinned here.
.tools/h2spec:
	@$(say) install "h2spec, built by Go"
	@scripts/go-tool h2spec github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible \
		golang.org/x/net@v0.62.0 github.com/fatih/color@v1.19.0 github.com/spf13/cobra@v1.10.2

# The newest version whose modules Go's proxy has.
connect_suite := connectrpc.com/conformance
connect_suite_version := v1.0.6

.tools/connectconformance:
	@$(say) install "Connect's conformance suite, built by Go: about a minute"
	@scripts/go-tool connectconformance $(connect_suite)/cmd/connectconformance@$(connect_suite_version)

# Its contracts lie where Go has put its source.
src/test/conformance/gen/.stamp: .tools/connectconformance gen/.stamp src/test/conformance/buf.gen.yaml
	@$(say) generate "the conformance suite's contracts"
	@buf generate --template src/test/conformance/buf.gen.yaml \
		"$$(cd "$${TMPDIR:-/tmp}" && go mod download -json $(connect_suite)@$(connect_suite_version) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')/proto"
	@touch $@

.tools/go-peer: $(wildcard src/test/integration/peers/go/*)
	@command -v go >/dev/null || { echo "Go is missing, to build a peer on grpc-go: get Go (1.24 or later) from https://go.dev/dl, or set HEDDLE_TEST_GO_PEER"; exit 1; }
	@$(say) install "a peer on grpc-go, built by Go: about a minute"
	@cd src/test/integration/peers/go && go build -buildvcs=false -o "$(CURDIR)/$@" .

.tools/python/.stamp: src/test/integration/peers/python/requirements.txt
	@command -v python3 >/dev/null || { echo "python3 is missing: install it, or set HEDDLE_TEST_PYTHON to a Python that has what $< lists"; exit 1; }
	@$(say) install "grpcio and pika into .tools/python: under a minute"
	@rm -rf .tools/python && python3 -m venv .tools/python
	@.tools/python/bin/pip install --quiet --disable-pip-version-check -r $< || { rm -rf .tools/python; exit 1; }
	@touch $@
