# make demo: train on real data and draw the pictures.  make test: the whole test suite.  make bench: timings.
# make bench PEERS='--python torch=VENV/bin/python --python jax=...': beside the libraries of other environments.
# They make their own virtual environment from nothing but Python 3.11 or later.

PYTHON ?= python3
VENV   ?= .venv
RUN     = $(VENV)/bin/python

.PHONY: demo test bench lint clean

demo: $(VENV)/installed
	$(RUN) examples/sigmoid_neuron.py
	$(RUN) examples/digits.py

test: $(VENV)/installed lint
	$(RUN) -m pytest

bench: $(VENV)/installed
	$(RUN) benchmarks/run.py $(PEERS)

lint: $(VENV)/installed
	$(RUN) -m ruff check

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis
