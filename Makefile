PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test long real bench faults pictures setup clean

demo: setup  ## the sample case, from the first question to the card
	rm -rf runs/demo
	$(BIN)/tuneproof --replay sample_cases/support_tickets.yaml --run-dir runs/demo
	$(BIN)/tuneproof verify runs/demo

# Two processes with one core each: most of the time goes into starting the program again and again.
# The files run in the order of their folders, so that the whole trainings of `replay` are not left for the end.
test: setup  ## lint, format, types, import contracts, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# Run them before a release, or after changing what they cover.
long: setup  ## whole trainings, servers and clusters, which `make test` leaves out for time
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m long

real: setup  ## the two real cases, from data to card, with their figures
	$(BIN)/pytest -m real -s

bench: setup  ## measurements; tests never assert their figures
	$(BIN)/python -m tests.bench.route
	$(BIN)/python -m tests.bench.verdict
	$(BIN)/python -m tests.bench.near
	$(BIN)/python -m tests.bench.audit
	$(BIN)/python -m tests.bench.million
	$(BIN)/python -m tests.bench.scale
	$(BIN)/python -m tests.bench.schemas
	$(BIN)/python -m tests.bench.memory_predictions
	$(BIN)/python -m tests.bench.training
	$(BIN)/python -m tests.bench.micro_batches
	$(BIN)/python -m tests.bench.probes
	$(BIN)/python -m tests.bench.replay
	$(BIN)/python -m tests.bench.decoding
	$(BIN)/python -m tests.bench.attach
	$(BIN)/python -m tests.bench.wizard

faults: setup  ## faults injected into real runs, and a table of what became of them; minutes
	$(BIN)/python -m tests.faults

pictures: setup  ## the pictures of the documentation
	$(BIN)/python -m tests.snapshots.pictures
	$(BIN)/python -m tests.architecture

# A strict editable install links the files that exist when it is made, so it is made again each time.
setup: .venv/ready
	$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=strict --editable .

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install -c constraints.txt setuptools
	$(PIP) install -c constraints.txt --no-build-isolation --config-settings editable_mode=strict --editable '.[dev]'
	touch .venv/ready

clean:
	rm -rf .venv build runs *.egg-info
