# Two commands on a bare machine: `make run` starts the bot, `make test` runs the tests.
# Needs Python >= 3.11 and make, nothing else; everything lives in .venv.

PYTHON ?= python3
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TOOLS  := .venv-security
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# One resolution for every platform and Python from 3.11 on, readable by pip, free of index addresses.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-annotate --no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help install check test core golden walk bench kill i18n chat run migrate cov lock \
        security sbom clean

help: ## list the targets (ARGS="..." is handed on where a target takes arguments)
	@awk -F ':.*## ' '/^[a-z][a-z0-9]*:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv and install the locked dependencies and the project

# uv is several times faster than pip; where its wheel does not exist, pip reads the same lock.
$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another with: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "Python's venv module is missing (Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock > $(VENV)/uv-pin.txt; \
	if $(PIP) --require-hashes -r $(VENV)/uv-pin.txt \
	   && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock; \
	then echo "Installed the locked dependencies with uv."; \
	else echo "uv could not install the lock: falling back to pip (slower)." >&2; \
	  $(PIP) --require-hashes -r requirements-dev.lock; \
	fi
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

check: install ## lint, format, types, architecture, faults that bandit knows, content
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive bot flows scoring storage main.py
	$(BIN)/python main.py check

test: install ## all tests (ARGS="-k name -x")
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

golden: install ## rewrite the golden conversations; read the diff before committing it
	$(BIN)/python -m pytest -q tests/test_transcripts.py --golden $(ARGS)

walk: install ## every questionnaire x language x channel, 20 walks of each kind (WALK_SEEDS=100)
	WALK_SEEDS=$${WALK_SEEDS:-20} $(BIN)/python -m pytest -q tests/test_walker.py $(ARGS)

bench: install ## benchmarks
	$(BIN)/python -m benchmarks $(ARGS)

kill: install ## kill a running bot again and again and look for harm (ARGS="--rounds 50 --seed 7")
	$(BIN)/python -m tests.rigs.kill $(ARGS)

i18n: install ## bring the message catalogs up to date with the questionnaires
	$(BIN)/python -m bot.content.catalogs $(ARGS)

chat: install ## a conversation in the terminal (ARGS="QUESTIONNAIRE --lang zu")
	$(BIN)/python main.py chat $(ARGS)

run: install ## start the bot (ARGS="--port 8080")
	$(BIN)/python main.py run $(ARGS)

migrate: install ## bring the database to the current schema
	$(BIN)/python main.py migrate $(ARGS)

core: install ## flows and scoring alone, at 100 % branch coverage
	$(BIN)/python -m pytest -q -n 2 tests/flows tests/scoring --cov=flows --cov=scoring \
	  --cov-branch --cov-report=term:skip-covered --cov-fail-under=100 $(ARGS)

cov: install ## branch coverage: 100 % of flows and scoring, 90 % of the whole
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --include='flows/*,scoring/*' --fail-under=100
	$(BIN)/coverage report --fail-under=90

# The toolbox for `security` and `sbom`: about 350 MB, in a place of its own.
$(TOOLS)/.installed: requirements-security.lock $(STAMP)
	$(PYTHON) -m venv $(TOOLS)
	$(BIN)/uv pip install --quiet --python $(TOOLS)/bin/python --require-hashes -r $< \
	  || $(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Our own rules only: no rule comes from the network, nothing is reported to anybody.
QUIETLY := --quiet --metrics off --disable-version-check
security: $(TOOLS)/.installed ## our rules: each proves that it bites, then none finds anything
	$(TOOLS)/bin/semgrep scan --test $(QUIETLY) tests/rules
	$(TOOLS)/bin/semgrep scan --config tests/rules $(QUIETLY) --error --no-git-ignore \
	  bot flows scoring storage main.py

sbom: $(TOOLS)/.installed ## what runs, with hashes: dist/sbom.json (CycloneDX, validated)
	@mkdir -p dist
	$(TOOLS)/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml \
	  --output-reproducible --validate --of JSON --output-file dist/sbom.json requirements.lock

lock: install ## remake the locks (ARGS="--upgrade" or "--upgrade-package NAME")
	$(COMPILE) $(ARGS) --extra postgres --extra dev --output-file requirements-dev.lock pyproject.toml
	$(COMPILE) $(ARGS) --extra postgres --constraint requirements-dev.lock \
	  --output-file requirements.lock pyproject.toml
	$(COMPILE) $(ARGS) --group security --output-file requirements-security.lock
	@if grep -n '://' requirements.lock requirements-dev.lock requirements-security.lock; then \
	  echo "An address got into a lock (above)." >&2; exit 1; fi

clean: ## remove .venv, caches and build output; data/ stays
	rm -rf $(VENV) $(TOOLS) dist htmlcov .coverage .coverage.* .hypothesis .pytest_cache .mypy_cache \
	  .ruff_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
