# One command each; `make` alone lists them. ARGS="..." is passed on, PYTHON=python3.12 picks an interpreter.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# tests mostly wait for daemons and machines; those of a file share what they have set up, so they stay together
JOBS ?= $(shell echo $$(($$(nproc) + 1)))
PARALLEL = --numprocesses=$(JOBS) --dist=loadfile
# coverage of the whole package, in percent, below which `make check` fails
COVERAGE_FLOOR ?= 85
# tools find the package `ockle` through this folder, whatever is installed
FROM_TREE := PYTHONPATH=typings
BENCHMARKS := $(wildcard benchmarks/*.py)
# what a developer runs besides the tests, see campaigns/README.md
CAMPAIGNS := model mutants properties kills faults soak storage netboot fuzz

# those that the documents show
PICTURES := network-on plan-off run-done server history-server settings-needs netboot netboot-hosts alerts nodes

.DEFAULT_GOAL := help
.PHONY: help install demo test check lint format imports types docs docs-check pictures bench campaign zipapp unit-security clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## the virtual environment .venv with Ockle and its tools
	@echo ".venv is up to date: $(BIN)/ockle --help"

# Again only when what is to be installed has changed. Ockle itself is installed editable: a changed source needs nothing.
$(STAMP): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Ockle needs Python 3.11 or newer; "$(PYTHON)" is not: try  make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo 'cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## a virtual network comes up in order: lab and daemon together (Ctrl-C takes it down)
	@$(BIN)/ockle demo $(ARGS)

test: $(STAMP) ## the tests, some at a time (JOBS=0: one after the other)
	$(BIN)/pytest $(PARALLEL) $(ARGS)

check: $(STAMP) lint types imports unit-security docs-check ## everything that CI runs
	$(BIN)/pytest $(PARALLEL) --cov=ockle --cov-report=term --cov-fail-under=$(COVERAGE_FLOOR) $(ARGS)

lint: $(STAMP) ## format and rules (ruff)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy typings/ockle tests packaging docs campaigns $(BENCHMARKS)

imports: $(STAMP) ## the floors: imports point down only
	$(FROM_TREE) $(BIN)/lint-imports --no-logo

format: $(STAMP) ## write the format and the fixes that are safe
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP) ## write the generated reference pages
	$(FROM_TREE) $(BIN)/python docs/generate.py

docs-check: $(STAMP) ## fail when a reference page is out of date
	$(FROM_TREE) $(BIN)/python docs/generate.py --check

pictures: $(STAMP) ## pictures of the GUI's pages for the documents, taken by its tests
	OCKLE_PICTURES=$(CURDIR)/build/pictures $(BIN)/pytest --quiet tests/browser $(ARGS)
	mkdir -p docs/pictures
	cp $(PICTURES:%=build/pictures/%.png) docs/pictures/

bench: $(STAMP) ## the benchmarks, each against a peer or a limit in the same run
	@set -e; for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python "$$script" $(ARGS); done

campaign: $(STAMP) ## the campaigns: each breaks a promise of the engine for minutes on end, in vain
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev,fuzz]'
	@set -e; for name in $(CAMPAIGNS); do echo "== $$name"; $(FROM_TREE):tests $(BIN)/python -m campaigns.$$name $(ARGS); done

zipapp: $(STAMP) ## ockle.pyz: all of Ockle in one file
	$(BIN)/python packaging/build_pyz.py ockle.pyz

unit-security: ## exposure of the systemd units, offline (at most 1.5; the boot server's and the agent's 2)
	@if command -v systemd-analyze >/dev/null; then for unit in packaging/systemd/*.service; do \
	  systemd-analyze security --offline=yes --threshold=$$(case $$unit in *netboot*|*agent*) echo 20;; *) echo 15;; esac) --no-pager $$unit | tail -n 1; done; \
	else echo 'unit-security: left out, systemd-analyze is not installed'; fi

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist ockle.pyz .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find src tests benchmarks packaging docs -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf *.egg-info
