# make demo   sets up and runs the demonstration          make test   sets up, lints and runs the tests
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: setup demo test lint bench mutants clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[langchain]' --group dev
	touch $(STAMP)

demo: setup
	$(BIN)/halo demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lint-imports

test: lint
	$(BIN)/pytest --numprocesses 2 --cov --cov-report=term

bench: setup
	$(BIN)/python benchmarks/redrive.py --limit 200

mutants: setup
	$(BIN)/python tests/mutants.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
