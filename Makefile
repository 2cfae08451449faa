# What a reader needs first:
#   make demo            sets up .venv and runs the demonstration on the embedded default (SQLite)
#   make test            sets up .venv, checks the code, builds the docs and runs the tests (also what CI runs)
# For development:
#   make check           lint, format, types and import contracts, changing nothing
#   make format          formats the code and mends what the linter can mend
#   make test-fast       the tests without those marked slow
#   make test-thorough   every test with full counts, engines and matrices; takes an hour on two cores
#                        CRASH_CYCLES=500 kills so many processes in each of the two crash tests (default: 50, 20)
#   make coverage        the tests with branch coverage
#   make mutants         runs the tests against every generated mutant of the packages in tests/mutation/mutants.toml; takes hours
#   make mutants-sample  the same for N=60 of them, drawn with SEED=1; takes minutes
#   make studies         the tests of studies/, and a quick run of each where HALO_STUDY_DATA names the data
#   make bench           what a decision and a guarded call cost
#   make bench-peers     what a decision costs beside a peer's, which it installs below build/
#   make docs            the site, built strict, in build/site
#   make lock            resolves requirements-dev.txt and .ci/requirements-lowest.txt anew from pyproject.toml
PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.installed
LOWEST  ?= .venv-lowest
OLDEST  := $(LOWEST)/.installed
# One more than CI has cores: tests wait for processes, locks and deadlines for a sixth of their time.
WORKERS ?= 3
PYTEST  := $(BIN)/pytest --numprocesses $(WORKERS)
EXTRAS  := --extra langchain --extra llamaindex --extra openai-agents
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

# Tests start hundreds of processes: each would compile every module if the first one may not keep what it compiled.
# What is installed is not compiled at once (`--no-compile`): most of its 20,000 modules are never imported.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo check lint types mypy pyright contracts format docs collect test test-fast test-thorough test-lowest coverage lock bench bench-peers studies mutants mutants-sample clean

setup: $(STAMP)

$(STAMP): pyproject.toml requirements-dev.txt .ci/install.py
	$(PYTHON) .ci/install.py $(VENV) requirements-dev.txt
	touch $(STAMP)

demo: setup
	$(BIN)/halo demo

check: types lint contracts

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: mypy pyright

# Checks src and tests/typing with the options of pyproject.toml alone: any other would empty its cache.
mypy: setup
	$(BIN)/mypy

pyright: setup
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

contracts: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup
	$(BIN)/mkdocs build --quiet --strict --site-dir build/site

# What takes longest begins first. One process runs the smoke tests beside the checks: three would import three times.
test:
	$(MAKE) --jobs 2 test-lowest collect mypy docs pyright lint contracts LOWEST_WORKERS=0
	$(PYTEST) -m "not thorough"

# Compiles once what each worker would compile for itself when they all start at once.
collect: setup
	mkdir -p build
	$(BIN)/pytest --collect-only --quiet >build/tests.txt || { tail -n 60 build/tests.txt; exit 1; }

test-fast: setup
	$(PYTEST) -m "not thorough and not slow"

test-thorough: check docs
	HALO_CRASH_CYCLES=$(CRASH_CYCLES) HYPOTHESIS_PROFILE=thorough $(PYTEST)
	HYPOTHESIS_PROFILE=thorough $(MAKE) test-lowest LOWEST_TESTS=

coverage: setup
	$(PYTEST) -m "not thorough" --cov --cov-report=term

$(OLDEST): pyproject.toml .ci/requirements-lowest.txt .ci/install.py | $(STAMP)
	$(PYTHON) .ci/install.py --tools $(VENV) $(LOWEST) .ci/requirements-lowest.txt
	touch $(OLDEST)

# The contract suite and the adapters' smoke tests.
LOWEST_TESTS ?= smoke and not thorough
LOWEST_WORKERS ?= $(WORKERS)
ADAPTERS     := tests/adapters tests/langchain tests/llamaindex tests/openai_agents
LOWEST_FILES  = $(if $(LOWEST_TESTS),$(shell grep --recursive --files-with-matches --include='test_*.py' smoke $(ADAPTERS)),$(ADAPTERS))
test-lowest: $(OLDEST)
	$(LOWEST)/bin/pytest --numprocesses $(LOWEST_WORKERS) -m "$(LOWEST_TESTS)" $(LOWEST_FILES)

lock: setup
	$(COMPILE) pyproject.toml $(EXTRAS) --group dev --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml $(EXTRAS) --group test --group build --constraint .ci/lowest.txt --output-file .ci/requirements-lowest.txt

bench: setup
	$(BIN)/python benchmarks/decision.py --quick
	$(BIN)/python benchmarks/verification.py
	$(BIN)/python benchmarks/overhead.py

bench-peers: setup
	$(BIN)/python benchmarks/peers.py --install

studies: setup
	$(PYTEST) tests/studies
	$(BIN)/python studies/circumstances.py --agents 5
	$(BIN)/python studies/rogue.py --quick
ifdef HALO_STUDY_DATA
	$(BIN)/python studies/redrive.py --limit 20
	$(BIN)/python studies/memory.py --limit 10
	$(BIN)/python studies/identity.py --seeds 1
	$(BIN)/python studies/handoffs.py --data "$(HALO_STUDY_DATA)/handoffs"
	$(BIN)/python studies/drift.py --data "$(HALO_STUDY_DATA)/traces" --streams 5
	$(BIN)/python studies/rescore.py --decisions 200
	$(BIN)/python studies/detection.py --train "$(HALO_STUDY_DATA)/traces/wider" --test "$(HALO_STUDY_DATA)/traces/wider" \
	  --workload novel --size 4 --no-rivals
else
	@echo "no run on recorded data: HALO_STUDY_DATA is not set, see studies/README.md"
endif

mutants: setup
	$(BIN)/python tests/mutation/run.py --workers $(WORKERS)

N    ?= 60
SEED ?= 1
mutants-sample: setup
	$(BIN)/python tests/mutation/run.py --workers $(WORKERS) --sample $(N) --seed $(SEED)

clean:
	rm -rf $(VENV) $(LOWEST) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
