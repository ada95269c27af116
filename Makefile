# The front door. `make` alone lists what there is.
.DEFAULT_GOAL := help
VENV := .venv
# The one that was chosen stays: `make setup PYTHON=python3.13`, then `make test`.
PYTHON ?= $(shell test -x $(VENV)/bin/python && echo $(VENV)/bin/python || echo python3)
RUN := $(VENV)/bin/python

.PHONY: help setup rehearse test lint up bench lock

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  All of them begin with the set-up, which does nothing when nothing changed. The suite's own command: $(VENV)/bin/shipmate --help"

setup: ## make the environment: .venv, Node modules, descriptions of the providers, Postgres, Redis, a browser
	@$(PYTHON) setup_environment.py

rehearse: setup ## rehearse the delivery of this checkout, from a pull request to production and back; writes rehearsal-report/
	@$(VENV)/bin/shipmate rehearse

up: setup ## start the world to use it by hand; Ctrl-C takes everything down
	@$(VENV)/bin/shipmate up

test: setup ## run every test
	@$(RUN) -m pytest -n auto --dist worksteal -q

lint: ## run every static check, but for those that WITHOUT names
	@$(PYTHON) setup_environment.py --only python --only node
	@$(RUN) -m pipelines.lint $(addprefix --without=,$(WITHOUT))

bench: setup ## measure what the docs claim
	@$(PYTHON) setup_environment.py --only bench
	@$(RUN) -m benchmarks

lock: ## resolve pyproject.toml and requirements/*.in again (hashes, no index addresses)
	@$(PYTHON) setup_environment.py --lock
