# One command for everything: `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# the first that runs and is new enough
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
    $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
HOME_FOLDER ?= $(CURDIR)/.evenhand

.PHONY: help install install-dev demo serve test test-all check format bench bench-models bench-perception bench-proxy bench-robustness lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "evenhand needs Python 3.11 or newer, and finds none. Pass PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "this Python has no venv module: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.python constraints.txt pyproject.toml
	@echo "installing evenhand and its locked dependencies into $(VENV) (about 2 GB; minutes)"
	$(PIP) install --quiet "$$(grep -E '^torch==' constraints.txt)"
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

install: $(VENV)/.installed ## Install into .venv, at the locked versions

install-dev: $(VENV)/.installed-dev ## The same with what tests and checks need

demo: install ## Install, audit real data with real models, name the reports
	$(BIN)/evenhand demo --out demo-reports

serve: install ## Run the service on http://127.0.0.1:8000 with its embedded database
	EVENHAND_HOME="$${EVENHAND_HOME:-$(HOME_FOLDER)}" $(BIN)/evenhand serve

test: install-dev ## Install what the tests need, and run them
	@bash tests/prepare.sh
	$(BIN)/python -m pytest

test-all: install-dev ## The same with the simulations and storms marked slow
	@bash tests/prepare.sh all
	$(PIP) install --quiet --constraint constraints.txt --editable '.[spark]'
	$(BIN)/python -m pytest -m ""

check: install-dev ## Format, lint, types, direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-cache

format: install-dev ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install-dev ## Print speed and ratios against peers, side by side
	$(BIN)/python -m benchmarks

bench-models: install-dev ## Print the cost of confinement, and rows and pictures scored a second
	$(BIN)/python -m benchmarks.models

bench-perception: install-dev ## Print what perception says of planted and honest networks, beside what it should
	$(BIN)/python -m benchmarks.perception

bench-proxy: install-dev ## Print cost and exactness of proxy audits, beside scikit-learn and shap
	$(BIN)/python -m benchmarks.proxies

bench-robustness: install-dev ## Print cost and strength of attacks beside torchattacks and foolbox
	$(BIN)/python -m benchmarks.robustness

lock: install-dev ## Refresh constraints.txt from what is installed
	$(PIP) freeze --exclude-editable --exclude pip --exclude setuptools | sed -E 's/ @ .*//; s/\+cpu$$//' | LC_ALL=C sort -f > constraints.txt

clean: ## Remove what was built and tested, not the environment
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis demo-reports tests/screenshots
