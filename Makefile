# make demo   sets up and runs the demonstration          make test   sets up, lints and runs the tests
# make test-lowest, part of `make test`: each adapter against the oldest releases of its framework that it allows
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LOWEST ?= .venv-lowest
OLDEST := $(LOWEST)/.installed

.PHONY: setup demo test test-lowest lint bench mutants clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[langchain,llamaindex,openai-agents,train]' --group dev
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
	$(MAKE) test-lowest

$(OLDEST): pyproject.toml .ci/lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --upgrade pip
	$(LOWEST)/bin/pip install --quiet --constraint .ci/lowest.txt --editable '.[langchain,llamaindex,openai-agents]' --group test
	touch $(OLDEST)

test-lowest: $(OLDEST)
	$(LOWEST)/bin/pytest --numprocesses 2 tests/langchain tests/llamaindex tests/openai_agents tests/adapters

bench: setup
	$(BIN)/python benchmarks/redrive.py --limit 200

mutants: setup
	$(BIN)/python tests/mutants.py

clean:
	rm -rf $(VENV) $(LOWEST) .mypy_cache .ruff_cache .pytest_cache .hypothesis
