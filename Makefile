# Every target sets up what it needs, in .venv: a fresh clone and `make build` is enough.
.DEFAULT_GOAL := build
.PHONY: build serve test clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt hatch_build.py $(wildcard theme/package*.json)

build: .venv/.installed  ## run the models and leave the site in _site/
	$(BIN)/fanlight build

serve: .venv/.installed  ## preview on http://127.0.0.1:8000, rebuilt as you write
	$(BIN)/fanlight serve --open

test: .venv/.installed-for-tests  ## lint, types, tests, and the pages in a real browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

clean:  ## remove the environment, the site, and what was fetched for them
	rm -rf .venv _site theme/node_modules theme/built

# Debian ships venv apart from python3; with the right to, fetch it, else say what is missing.
.venv/bin/python:
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { \
	  rm -rf .venv; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null && $(PYTHON) -m venv .venv; \
	  else \
	    echo "make: $(PYTHON) cannot make a virtual environment: it must be 3.11 or newer, with venv (Debian: apt install python3-venv)" >&2; exit 1; \
	  fi; }
	@$(BIN)/python -c 'import sys; sys.exit("make: Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"

.venv/.installed: .venv/bin/python $(SOURCES)
	$(PIP) --editable .
	@touch $@

.venv/.installed-for-tests: .venv/.installed tests/browser/chromium.py
	$(PIP) --group dev
	$(BIN)/python tests/browser/chromium.py
	@touch $@
