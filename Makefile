# Every target can be run again at any time and only does what is missing.

PYTHON ?= python3
VENV ?= .venv
INI ?= development.ini
# Words for pytest, such as make test ARGS="tests/domain -x"; without any, all tests on all cores.
ARGS ?=

BIN = $(VENV)/bin
PINS = requirements.txt
# OAuth clients for Node.js, which tests run.
CLIENTS = tests/oauth/clients
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS)
CODE = $(wildcard accountsapp tests bench deploy examples docs/conf.py setup.py)

# Kept whatever the environment says: tests start Python hundreds of times, and pytest compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve cluster test soak check lint format-check format types messages docs access bench bench-peers lock clean
.DELETE_ON_ERROR:

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | \
	while IFS='|' read -r name what; do printf '%-20s %s\n' "$$name" "$$what"; done

serve: $(VENV)/.serve  ## serve development.ini on http://127.0.0.1:6543/
	@$(BIN)/accountsapp -c $(INI) db upgrade >/dev/null
	@$(BIN)/accountsapp -c $(INI) accounts ensure-admin
	@PYTHONWARNINGS="ignore:pkg_resources is deprecated:UserWarning" $(BIN)/accountsapp -c $(INI) serve

cluster: $(VENV)/.test  ## serve from two servers with PostgreSQL, Valkey and nginx on http://127.0.0.1:6540/
	@$(BIN)/python -m deploy.cluster $(ARGS)

test: $(VENV)/.test $(CLIENTS)/node_modules/.installed  ## run the whole test suite
	$(BIN)/pytest $(or $(ARGS),-n logical)

soak: $(VENV)/.test $(CLIENTS)/node_modules/.installed  ## faults as often and as long as docs/quality.rst says; takes an hour
	$(BIN)/pytest --soak $(or $(ARGS),-n logical)

check: lint format-check types docs test  ## everything that must pass before a commit lands

lint: $(VENV)/.test  ## find mistakes
	$(BIN)/ruff check $(CODE)

format-check: $(VENV)/.test  ## is everything formatted?
	$(BIN)/ruff format --check $(CODE)

format: $(VENV)/.test  ## format the code, mend what can be mended by itself
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

types: $(VENV)/.test  ## check the types
	$(BIN)/mypy

docs: $(VENV)/.test  ## build the documentation into docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "It begins at docs/_build/html/index.html."

LOCALES = $(patsubst accountsapp/locale/%/LC_MESSAGES,%,$(wildcard accountsapp/locale/*/LC_MESSAGES))

messages: $(VENV)/.test  ## collect the texts for people, and compile what is translated
	$(BIN)/pybabel -q extract -F pyproject.toml -k mark -k translated:2 --no-location --sort-output -o .messages.pot .
	@for locale in $(LOCALES); do \
		file=accountsapp/locale/$$locale/LC_MESSAGES/accountsapp; \
		$(BIN)/pybabel -q update -i .messages.pot -o $$file.po -l $$locale --no-fuzzy-matching --ignore-obsolete \
			--ignore-pot-creation-date --width 110 && \
		$(BIN)/pybabel -q compile -i $$file.po -o $$file.mo -l $$locale || exit; \
	done
	@rm .messages.pot

access: $(VENV)/.test  ## write docs/access.txt anew, from the access matrices of the tests
	$(BIN)/python -W ignore -m tests.support.access_page

bench: $(VENV)/.test  ## measure what requests cost
	$(BIN)/python -m bench
	$(BIN)/python -m bench.throughput

bench-peers: $(VENV)/.test $(VENV)-peers/.installed  ## measure beside Django, Flask, FastAPI and PocketBase
	$(BIN)/python -m bench.peers --python $(VENV)-peers/bin/python $(ARGS)

lock: $(VENV)/.python  ## pin every requirement anew; ARGS=--upgrade takes newer releases
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --all-extras --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-header $(ARGS) setup.py --output-file $(PINS)
	@{ echo '# Every requirement of the application and of all its extras, pinned for Python 3.11 and newer.'; \
	   echo '# Made by "make lock"; what may be chosen stands in setup.py.'; \
	   grep -v '^# ' $(PINS); } > $(PINS).new
	@mv $(PINS).new $(PINS)

clean:  ## remove what can be made again; var/ with your data stays
	rm -rf $(VENV) $(VENV)-peers .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		accountsapp.egg-info build dist docs/_build $(CLIENTS)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two stages of one environment. setuptools is pinned and installed first, and the application is
# built with that one, so that nothing unpinned ever runs.

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "accountsapp needs Python 3.11 or newer; '$(PYTHON)' is not. Name another: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@echo "Installing into $(VENV), once; pip says nothing for about a minute." >&2
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.serve: $(VENV)/.python setup.py $(PINS)
	$(PIP) setuptools
	$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.python setup.py $(PINS)
	$(PIP) setuptools
	$(PIP) --no-build-isolation --editable '.[testing,postgresql,redis,docs]'
	@touch $@ $(VENV)/.serve

$(VENV)-peers/.installed: bench/peers/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check -r bench/peers/requirements.txt
	@touch $@

$(CLIENTS)/node_modules/.installed: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	@if command -v npm >/dev/null; then \
		npm --prefix $(CLIENTS) ci --ignore-scripts --no-audit --no-fund --silent && touch $@; \
	else \
		echo "no npm on this machine: the tests that need it will say so" >&2; \
	fi
