# Alur. `make help` lists what can be done here.

# The first Python that is new enough, else python3, which then says what is missing.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; \
	done; echo python3)
endif
VENV := .venv/bin
# Options for the first start of an empty clinic, e.g. SETUP='--clinic "Puskesmas Melati"'
SETUP ?=
# Test processes: two more than cores, as they often wait for a browser; three to six
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); \
	[ $$n -gt 4 ] && n=4; echo $$((n + 2)))
# Arguments for pytest, e.g. make test TESTS=tests/test_poli.py
TESTS ?=

# Whoever has it set would compile everything anew in each process that is started.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run backup restore passphrase audit-key upgrade support torture test check format bench clean environment \
	dev-environment python tools

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: environment ## Start the clinic: http://127.0.0.1:8000 (PORT, HOST, ALUR_DATA, ALUR_DEMO)
	@exec $(VENV)/python deploy/start.py $(SETUP)

backup: environment ## Make a backup now: checked, encrypted, copied to each place
	@$(VENV)/python deploy/command.py backup

restore: environment ## Bring a backup back, step by step (UNDO=1: back to what was used before)
	@$(VENV)/python deploy/command.py restore $(if $(UNDO),--undo)

passphrase: environment ## A new passphrase for an account that nobody can open: USER=kepala
	@$(VENV)/python deploy/command.py passphrase '$(USER)'

audit-key: environment ## The audit trail's lost key: back from this server, or the trail begins anew
	@$(VENV)/python deploy/command.py audit-key

upgrade: python ## This source takes over from the installed release (deploy/install.sh), or nothing changes
	@$(PYTHON) deploy/environment.py requirements.txt
	@$(VENV)/python deploy/upgrade.py

support: environment ## A file for whoever helps from outside, without any patient
	@$(VENV)/python deploy/command.py support

torture: dev-environment tools ## Kills, broken disks, power cuts, wrong clocks; minutes, best as root
	@$(VENV)/python -m pytest -o python_files='torture_*.py' -n 0 -s --engines sqlite $(or $(TESTS),tests/torture)

test: dev-environment tools ## The whole test suite, on SQLite, PostgreSQL and in Chromium
	@$(VENV)/python -m pytest -n $(WORKERS) --no-loadscope-reorder $(TESTS)

check: dev-environment ## Lint, format, architecture and templates, in under a minute
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/python -m pytest -q tests/test_architecture.py

format: dev-environment ## Bring the code into the house format
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

bench: dev-environment ## The benchmark, beside a bare floor; results in bench/results/
	@$(VENV)/python -m pip install -qq --disable-pip-version-check --no-deps \
		$(if $(wildcard wheels),--no-index --find-links wheels) -r requirements-bench.txt || true
	@$(VENV)/python -m bench.run $(BENCH)

clean: ## Remove the environment and caches; data/ stays
	rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment: python
	@$(PYTHON) deploy/environment.py requirements.txt

dev-environment: python
	@$(PYTHON) deploy/environment.py requirements.txt requirements-dev.txt

python:
	@command -v $(PYTHON) >/dev/null || { echo \
	  "Python 3.11 atau lebih baru belum terpasang. / Python 3.11 or newer is not installed."; exit 1; }

tools: dev-environment
	@$(VENV)/python tests/install_tools.py
