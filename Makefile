# Everything a person or CI does here. Needs python3 (3.11 to 3.13), pip and make; the rest is fetched into .venv.

# Without bytecode every start recompiles ccxt: 8.4 s instead of 0.6 s.
export PYTHONDONTWRITEBYTECODE :=

PY ?= python3
ARGS ?=
SEEDS ?= 2000
SETS ?= 5000
ROUNDS ?= 1000
BIN := .venv/bin
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format types imports bench soak operations simulate sweep-equality mutations policies rounds thirty-days research docs wheel lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.dev ## build .venv with everything a developer needs

.venv/.dev: requirements/dev.txt requirements/tools.txt pyproject.toml
	@$(PY) tools/bootstrap.py dev
	@touch .venv/.dev .venv/.run

# The smaller set, enough to trade. The developer's set contains it and leaves this marker too.
.venv/.run: requirements/run.txt requirements/tools.txt pyproject.toml
	@$(PY) tools/bootstrap.py run
	@touch .venv/.run

run: .venv/.run ## trade, on the embedded sandbox unless told otherwise: make run ARGS="config.yaml"
	@$(BIN)/gridtide run $(ARGS)

test: lint types imports ## everything CI checks; the test suite last
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

lint: .venv/.dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: .venv/.dev ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: .venv/.dev ## mypy, strict
	@$(BIN)/mypy

imports: .venv/.dev ## the floors of the house
	@$(BIN)/lint-imports --no-logo

bench: .venv/.dev ## measure speed; not part of the tests
	@$(BIN)/python -m pytest -p no:xdist --benchmark-only --benchmark-enable tests/bench $(ARGS)
	@$(BIN)/python -m benchmarks.sandbox
	@$(BIN)/python -m benchmarks.reaction
	@$(BIN)/python -m benchmarks.backtest --json --peers

soak: .venv/.dev ## ten minutes of replay: memory and open files of the bot
	@$(BIN)/python -m benchmarks.memory $(ARGS)

operations: .venv/.dev ## a million random operations on the simulated exchange, checked from the outside
	@$(BIN)/python -m benchmarks.venue_operations --operations 1000000 --seed 1 $(ARGS)

simulate: .venv/.dev ## the whole bot in virtual time with every fault: make simulate SEEDS=200000
	@$(BIN)/gridtide simulate --seeds $(SEEDS) $(ARGS)

sweep-equality: .venv/.dev ## random grids, sweep kernel against engine, fill by fill: make sweep-equality SETS=20000
	@$(BIN)/python -m tests.optimize.equality --sets $(SETS) $(ARGS)

mutations: .venv/.dev ## switch off each rule of order safety and see who notices; writes docs/proof.md
	@$(BIN)/python -m tests.mutation.run $(ARGS)

policies: .venv/.dev ## other policies in the place of the protocol, on the real code: make policies SEEDS=2000
	@$(BIN)/python -m benchmarks.policies --seeds $(SEEDS) $(ARGS)

rounds: .venv/.dev ## real processes killed, stopped, doubled, on full disks and older books: make rounds ROUNDS=1000
	@$(BIN)/python -m benchmarks.rounds --rounds $(ROUNDS) $(ARGS)

thirty-days: .venv/.dev ## a virtual month of the whole bot: memory, file sizes, open handles
	@$(BIN)/python -m benchmarks.thirty_days $(ARGS)

research: .venv/.dev ## what VectorBT makes of our fills, from its own code; compiles for up to a minute
	@GRIDTIDE_RESEARCH=1 $(BIN)/python -m pytest -p no:xdist tests/reports/test_vectorbt_bridge.py

docs: .venv/.dev ## build the pages into site/
	@$(BIN)/zensical build --clean --strict

wheel: .venv/.dev ## build the wheel into dist/
	@$(BIN)/hatchling build -t wheel

lock: .venv/.dev ## resolve all versions anew, within pyproject.toml
	@$(LOCK) --upgrade tools.in -o requirements/tools.txt
	@$(LOCK) --upgrade pyproject.toml -o requirements/run.txt
	@$(LOCK) --upgrade pyproject.toml --all-extras --group test --group lint --group docs \
		-c requirements/run.txt -o requirements/dev.txt

clean: ## remove what was built, and .venv
	@rm -rf .venv dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .benchmarks .cache
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
