# make demo   set up, start the lab with two tenants, run the whole journey, print where everything lies
# make test   set up, run every check that a change needs; make test-long runs the long ones, and CI both
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help demo demo-decommission test test-long bench lint lab lab-down build docs setup setup-newest setup-graph system system-bench lock clean
LOCKS := tests/requirements

help:
	@sed -n '1,2s/^# //p' Makefile
	@echo "make demo-decommission   take the last Exchange servers of the lab away, by playbooks"
	@echo "make lab    start the rehearsal lab; make lab-down ends it; make lint, make build, make docs: what they say"

# What makes the environments. Without it pip does; so it is no error if it cannot be had.
.venv-uv/.ready: $(LOCKS)/lock-uv.txt
	@mkdir -p build; python=$$(tests/tools/find-python 3.11 3.12 3.13) && rm -rf $(@D) && $$python -m venv $(@D) && \
	    $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r $< >build/$(@D).log 2>&1; \
	mkdir -p $(@D) && touch $@

.venv/.ready: requirements.txt $(LOCKS)/dev.in $(LOCKS)/lock-2.19.txt tests/tools/environment .venv-uv/.ready
	@tests/tools/environment .venv $(LOCKS)/lock-2.19.txt "3.11 3.12 3.13" 'ansible-core>=2.19,<2.20' -r $(LOCKS)/dev.in

# The newest ansible-core needs a newer Python than the oldest one: made where one is found, else left out.
.venv-2.21/.ready: requirements.txt $(LOCKS)/core.in $(LOCKS)/lock-2.21.txt tests/tools/environment .venv-uv/.ready
	@if tests/tools/find-python 3.13 3.12 3.14 >/dev/null; then \
	    tests/tools/environment .venv-2.21 $(LOCKS)/lock-2.21.txt "3.13 3.12 3.14" 'ansible-core>=2.21,<2.22' -r $(LOCKS)/core.in; \
	else echo "No Python 3.12 to 3.14 here: checks run on ansible-core 2.19 only."; fi

.venv-graph/.ready: $(LOCKS)/graph.in $(LOCKS)/lock-graph.txt tests/tools/environment .venv-uv/.ready
	@tests/tools/environment .venv-graph $(LOCKS)/lock-graph.txt "3.11 3.12 3.13" -r $(LOCKS)/graph.in

build/ansible_collections/hybrid/exchange:
	@mkdir -p $(@D) && ln -sfn ../../.. $@

setup: .venv/.ready build/ansible_collections/hybrid/exchange
setup-newest: .venv-2.21/.ready
setup-graph: .venv-graph/.ready
system:
	@tests/tools/system-packages
system-bench:
	@tests/tools/system-packages bench

lab: setup system
	@.venv/bin/python -m tests.lab up

lab-down: setup
	@.venv/bin/python -m tests.lab down

demo:
	@$(MAKE) --no-print-directory -j2 setup system
	@.venv/bin/python -m tests.lab up --fresh
	@.venv/bin/python tests/demo/demo.py

demo-decommission:
	@$(MAKE) --no-print-directory -j2 setup system
	@.venv/bin/python -m tests.lab up --fresh
	@.venv/bin/python tests/demo/decommission.py

test:
	@$(MAKE) --no-print-directory -j4 setup setup-newest setup-graph system
	@.venv/bin/python tests/tools/check.py

test-long: setup system-bench
	@.venv/bin/python tests/tools/check.py --long

bench: setup system-bench
	@.venv/bin/python -m tests.benchmarks

lint: setup
	@.venv/bin/python tests/tools/check.py tree ruff format types changelog docs ansible-lint

build: setup
	@tests/tools/tree && PATH=$(CURDIR)/.venv/bin:$$PATH tests/tools/build --import && ls build/dist/*.tar.gz

docs: setup
	@tests/tools/tree && mkdir -p build/docs && ANSIBLE_COLLECTIONS_PATH=build/tree .venv/bin/antsibull-docs collection \
	    --use-current --squash-hierarchy --output-format simplified-rst --dest-dir build/docs hybrid.exchange && ls build/docs

lock: setup setup-newest setup-graph
	@tests/tools/lock

clean: lab-down
	rm -rf build .venv .venv-*
