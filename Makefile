# Everything a developer does here, by name. The virtual environment makes itself:
# the first target that needs it builds it, and again when the lock or pyproject.toml change.

BIN := .venv/bin
PORT ?= 8000
ROUNDS ?= 200
CONTENDERS ?= 50
KILLS ?= 200
SCHEDULES ?= 2000

# What moves seats, credits and money: every branch of it is tested.
MOVES := bookings credits policy matching classbolt/buy classbolt/card_rules classbolt/card_shares \
	classbolt/cards classbolt/comparing classbolt/disputes classbolt/late classbolt/paying \
	classbolt/payments classbolt/refund_news classbolt/refunds classbolt/sold \
	classbolt/staff_refunds classbolt/stripe_events
COMMA := ,
MOVES_MONEY := $(subst $() ,$(COMMA),$(MOVES:%=*/%.py))

# The newest Python that we know and that can make virtual environments. An environment that
# works is kept as it is; `make clean` starts over.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

# make hands DATABASE_URL on to what it runs; an empty one would be a wrong address, not a default.
ifeq ($(strip $(DATABASE_URL)),)
unexport DATABASE_URL
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test stress check fix story schema rules lock build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: .venv/installed ## Serve a demo studio on http://localhost:8000 (PORT=8000)
	@$(BIN)/classbolt serve --demo --port $(PORT)

# The coverage report covers the core and the bolt-ons and comes before pytest's last line. The
# server, and what moves seats, credits and money, are held to thresholds of their own afterwards,
# which say something only if they are missed.
test: .venv/installed ## Run all tests, with coverage
	@$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term
	@report=$$($(BIN)/coverage report --include='schema/*' --fail-under=90) \
		|| { echo "$$report"; exit 1; }
	@report=$$($(BIN)/coverage report --fail-under=100 --include='$(MOVES_MONEY)') \
		|| { echo "$$report"; exit 1; }

# One after the other, since the servers of a race take all there is. The table comes last.
stress: .venv/installed ## Run each race for long, kill servers, and print a table (ROUNDS=200 KILLS=200 SCHEDULES=2000)
	@ROUNDS=$(ROUNDS) CONTENDERS=$(CONTENDERS) KILLS=$(KILLS) SCHEDULES=$(SCHEDULES) HISTORIES=300 STEPS=60 \
		$(BIN)/pytest -n 0 -p no:randomly tests/machine tests/races tests/stress

check: .venv/installed ## Check format, lint, types and imports
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fix: .venv/installed ## Repair what the linter and the formatter can repair
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

story: .venv/installed ## Play the help article's story (DATABASE_URL=… for another database)
	@$(BIN)/classbolt story

schema: .venv/installed ## Write schema/schema.graphql from the code
	@$(BIN)/classbolt schema export > schema/schema.graphql.new \
		|| { rm -f schema/schema.graphql.new; exit 1; }
	@mv schema/schema.graphql.new schema/schema.graphql

rules: .venv/installed ## Write docs/rules.md from docs/rules.toml and the tests
	@$(BIN)/python tests/support/rules.py > docs/rules.md.new \
		|| { rm -f docs/rules.md.new; exit 1; }
	@mv docs/rules.md.new docs/rules.md

permissions: .venv/installed ## Write docs/permissions.md from what a server answers
	@$(BIN)/python tests/support/permissions.py

lock: .venv/locked ## Write requirements/lock.txt from pyproject.toml (UPGRADE=1 for newer versions)
	@$(BIN)/uv pip compile pyproject.toml --extra postgresql --group dev \
		--universal --python-version 3.11 --generate-hashes --no-strip-extras --quiet $(if $(UPGRADE),--upgrade) \
		--no-header --no-emit-index-url --no-emit-find-links --output-file requirements/lock.txt

build: .venv/installed ## Build the wheel and the source archive into dist/
	@$(BIN)/python -m hatchling build

clean: ## Remove the virtual environment and everything that tools have made
	@rm -rf .venv build dist htmlcov .coverage .coverage.* .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find core schema plugins tests -type d -name __pycache__ -prune -exec rm -rf {} +

.venv/locked: requirements/lock.txt
	@test -n "$(PYTHON)" || { echo "Classbolt needs Python 3.11 or newer, with venv." >&2; exit 1; }
	@echo "Installing what requirements/lock.txt names into .venv"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(PIP) install --require-hashes --requirement requirements/lock.txt
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
