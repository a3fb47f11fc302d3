# The interpreter that .venv is made from; another one:  make demo PYTHON=python3.12
PYTHON ?= python3
RUN = scripts/env.sh

.DEFAULT_GOAL := help
.PHONY: help setup demo chat bench test test-fast lint clean

help:  ## Shows this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup:  ## Makes .venv with everything pinned and builds the ROS interfaces; with ROBOT=1 only what a robot needs
	@$(PYTHON) scripts/set_up.py $(if $(ROBOT),--robot)

demo: setup  ## Simulated camera, robot, operator and planner; writes out/demo/report.html and results.json
	@$(RUN) python -m pixelrs_ros.ros.demo.run

chat: setup  ## Type instructions about the simulated scene, turn after turn
	@$(RUN) python -m pixelrs_ros.ros.demo.chat

bench: setup  ## Times of every stage and turn; rewrites benchmarks/cpu.json, the tables of docs/performance.md and their picture
	@$(RUN) python -m pixelrs_ros.cli bench --document

test: setup  ## Runs every test, two files at a time
	@$(RUN) python -m pytest -n 2 --dist loadfile

test-fast: setup  ## Runs the tests of the inner loop, in less than 90 s
	@$(RUN) python -m pytest -n 2 --dist loadfile -m "not slow"

lint: setup  ## ruff and mypy
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

clean:  ## Removes what set-up, tests and demo made
	rm -rf .venv build install log out .pytest_cache .mypy_cache .ruff_cache .hypothesis
