# Every task of the project; `make` alone lists them. Needs GNU make 3.81 and Python 3.11 or newer.

# Not `?=`: some shells export a HOST of their own.
HOST := 127.0.0.1
PORT := 8000
# Extra words for pytest, such as ARGS="-k orientation -x".
ARGS :=
FUZZ_SECONDS := 3600
# UPGRADE=--upgrade lets `make lock` take newer versions; without it, it keeps those that still fit.
UPGRADE :=

# Each is asked for its version, since a name may be there and not start (pyenv's shims do that).
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; \
	done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Where cargo is, a change to one of these builds the native JPEG code anew.
NATIVE := $(wildcard service/imaging/native/src/*.rs service/imaging/native/Cargo.*)
PYTEST := $(BIN)/python -m pytest
# A file at a time for each core; ARGS=-n0 runs one after the other, as a debugger wants it.
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=4 --dist=loadfile
UV_VERSION := 0.13.9
# No host and no path of this machine gets into a lock.
COMPILE := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--no-emit-index-url --custom-compile-command 'make lock' $(UPGRADE)
BUILD_REQUIRES := $(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check static format formatted lint types contracts container-files \
	test-long bench fuzz native pictures vendor lock test-image clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[.a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.runtime  ## serve on http://127.0.0.1:8000 (HOST=, PORT=); sets itself up the first time
	@exec $(BIN)/metercrop serve --host $(HOST) --port $(PORT)

# Files run side by side: threads of PyTorch's beyond their number would wait for each other.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/.browser  ## run every test (ARGS= for pytest)
	$(PYTEST) $(SIDE_BY_SIDE) $(ARGS)

check: static native test  ## everything that must hold: format, lint, types, contracts, containers, tests

static: formatted lint types contracts container-files  ## what `check` does, without the tests

format: $(VENV)/.dev  ## rewrite the code as ruff formats it
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

formatted: $(VENV)/.dev
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/deptry .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

native:  ## format, lint and tests of the native JPEG code, where cargo is
	.ci/native

container-files: $(VENV)/.dev
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

test-long: $(VENV)/.dev  ## a batch job over 2000 objects (OBJECTS=), killed and paused; takes minutes
	$(PYTEST) --override-ini addopts= --import-mode=importlib tests/long $(ARGS)

bench: $(VENV)/.dev  ## measure; the tests leave these out
	$(PYTEST) --override-ini addopts= --import-mode=importlib -s tests/benchmarks $(ARGS)

test-image: $(VENV)/.runtime  ## build the container image and send it a photo (Docker, or root on Debian)
	.ci/image/test $(BIN)/python

fuzz: $(VENV)/.dev  ## fuzz the native JPEG code for an hour (FUZZ_SECONDS=); needs cargo
	.ci/fuzz $(BIN)/python $(FUZZ_SECONDS)

pictures: $(VENV)/.browser  ## draw the README's pictures again
	$(BIN)/python -m tests.pictures.draw
	$(BIN)/python -m tests.pictures.pages

vendor:  ## copy the scripts that the pages ship from npm again (.ci/vendor/package.json)
	.ci/vendor/update

lock: $(BIN)/uv  ## write the lock files again from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(BUILD_REQUIRES) | $(COMPILE) --generate-hashes pyproject.toml - -o requirements.lock
	$(BUILD_REQUIRES) | $(COMPILE) --generate-hashes pyproject.toml - -o requirements-cpu.lock \
		--constraints requirements.lock --overrides .ci/image/cpu-overrides.txt \
		--no-emit-package onnxruntime-gpu
	$(BUILD_REQUIRES) | $(COMPILE) --generate-hashes pyproject.toml - -o requirements-cuda.lock \
		--constraints requirements.lock --extra cuda
	@# PyTorch's CUDA packages stay out: a machine with the CPU build of PyTorch has no use for them,
	@# and where the build from PyPI is installed, pip fetches what that one asks for.
	$(COMPILE) --no-annotate pyproject.toml -o requirements-dev.lock \
		--constraints requirements.lock --extra train --extra test --extra check
	@grep -vE '^(cuda-|nvidia-|triton)' requirements-dev.lock > requirements-dev.lock.new
	@mv requirements-dev.lock.new requirements-dev.lock

clean:  ## remove what was installed and cached; your photos and records stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		service/imaging/_jpeg_native* service/imaging/native/target
	find service models migrations tests -name __pycache__ -type d -prune -exec rm -rf {} +

.env:  ## secrets for docker-compose.yml, made at random
	@umask 077 && for name in POSTGRES_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY; do \
		printf '%s=' "$$name" && od -An -N20 -tx1 /dev/urandom | tr -d ' \n' && echo; \
	done > $@

# A stamp is newer than what it was made from, so that a second `make run` starts at once.

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "metercrop needs Python 3.11 or newer; here is $$(python3 --version 2>&1 || echo none)." >&2; \
		echo "Install one, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "metercrop needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)." >&2; \
		echo "Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml $(NATIVE) | $(BIN)/python
	@echo "Setting up $(VENV) for the service; this takes a minute, once."
	$(PIP) install --require-hashes -r requirements.lock
	@# The lock holds the build backend too: nothing is fetched that it does not name.
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Adding PyTorch and the tools of the tests; this takes a minute or two, once."
	$(PIP) install -r requirements-dev.lock
	@touch $@

$(VENV)/.browser: .ci/browser-setup $(VENV)/.dev
	@.ci/browser-setup $(BIN)/python
	@touch $@

$(BIN)/uv: | $(BIN)/python
	$(PIP) install uv==$(UV_VERSION)
