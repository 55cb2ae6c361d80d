.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

run: $(VENV)/.installed ## install what is locked, fetch the embedded model, start the service, analyse the seed articles
	@$(BIN)/python scripts/run.py

test: $(VENV)/.installed-dev ## install what is locked, pass all tests
	@scripts/test

check: $(VENV)/.installed-dev ## format, lint, types, prompts
	@scripts/check

live: $(VENV)/.installed-dev ## the tests over the real embedded model
	@$(BIN)/python -m pytest -m live tests/live

stop: ## stop the service that `make run` left up
	@$(PYTHON) scripts/stop.py

lock: $(VENV)/.installed-dev ## resolve the dependencies anew
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url -o requirements.lock pyproject.toml --group build
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url -c requirements.lock -o requirements-dev.lock pyproject.toml --group build --group dev
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url -o requirements-sbom.lock --group sbom

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what is locked …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what is locked …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@ $(VENV)/.installed

.PHONY: run test check live stop lock help
