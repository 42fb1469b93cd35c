# `make help` lists what there is. Everything installs itself, into .venv and the user's cache.
PYTHON ?= python3
PEOPLE ?= 800
SECONDS ?= 60
BIN := .venv/bin
# Small matrices: more threads than one only get in each other's way.
export OPENBLAS_NUM_THREADS := 1
.DEFAULT_GOAL := help
.PHONY: help demo up test test-fast faults fuzz samples bench check format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.runs ## the whole system on a made-up population; stays up on a terminal until Ctrl-C
	@$(BIN)/tandem demo --people $(PEOPLE) $$([ -t 1 ] || echo --exit)

up: .venv/.runs ## an empty installation that keeps its data; deliver files with `.venv/bin/tandem deliver`
	@$(BIN)/tandem up

test: .venv/.develops ## every test, Apache Kafka included (Java 17 and Maven)
	@$(BIN)/python -m infra.kafka.prepare
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not broker and not faults and not e2e and not perf"
	@$(BIN)/pytest -q -n 2 --dist loadfile -m "broker or faults or e2e or perf"

test-fast: .venv/.develops ## the tests that need no server: seconds
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not broker and not faults and not e2e and not perf"

faults: .venv/.develops ## kill, pause and break things, and compare to the cent
	@$(BIN)/python -m infra.kafka.prepare && $(BIN)/pytest -q -m faults

fuzz: .venv/.develops ## break every reader of files, guided by coverage: SECONDS (60) for each of them
	@PYTHONPATH=. $(BIN)/python tests/fuzz/fuzz_readers.py --seconds $(SECONDS)

samples: .venv/.develops ## deliver every folder of public samples and write down what came of it, for review
	@PYTHONPATH=. $(BIN)/python tests/e2e/sample_folders.py

bench: .venv/.develops ## speed of reading files, on Apache Kafka, of counting, and of the whole system; takes a while
	@$(BIN)/python -m infra.bench.cclf
	@$(BIN)/python -m infra.bench.explanation_of_benefit
	@$(BIN)/python -m infra.bench.enrolment_834
	@$(BIN)/python -m infra.bench.risk
	@$(BIN)/python -m infra.bench.alignment
	@$(BIN)/python -m infra.bench.effect_speed
	@$(BIN)/python -m infra.bench.states
	@$(BIN)/python -m infra.bench.cost_shift --people 3000
	@$(BIN)/python -m infra.kafka.prepare && $(BIN)/python -m infra.bench --people 600

check: .venv/.develops ## lint, format and strict types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: .venv/.develops ## put the code into its form
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

clean: ## remove everything that make made here (not the user's cache)
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tandem needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/.runs: .venv/.python requirements.txt pyproject.toml
	@echo "Installing what Tandem needs into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.develops: .venv/.runs requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
