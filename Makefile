# make demo   what the pair does, on your machine, in about a minute
# make test   everything that must hold before a change is taken
# Needs Python 3.11 or newer, git and make; the rest is installed into .venv and .venvs.

.DEFAULT_GOAL := help

# The first interpreter that runs, is new enough and can make environments: a name on the PATH may
# be a version manager's shim with nothing behind it, and some systems split off ensurepip.
ifndef PYTHON
PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && { echo "$$python"; break; }; done)
endif

VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST_ARGS ?=
BENCH_ARGS ?=
SANDBOX_ARGS ?=
# Half of the suite waits for other processes: four workers pay off even on two cores. Each takes
# whole files, since what a file's tests share is costly.
PYTEST_WORKERS ?= 4
PYTEST_SPREAD := -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

# Four workers and hundreds of programs would compile what they import, each for itself.
unexport PYTHONDONTWRITEBYTECODE

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## CSV files into Totango and out again, between two local sandboxes
	$(BIN)/python scripts/demo.py

test: check pytest ## the static checks and the whole suite

check: lint types walls forms ## the static checks alone

lint: $(READY) ## ruff: style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy
	$(BIN)/mypy scripts
	MYPYPATH=scripts:tests/support $(BIN)/mypy --explicit-package-bases benchmarks

walls: $(READY) ## import-linter: layers and walls between packages, and their pictures in docs/
	$(BIN)/lint-imports
	$(BIN)/python scripts/architecture.py

forms: $(READY) ## meltano.yml, workflows and issue forms against their schemas
	$(BIN)/check-jsonschema --builtin-schema vendor.meltano meltano.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/wrong-rows.yml .github/ISSUE_TEMPLATE/request.yml

pytest: $(READY) ## the suite alone; PYTEST_ARGS='-k words' narrows it
	$(BIN)/python -m pytest $(PYTEST_SPREAD) $(PYTEST_ARGS)

quick: $(READY) ## the tests that are not marked slow, in about a minute
	$(BIN)/python -m pytest $(PYTEST_SPREAD) -q -m 'not slow' $(PYTEST_ARGS)

shuffled: $(READY) ## the suite in random order; PYTEST_ARGS=--random-order-seed=N repeats one
	$(BIN)/python -m pytest $(PYTEST_SPREAD) -q --random-order $(PYTEST_ARGS)

coverage: $(READY) ## the suite with branch coverage: what is not covered, and htmlcov/index.html
	$(BIN)/python -m pytest $(PYTEST_SPREAD) -q --cov --cov-report term \
		--cov-report html $(PYTEST_ARGS)

test-all: $(READY) ## the suite on every Python from 3.11 on that this machine has
	$(BIN)/python scripts/test_all.py

test-airflow: $(READY) ## the example for Airflow, imported by Airflow itself, which is large
	$(BIN)/uv venv --quiet --allow-existing .venvs/airflow
	$(BIN)/uv pip install --quiet --python .venvs/airflow 'apache-airflow>=3,<4'
	$(BIN)/python -m pytest -q tests/end_to_end/test_airflow.py

bench: $(READY) ## tap and target beside floors, in minutes; BENCH_ARGS=--quick tries it out
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-long: $(READY) ## the sandbox, a verified run, faults and kills, tenants that live: an hour
	set -e; for benchmark in sandbox target_rows transform lost_rows living; do \
		$(BIN)/python benchmarks/long/$$benchmark.py; done

sandbox: $(READY) ## a local Totango with seed data, until Ctrl-C
	$(BIN)/totango-sandbox serve $(SANDBOX_ARGS)

docs: $(READY) ## rewrite settings tables, meltano.yml, .env.example, hub/ and pictures of the packages
	$(BIN)/python scripts/settings_pages.py --write
	$(BIN)/python scripts/stream_pages.py --write
	$(BIN)/python scripts/architecture.py --write
	$(BIN)/python scripts/hub_definitions.py --write

pictures: $(READY) ## pictures of the pages for docs/, taken in Chromium
	$(BIN)/python scripts/pictures.py

site: $(READY) ## the pages of docs/ as a site in site/, with every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

format: $(READY) ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove every environment, cache and output
	rm -rf $(VENV) .venvs .meltano demo-output dist build *.egg-info .mypy_cache .ruff_cache \
		.pytest_cache .import_linter_cache .hypothesis site htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(READY) ## make .venv with everything in it

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found; \
	install one, or say make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[sandbox]' --group dev
	@touch $@

.PHONY: help demo test check lint types walls forms pytest quick shuffled coverage test-all test-airflow bench bench-long sandbox docs pictures site \
	format clean install
