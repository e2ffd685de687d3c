# Every target works in a fresh clone with nothing but Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin
MAKEFLAGS += --no-print-directory

ifdef PROVIDER
export QUOTEWIRE_PROVIDER := $(PROVIDER)
endif

.DEFAULT_GOAL := help
.PHONY: help run test check bench lock clean dev

help: ## Show this list
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Start everything and print the addresses; PROVIDER=simulated or coinbase instead of replay
	@$(PYTHON) deploy/bootstrap.py run
	@exec $(BIN)/python -m dashboard --stop-with-parent

test: dev ## Run all tests; ARGS="-k replay" goes to pytest
	@$(BIN)/python deploy/browser.py
	@$(BIN)/python -m pytest -n auto $(ARGS)

check: dev ## Check style and types
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy .
	@DENO_DIR=.venv/.deno DENO_NO_UPDATE_CHECK=1 \
		$(BIN)/deno check --quiet --config deploy/deno.json dashboard/browser

bench: dev ## Run the benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

lock: ## Pin the dependencies anew; ARGS=--upgrade takes the newest versions
	@$(PYTHON) deploy/lock.py $(ARGS)

clean: ## Remove the environment, caches and logs
	@rm -rf .venv .setup.log build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev: ## Install what tests, checks and notebooks need, too
	@$(PYTHON) deploy/bootstrap.py dev
