# Coldtrail: `make demo` to see it run, `make test` to see it hold, `make check` before a commit.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev
TEST_ARGS ?=
BENCH_ARGS ?=
SOAK_ARGS ?=
FUZZ_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo clean-demo test coverage bench bench-trails bench-ingest soak fuzz check lock format clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(RUNTIME): requirements.txt pyproject.toml $(wildcard api/translations/*/*/*.po)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
	$(BIN)/pybabel --quiet compile --directory api/translations
	touch $@

$(DEV): $(RUNTIME) requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-dev.txt
	touch $@

demo: $(RUNTIME)  ## run a simulated county on this machine; Ctrl-C ends it
	@exec $(BIN)/coldtrail demo

clean-demo:  ## drop the demo's data
	rm -rf var/demo

test: $(DEV)  ## run every test, on all databases and brokers that can be had
	$(BIN)/python -m pytest -n auto --dist loadfile $(TEST_ARGS)

coverage: $(DEV)  ## as test, and say which lines no test reached; takes three times as long
	$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term $(TEST_ARGS)

bench: $(RUNTIME)  ## measure the ledger's ratios on PostgreSQL; see docs/performance.md
	$(BIN)/python -m bench.ledger $(BENCH_ARGS)

bench-trails: $(RUNTIME)  ## measure trails, packs and the audit; the full sizes are in docs/performance.md
	$(BIN)/python -m bench.trails $(BENCH_ARGS)

bench-ingest: $(RUNTIME)  ## measure the ingest's ratios, with a Mosquitto of its own
	$(BIN)/python -m bench.ingest $(BENCH_ARGS)

soak: $(DEV)  ## kill everything again and again (SOAK_ARGS="--kills 100 --minutes 10") and say what was lost
	$(BIN)/python -m soak $(SOAK_ARGS)

fuzz: $(DEV)  ## send made-up messages (FUZZ_ARGS="--minutes 5"): each is stored or kept aside
	$(BIN)/python -m soak.fuzz $(FUZZ_ARGS)

check: $(DEV)  ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: $(DEV)  ## put the code in its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCK := uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header --no-strip-extras
lock:  ## pin requirements*.in again (needs uv)
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

clean:  ## drop everything that was made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
