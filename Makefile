# Everything a developer types. `make` alone lists it.

PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := features models nba training serving

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export MLFLOW_DISABLE_TELEMETRY := true
# Tests start hundreds of processes, and each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test types floors test-slow bench bench-features bench-one bench-load bench-train bench-plan bench-decide bench-http bench-pages bench-overload bench-quality docs screenshots notebooks format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv; PYTHON=... chooses the interpreter

# pip is quiet for minutes or says too much, so its lines are counted; its own exit status must survive the pipe.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not; name one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
		$(PYTHON) -m venv --clear $(VENV) || { \
		echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu it needs the package python3-venv" >&2; exit 1; }
	@echo "installing what requirements.lock names into $(VENV): a few minutes the first time"
	@{ $(BIN)/python -m pip install --progress-bar off --require-hashes -r requirements.lock; echo $$? > $(VENV)/.status; } \
		| awk '/^(Collecting|Processing)/ && ++n % 20 == 0 { print "  " n " packages fetched"; fflush() } \
		       /^Installing collected/ { print "  " n " packages fetched; unpacking them"; fflush() }'; \
		exit $$(cat $(VENV)/.status)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import lightgbm' 2> $(VENV)/.lightgbm || { tail -n 1 $(VENV)/.lightgbm >&2; \
		echo "LightGBM cannot be loaded. If the line above names libgomp or libomp, the system lacks the OpenMP runtime:" >&2; \
		echo "install libgomp1 (Debian, Ubuntu), libgomp (Fedora, Alpine) or libomp (macOS), then run 'make setup' again" >&2; exit 1; }
	@touch $@
	@echo "ready: $(BIN)/nba --help"

demo: setup ## see the whole way work on real data; Ctrl-C ends it
	$(BIN)/nba demo

test: setup ## say whether the tree is good: format, lint, floors, types, tests
	@$(MAKE) --no-print-directory -j2 types floors
	$(BIN)/pytest -n auto --dist worksteal --doctest-modules --ignore=models/pyfunc_model.py -m "not slow" tests $(PACKAGES)

# Two cores: types are checked beside the rest, and what the tests need compiled is compiled once and not by each worker.
types: setup
	$(BIN)/mypy

floors: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -c 'from nba import ranking; from nba.actions import Catalogue; from nba.door import now_us; \
	from nba.occasions import occasions; from nba.settings import parse_settings; from serving.profile import warm_up; \
	warm_up(Catalogue.of(parse_settings("")), now_us()); ranking.warm_up(); occasions.warm_up()'

test-slow: setup ## run the tests that take long, and those with generated examples on all of them
	NBA_THOROUGH=1 $(BIN)/pytest -m "slow or hypothesis"

bench: setup ## measure against peers; bench/README.md says what each figure is
	@found=$$(ls bench/bench_*.py 2> /dev/null); \
	if [ -z "$$found" ]; then echo "there is no benchmark yet; bench/README.md says what will be measured"; fi; \
	for each in $$found; do echo "== $$each"; PYTHONPATH=. $(BIN)/python $$each || exit 1; done

bench-one: setup ## measure what one contact costs: in memory, from bytes, SQLite and PostgreSQL
	$(BIN)/python bench/bench_one.py

bench-features: setup ## features of 1 M rows from 10 M touchpoints, beside DuckDB, Polars and pandas; ARGS=--featuretools too
	PYTHONPATH=. $(BIN)/python bench/bench_features.py $(ARGS)

bench-load: setup ## measure loads into SQLite and PostgreSQL against executemany and COPY; ARGS=--ten for 10 M rows
	$(BIN)/python bench/bench_load.py $(ARGS)

bench-train: setup ## fitting beside bare lgb.train on the same matrices, 100 k, 1 M and 5 M rows; ARGS="--rows 100000" for less
	PYTHONPATH=. $(BIN)/python bench/bench_train.py $(ARGS)

bench-plan: setup ## plan a day for 200 k and 1 M contacts with 20 actions: time, memory, limits kept, gap; ARGS="--contacts 50000"
	PYTHONPATH=. $(BIN)/python bench/bench_plan.py $(ARGS)

bench-decide: setup ## measure the decision logic for one contact and 20 actions with every kind of rule; ARGS=--strict
	PYTHONPATH=. $(BIN)/python bench/bench_decide.py $(ARGS)

bench-overload: setup ## ten times more calls than the service can answer; ARGS=--intake, ARGS="--soak 1" for its memory over an hour
	PYTHONPATH=. $(BIN)/python bench/bench_overload.py $(ARGS)

bench-pages: setup ## measure every page at 1 M contacts with 20 M touchpoints; ARGS="--contacts 20000 --touchpoints 400000"
	PYTHONPATH=. $(BIN)/python bench/bench_pages.py $(ARGS)

bench-http: setup ## measure the HTTP service beside an empty FastAPI route and mlflow models serve; ARGS=--strict
	PYTHONPATH=. $(BIN)/python bench/bench_http.py $(ARGS)

bench-quality: setup ## how good predictions and choices are, against floors and aims; ARGS=DATA_DIR, the folder of public data
	$(BIN)/python bench/quality.py $(ARGS)

notebooks: setup ## run the scripts in notebooks/ and write their notebooks with pictures beside them
	$(BIN)/python notebooks/execute.py

docs: setup ## write docs/features.md from the catalogue and docs/bi.md from the views
	$(BIN)/python docs/features_page.py
	$(BIN)/python docs/bi_page.py

screenshots: setup ## pictures of every page into docs/img, of a world made for them; ARGS="FOLDER --as-of T" of your own
	PYTHONPATH=. $(BIN)/python docs/screenshots.py $(ARGS)

format: setup ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

lock: ## write requirements.lock anew from pyproject.toml; needs uv
	@command -v $(UV) > /dev/null || { echo "'$(UV)' is not there; install uv, or name it: make lock UV=path/to/uv" >&2; exit 1; }
	$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## remove what was installed and built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
