# Every target sets up what it needs, in .venv: a fresh clone and `make build` is enough.
.DEFAULT_GOAL := build
.PHONY: build serve test bench clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SOURCES := pyproject.toml constraints.txt hatch_build.py $(addprefix theme/,package.json package-lock.json .npmrc bundle.mjs d3.js)

build: .venv/.installed  ## run the models and leave the site in _site/
	$(BIN)/fanlight build

serve: .venv/.installed  ## preview on http://127.0.0.1:8000, rebuilt as you write
	$(BIN)/fanlight serve --open

test: .venv/.installed-for-tests  ## lint, types, tests, and the pages in a real browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

bench: .venv-bench/.installed  ## measure beside other programs; BENCH="--quick --only saliency" for less
	.venv-bench/bin/python -m tests.benchmarks.suite $(BENCH)

clean:  ## remove the environments, the site, and what was fetched and measured for them
	rm -rf .venv .venv-bench .bench _site theme/node_modules theme/built

# Debian ships venv apart from python3; with the right to, fetch it, else say what is missing.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("make: Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { \
	  rm -rf .venv; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null 2>&1; \
	  fi; \
	  $(PYTHON) -m venv .venv || { rm -rf .venv; echo "make: $(PYTHON) cannot make a virtual environment (Debian: apt install python3-venv)" >&2; exit 1; }; \
	}

# An environment whose making was broken off has no pip, and is made anew. pip 25.1 is the first that knows `--group`.
.venv/.installed: .venv/bin/python theme/built/.stamp $(SOURCES)
	@echo "make: installing into .venv what pyproject.toml asks for; the first time PyTorch is fetched, which takes a while"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv; $(MAKE) .venv/bin/python; }
	@$(PIP) "pip>=25.1"
	@$(PIP) --editable .
	@touch $@

# The install makes it; where it was removed by hand, that is a reason to install again.
theme/built/.stamp: ;

.venv/.installed-for-tests: .venv/.installed tests/browser/chromium.py tests/browser/engines.py
	@echo "make: installing what the tests need"
	@$(PIP) --group dev
	@$(BIN)/python tests/browser/chromium.py
	@touch $@

# What the peers ask for stays out of .venv, which they see.
.venv-bench/.installed: .venv/.installed tests/benchmarks/environment.py
	@echo "make: installing into .venv-bench what is measured beside us"
	@$(BIN)/python -m tests.benchmarks.environment .venv-bench
	@touch $@
