# The only entry points a person or CI uses. Needs Python 3.11 to 3.14, Rust 1.95, Node 20 and the package registries.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python that runs and is one of these: Cryo has wheels for the first two.
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c '$(SUITS)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
CARGO ?= cargo
FORGE := ../node_modules/.bin/forge
WORKERS ?= 2
ATTACK := --features assay-prover/attack --test constraints

export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export FOUNDRY_DISABLE_NIGHTLY_WARNING := 1
# Tests start commands by the hundred: as for a user, none compiles what another one has.
unexport PYTHONDONTWRITEBYTECODE

RUST_SOURCES := Cargo.toml Cargo.lock $(shell find crates -name '*.rs' -o -name 'Cargo.toml' 2>/dev/null)

# Stamps: each says that a step was done after its inputs last changed.
DEPS := $(VENV)/.deps
NATIVE := $(VENV)/.native
NODE := node_modules/.stamp

.PHONY: help setup demo test test-rust test-python test-contracts lint lint-python lint-rust lint-contracts format wheel bench soak docs site lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: $(NATIVE) $(NODE) ## create .venv, build the native module, install the npm packages

# Every wait is announced with how long it takes; the times are of a machine of two cores with a fast line.
demo: welcome setup ## a pool's fee, from the question to a proof that changes it on a local Ethereum node (demo/out)
	@$(BIN)/python -m demo

.PHONY: welcome
welcome:
	@echo "The demo: a pool's fee, from the question to a proof that changes it on a local Ethereum node."
	@test -f $(NATIVE) -a -f $(NODE) || echo "First it installs what it needs, into this folder only: 2 GB and some minutes, once."
	@echo "Then it runs for two minutes, a minute longer the first time. Its report: demo/out/project/report.html"

test: test-rust test-contracts test-python ## every test: Rust, Solidity, Python

test-rust: $(DEPS)
	$(CARGO) test --release --workspace --locked --quiet
	# The cheating prover is another build of the crates it is in; everything else is tested as it is shipped.
	$(CARGO) test --release --workspace --locked --quiet $(ATTACK)

test-contracts: setup
	cd contracts && $(FORGE) test --offline
	# What reads other contracts' state: OpenZeppelin's libraries with via_ir, as foundry.toml says.
	cd contracts && FOUNDRY_PROFILE=state $(FORGE) test --offline

test-python: setup
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

lint: lint-python lint-rust lint-contracts ## ruff, mypy, import-linter, rustfmt, clippy, forge fmt: all strict

lint-python: $(DEPS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	MYPYPATH=src $(BIN)/mypy -p demo -p benchmarks
	PYTHONPATH=src $(BIN)/lint-imports --no-cache

lint-rust: $(DEPS)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	$(CARGO) clippy --workspace --locked --quiet $(ATTACK) -- -D warnings

lint-contracts: $(NODE)
	cd contracts && $(FORGE) fmt --check

format: $(DEPS) $(NODE) ## rewrite every source file in the house style
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format
	$(CARGO) fmt --all
	cd contracts && $(FORGE) fmt

wheel: setup ## a wheel in dist/, for machines without Rust (deploy/install.sh)
	$(BIN)/maturin build --release --locked --quiet --out dist

bench: setup ## measure Assay and its peers (LARGE=1: the peers' hour-long models too; ARGS: see --help)
	$(BIN)/python -m benchmarks $(if $(LARGE),--large) $(ARGS)

# Hours with the counts that the guide names: KILLS, WHOLE and PERIODS say fewer.
soak: export PYTHONPATH = .:src
soak: export ASSAY_COMMIT = $(shell git rev-parse HEAD)
soak: setup ## kill the service at every boundary and settle through a node that misbehaves, in large counts (SEED=)
	$(BIN)/python -m tests.soak.matrix --kills $(or $(KILLS),2000) --seed $(or $(SEED),1) \
		--out tests/soak/results/matrix.json
	$(BIN)/python -m tests.soak.matrix --kills $(or $(KILLS),2000) --seed $(or $(SEED),1) --database postgresql \
		--out tests/soak/results/matrix-postgresql.json
	$(BIN)/python -m tests.soak.whole --kills $(or $(WHOLE),100) --seed $(or $(SEED),1) \
		--out tests/soak/results/whole.json
	$(BIN)/python -m tests.soak.periods --count $(or $(PERIODS),1000) --seed $(or $(SEED),1) \
		--out tests/soak/results/periods.json
	$(BIN)/python -m tests.soak.observed --days $(or $(DAYS),250)

site: ## the documentation as a site, in site/index.html; a broken link or a warning stops it
	@test -x $(VENV)/site/bin/zensical || { $(PYTHON) -m venv $(VENV)/site && \
		$(VENV)/site/bin/pip install --quiet --disable-pip-version-check -r tools/site-requirements.txt; }
	$(PYTHON) tools/site.py .site
	$(VENV)/site/bin/zensical build --clean --strict

docs: setup ## render the generated pages from the benchmark results and the code
	$(BIN)/python -m benchmarks --render
	$(BIN)/python -m assay.task.reference docs/reference
	$(BIN)/python -m assay.compare.reference docs/reference
	$(BIN)/python -m assay.serve.api.reference docs/reference
	$(BIN)/python tools/reference.py docs/reference

lock: ## resolve requirements.lock anew from pyproject.toml
	rm -rf $(VENV)/lock && $(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python tools/requirements.py > $(VENV)/lock/requirements.in
	$(VENV)/lock/bin/pip install --quiet -r $(VENV)/lock/requirements.in
	$(VENV)/lock/bin/pip freeze | $(VENV)/lock/bin/python tools/requirements.py --mark > requirements.lock
	rm -rf $(VENV)/lock

clean: ## remove what the other targets made
	rm -rf $(VENV) node_modules target contracts/out* contracts/cache* src/assay/_core*.so
	rm -rf site .site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(DEPS): requirements.lock
	@test -n "$(PYTHON)" || { echo "Assay needs Python 3.11 to 3.14 (PYTHON=...)" >&2; exit 2; }
	@echo "Installing the Python packages into $(VENV): 1 to 3 minutes ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet -r requirements.lock
	@touch $@

$(NATIVE): $(DEPS) pyproject.toml $(RUST_SOURCES)
	@echo "Compiling the prover (Rust): some minutes the first time ..."
	@PIP_QUIET=1 $(BIN)/maturin develop --release --locked --quiet
	@touch $@

$(NODE): package.json package-lock.json
	@echo "Installing the Solidity compiler and the local Ethereum node into node_modules: half a minute ..."
	@npm ci --no-progress --loglevel=error
	@touch $@
