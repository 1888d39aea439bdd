PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test long real bench pictures setup clean

demo: setup  ## the sample case, from the first question to the card
	rm -rf runs/demo
	$(BIN)/tuneproof --replay sample_cases/support_tickets.yaml --run-dir runs/demo
	$(BIN)/tuneproof verify runs/demo

# Two test files side by side, each with a core of its own: most of the time is spent on starting the program again and again.
test: setup  ## lint, format, types, import contracts, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

# Whole trainings, servers and clusters: what a contributor runs before a release, or after changing what they test.
long: setup  ## the tests that the ordinary ones leave out for time
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m long

real: setup  ## the two real cases whole, with the figures they give
	$(BIN)/pytest -m real -s

bench: setup  ## measured figures, never asserted by the tests
	$(BIN)/python -m tests.bench.route
	$(BIN)/python -m tests.bench.near
	$(BIN)/python -m tests.bench.audit
	$(BIN)/python -m tests.bench.scale
	$(BIN)/python -m tests.bench.schemas
	$(BIN)/python -m tests.bench.training
	$(BIN)/python -m tests.bench.micro_batches
	$(BIN)/python -m tests.bench.probes
	$(BIN)/python -m tests.bench.replay
	$(BIN)/python -m tests.bench.decoding
	$(BIN)/python -m tests.bench.attach
	$(BIN)/python -m tests.bench.wizard

pictures: setup  ## the pictures of the README, and that of the layers
	$(BIN)/python -m tests.snapshots.pictures
	$(BIN)/python -m tests.architecture

# The link tree of a strict editable install is made once; made again each time, it has the files that are there now.
setup: .venv/ready
	$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=strict --editable .

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt setuptools
	$(PIP) install -c constraints.txt --no-build-isolation --config-settings editable_mode=strict --editable '.[dev]'
	touch .venv/ready

clean:
	rm -rf .venv build runs *.egg-info
