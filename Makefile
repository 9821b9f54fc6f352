# make demo   the main job: two VAEs on the embedded digits, compared (a virtual environment, the package, a minute or two of training)
# make test   every notebook and every test
# make bench  speed and memory against a textbook implementation, and Pythae
# make course  the student versions of the assignments, into assignments/release
# make readme  README.md from nbs/index.ipynb (after `make test`)
# make site   the website, in site/_build/html
# make help   this list

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test bench course readme site
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

$(VENV)/.base:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "vampbook needs Python 3.10 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# torch comes first and alone: with it in place, no other package asks for another build of it
$(VENV)/.package: $(VENV)/.base settings.ini setup.py constraints.txt
	@echo "Installing vampbook and what it needs (PyTorch is large)"
	@$(PIP) torch
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	@echo "Installing the tools of the tests and notebooks"
	@$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.package
	@echo "Installing Pythae, to compare with"
	@$(PIP) --editable '.[bench]'
	@touch $@

demo: $(VENV)/.package
	@$(BIN)/vampbook demo

# a CI run sets VAMPBOOK_DATA to a folder with the real files; without it, tests that need them are skipped
test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.bench
	@$(BIN)/python benchmarks/bench.py

course: $(VENV)/.dev
	@$(BIN)/python assignments/course.py release

readme: $(VENV)/.dev
	@$(BIN)/python -m nbconvert --to markdown --output-dir . --output README nbs/index.ipynb

site: $(VENV)/.dev
	@$(BIN)/python site/build.py
	@echo "Open site/_build/html/index.html"
