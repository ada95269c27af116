# The front door. `make` alone lists what there is.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help setup rehearse test lint up bench lock clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## make the environment in .venv (and node trees, contracts), nothing else
	@$(PYTHON) setup_environment.py

rehearse: setup ## rehearse the delivery of a change, from pull request to production and back
	@$(VENV)/bin/shipmate rehearse

up: setup ## start the world and keep it up; Ctrl-C takes everything down
	@$(VENV)/bin/shipmate up

test: setup ## run every test
	@$(RUN) -m pytest -n auto --dist worksteal -q

lint: ## run every static check
	@$(PYTHON) setup_environment.py --only python --only node
	@$(RUN) -m pipelines.lint

bench: setup ## measure what the docs claim
	@$(RUN) -m benchmarks

lock: ## resolve requirements/*.in again (hashes, no index addresses)
	@$(PYTHON) setup_environment.py --lock
