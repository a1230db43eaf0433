# One door to everything: `make help`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
LAB := $(BIN)/python -m tests.lab
REQUIREMENTS := requirements/controller.txt requirements/test.txt
INSTALLED := .venv/.installed
# Tools call each other by name; colours only where someone looks.
export PATH := $(CURDIR)/$(BIN):$(PATH)

MOLECULE_HOSTS := mol-bookworm mol-trixie
SCENARIOS := $(filter-out default inventory,$(notdir $(patsubst %/,%,$(wildcard molecule/*/))))
# Two scenarios may run at once, each with hosts and a state of its own: LAB_LANE=b.
export MOLECULE_EPHEMERAL_DIRECTORY := $(CURDIR)/.cache/molecule$(LAB_LANE:%=-%)
CHECKS := laws unit lint yaml style types changelog artifact

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1|/' | while IFS='|' read -r name what; do printf '  %-16s %s\n' "$$name" "$$what"; done

# --- setup ------------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(INSTALLED) ## Make .venv from hashed pins and link the collection

$(INSTALLED): $(REQUIREMENTS) requirements/install.sh
	@bash requirements/install.sh $(REQUIREMENTS)
	@touch $@

# --- what a user runs -------------------------------------------------------------------------------------------------

.PHONY: demo
demo: setup lab-docker lab-images ## From nothing to a streamed chat reply of a model on two lab hosts
	$(LAB) up lab1 lab2
	$(BIN)/ansible-playbook playbooks/site.yml -i inventories/lab
	$(BIN)/python examples/openai_chat.py

.PHONY: demo-down
demo-down: setup ## Remove the lab hosts of the demo, and stop what it started
	$(LAB) down lab1 lab2
	$(LAB) docker-stop

.PHONY: bench
bench: setup lab-docker lab-images ## Measure runs that change nothing on 2, 4 and 8 lab hosts
	$(BIN)/python -m benchmarks

.PHONY: gpu
gpu: setup ## Look at this machine's NVIDIA cards, beside nvidia-smi (GPU_EXPECT='{"gpus": 8, "kind": "h20-96"}')
	@mkdir -p .cache/gpu
	$(BIN)/python -m tests.gpu.real .cache/gpu '$(or $(GPU_EXPECT),{})'

# --- what CI runs -----------------------------------------------------------------------------------------------------

.PHONY: test
test: ## What CI runs: checks, guests with soft-RoCE, molecule, with a table of times
	@python3 tests/stages.py setup $(CHECKS) vm-verbs molecule

.PHONY: check
check: ## Laws, unit tests, linters, types, changelog, artifact
	@python3 tests/stages.py setup $(CHECKS)

.PHONY: laws
laws: setup ## The laws of the architecture
	$(BIN)/pytest tests/laws

.PHONY: unit
unit: setup ## Unit tests, and tests of the Python door
	$(BIN)/pytest --numprocesses=auto --dist=loadfile tests --ignore tests/laws

.PHONY: parsers
parsers: setup ## The real parsers of vLLM and SGLang over our command lines (minutes and some GB the first time)
	$(BIN)/python -m tests.parsers

.PHONY: lint
lint: setup ## ansible-lint, profile production, nothing skipped
	$(BIN)/ansible-lint --offline --config-file .config/ansible-lint.yml

.PHONY: yaml
yaml: setup ## yamllint
	$(BIN)/yamllint --strict .

.PHONY: style
style: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup ## mypy: strict where the decisions are
	$(BIN)/mypy --package ansible_collections.gpufleet.inference.plugins
	$(BIN)/mypy --strict --package ansible_collections.gpufleet.inference.plugins.plugin_utils
	$(BIN)/mypy --strict --exclude tests/lab/engine_image/ src/gpufleet tests/lab tests/vm
	$(BIN)/mypy tests/laws tests/unit tests/conftest.py tests/stages.py

.PHONY: changelog
changelog: setup ## Changelog fragments
	$(BIN)/antsibull-changelog lint

.PHONY: artifact
artifact: setup ## Build the collection and import it as Galaxy would
	@bash tests/artifact.sh

# --- virtual machines -------------------------------------------------------------------------------------------------

.PHONY: vm
vm: setup ## Guests under plain emulation: verbs, PCIe trees, and a host with our roles over a real reboot (minutes)
	$(BIN)/python -m tests.vm all

.PHONY: vm-verbs
vm-verbs: setup ## Two guests with soft-RoCE between them
	$(BIN)/python -m tests.vm verbs

# --- molecule ---------------------------------------------------------------------------------------------------------

.PHONY: molecule
molecule: ## Every role scenario on Debian 12 and 13 hosts, then site
	@python3 tests/stages.py setup molecule

.PHONY: molecule-role
molecule-role: molecule-create ## One scenario, its hosts stay: make molecule-role ROLE=os_tuning
	@test -n "$(ROLE)" || { echo "Say which: make molecule-role ROLE=<one of: $(SCENARIOS)>"; exit 2; }
	$(MAKE) molecule-scenario ROLE=$(ROLE)

.PHONY: molecule-scenario
molecule-scenario: setup
	$(BIN)/molecule test --scenario-name $(ROLE) --destroy=never

.PHONY: molecule-slow
molecule-slow: ## The slow ones: a real driver built from source (Debian), vLLM on Ray, SGLang over two nodes, the chat page in a browser
	$(MAKE) molecule-role ROLE=nvidia_driver_distribution
	$(MAKE) molecule-role ROLE=engine_ray
	$(MAKE) molecule-role ROLE=engine_sglang
	$(MAKE) molecule-role ROLE=load_test
	$(MAKE) molecule-role ROLE=chat_ui

# Asking the lab costs a moment; Molecule's own memory of what it created can be stale.
.PHONY: molecule-create
molecule-create: setup lab-docker
	$(LAB) up $(MOLECULE_HOSTS)

.PHONY: molecule-destroy
molecule-destroy: setup
	$(LAB) down $(MOLECULE_HOSTS)

.PHONY: lab-docker
lab-docker: setup
	$(LAB) docker

.PHONY: lab-docker-stop
lab-docker-stop: setup
	$(LAB) docker-stop

.PHONY: lab-images
lab-images: setup
	$(LAB) engine-image
	$(LAB) model

# ----------------------------------------------------------------------------------------------------------------------

.PHONY: clean
clean: ## Remove what the targets made here, but not the lab's images and models
	rm -rf .venv .ansible .mypy_cache .pytest_cache .ruff_cache .cache/collections build reports
