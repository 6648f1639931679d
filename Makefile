# Everything sets itself up: `make demo` and `make test` need only a Python 3.11 or newer and a network or a wheel cache.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint format acceptance bench fuzz clean help

help:
	@echo 'make demo        install into .venv, solve specs/poisson.pde, say where the picture is'
	@echo 'make test        install, lint, types and the fast tests'
	@echo 'make format      apply ruff format and the safe lint fixes'
	@echo 'make acceptance  every spec against its reference value, in full (hours; resumable)'
	@echo 'make bench       speed against nested autograd and other libraries, on one core (an hour; row by row)'
	@echo 'make fuzz        100 000 random and mutated specs through parse and check'
	@echo 'make clean       remove .venv, build, runs and caches'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'pdespec needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,dev]'
	@touch $@

demo: $(VENV)/run.stamp
	$(BIN)/pdespec run specs/poisson.pde --out runs/poisson
	@echo
	@echo 'The picture is runs/poisson/u.png; the script that made it is runs/poisson/poisson.py.'

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -q

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

acceptance: $(VENV)/test.stamp
	$(BIN)/python tests/acceptance/run.py
	$(BIN)/python -m pytest -q -m slow
	$(BIN)/python tests/acceptance/run.py --table

bench: $(VENV)/test.stamp
	$(BIN)/python -m tests.benchmarks.run

fuzz: $(VENV)/test.stamp
	$(BIN)/python -m tests.fuzz.campaign 100000 --summary tests/fuzz/summary.json

clean:
	rm -rf $(VENV) build runs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
