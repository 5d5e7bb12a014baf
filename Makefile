# The one door, the same for people and CI: make help
.DEFAULT_GOAL := help
.PHONY: setup demo test lint bench torture lock clean help

# The first Python that is new enough; another one: make setup PYTHON=/path/to/python3
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
UV := $(shell command -v uv)
PIP = $(if $(UV),uv pip install --python .venv/bin/python,.venv/bin/python -m pip install --disable-pip-version-check)
INSTALLED := .venv/installed
# The suite starts many processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

setup: $(INSTALLED) ## make .venv/ with the notifier command, from pinned versions with hashes

$(INSTALLED): pyproject.toml requirements.lock
	@$(if $(UV),,test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found: install one, or name it with make setup PYTHON=/path/to/python3." >&2; exit 1; })
	@$(if $(PYTHON),"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is not a Python 3.11 or newer: name one with make setup PYTHON=/path/to/python3." >&2; exit 1; })
	@test -x .venv/bin/python || $(if $(UV),uv venv --quiet --python "$(or $(PYTHON),3.12)" .venv,"$(PYTHON)" -m venv .venv)
	@echo "Installing pinned versions into .venv, a minute or so the first time."
	@$(PIP) --quiet --require-hashes -r requirements.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) ## bundled papers, three example people, their digests in demo-out/
	@.venv/bin/notifier demo

test: $(INSTALLED) ## the whole suite; a part of it: make test ARGS=tests/test_cadence.py
	.venv/bin/python -m pytest -n auto --dist worksteal $(ARGS)

lint: $(INSTALLED) ## style, types, and that the arrows between modules point down
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

bench: $(INSTALLED) ## the benchmarks, ratios in one run; one of them: make bench ARGS=matching
	.venv/bin/python -m tests.bench $(ARGS)

torture: $(INSTALLED) ## the long runs against oracles and kills; one of them: make torture ARGS=cadence
	.venv/bin/python -m tests.torture $(ARGS)

lock: ## write requirements.lock anew (needs uv); newer versions: make lock ARGS=--upgrade
	@command -v uv >/dev/null || { echo "make lock needs uv: install it with pip install uv." >&2; exit 1; }
	uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-header $(ARGS) pyproject.toml -o requirements.lock

clean: ## remove .venv/ and everything made here
	rm -rf .venv build dist demo-out .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' Makefile | expand -t 16
