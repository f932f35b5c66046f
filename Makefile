# make demo and make test set up their own environment in .venv and do everything.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VERSION := -c 'import sys; print(*sys.version_info[:2])'
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
VENV := .venv
READY := $(VENV)/.ready
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
SNAKEMAKE := $(RUN) snakemake --cores $(CORES)

.DEFAULT_GOAL := help
.PHONY: help setup demo test tests check format docs environments benchmarks clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# An environment that another Python made is thrown away.
$(READY): pyproject.toml envs/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
	  echo "error: weakreid needs Python 3.11 to 3.13, but here is $(or $(PYTHON),no python3)" \
	    "`$(PYTHON) -V 2>/dev/null`; install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test "`$(VENV)/bin/python $(VERSION) 2>/dev/null`" = "`$(PYTHON) $(VERSION)`" || rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint envs/constraints.txt --editable '.[slurm,kubernetes,generic,dev]'
	@touch $@

setup: $(READY) ## set up the environment in .venv, and no more

demo: $(READY) ## learn from weak labels on a generated dataset and show the result
	@$(SNAKEMAKE) demo
	@cat results/tables/demo/table.md
	@echo "Look at: results/demo/metrics.json"
	@echo "         results/demo/learning_curve.svg"
	@echo "         results/demo/runs/official-1/matches_fine.png"
	@echo "         results/demo/runs/official-1/matches_coarse.png"
	@echo "         results/datasets/walkers/contact_sheet.png"

# side by side: most checks use one core
test: $(READY) ## run every check and every test
	@$(MAKE) --no-print-directory --jobs 2 check tests

# They start hundreds of programs: bytecode is kept, whatever the environment says. One worker more
# than cores, because a test waits while its programs start.
tests: $(READY)
	@$(RUN) PYTHONDONTWRITEBYTECODE= WEAKREID_INSTALL_SLURM=1 OMP_NUM_THREADS=1 pytest --numprocesses $$(($(CORES) + 1)) --dist loadgroup --no-loadscope-reorder --durations 20 $(PYTEST)

check: $(READY) ## run the linters, the format checks and the type checker
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) mypy
	@$(RUN) lint-imports --no-logo
	@$(SNAKEMAKE) --lint --quiet

format: $(READY) ## put all code into its format
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .
	@$(RUN) snakefmt Snakefile workflow

docs: $(READY) ## write the pages and the JSON Schema that are made from models and schemas
	@$(VENV)/bin/python -m weakreid.config.reference > docs/configuration.md
	@$(VENV)/bin/python -m weakreid.plan.reference > docs/artifacts.md
	@$(VENV)/bin/python -m weakreid.config.load > workflow/schemas/config.schema.json

environments: $(READY) ## write the environment that snakemake builds with conda
	@$(VENV)/bin/python envs/environment.py > envs/weakreid.yaml

benchmarks: $(READY) ## measure speed, as ratios side by side
	@for program in benchmarks/*.py; do $(VENV)/bin/python $$program || exit 1; done

clean: ## remove what make demo made, but not the environment
	rm -rf results/datasets/walkers results/demo results/demo_untrained results/tables/demo
