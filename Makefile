# make demo: train on real data and draw the pictures.  make test: the whole test suite.  make bench: timings.
# make gallery: all examples in full, and the page of what they reached.
# make docs: the site of the documentation, into site/.
# make test PYTHON=python3.13: another Python.  make test OLDEST=1: the oldest packages that pyproject.toml admits.
# make test TESTS='tests/nn -k pool': some of it.
# make benchmarks: timings, and docs/benchmarks.md with them.
# make bench PEERS='--python torch=VENV/bin/python --python jax=...': beside the libraries of other environments.
# They make their own virtual environment from nothing but Python 3.11 or later, one for each Python.

PYTHON ?= python3
ifndef VENV
VENV   := .venv/$(shell $(PYTHON) -c 'import sys, zlib; print("%d.%d.%d" % sys.version_info[:3] + \
            getattr(sys, "abiflags", "") + "-%08x" % (zlib.crc32(sys.prefix.encode()) & 0xffffffff))')$(OLDEST:%=-oldest)
endif
RUN     = $(VENV)/bin/python

.PHONY: demo gallery test bench benchmarks lint docs clean

demo: $(VENV)/installed
	$(RUN) -m examples sigmoid_neuron
	$(RUN) -m examples digits
	@echo 'The gallery has many more, each with a picture in out/: $(RUN) -m examples'

gallery: $(VENV)/installed
	$(RUN) -m examples --all --readme

test: $(VENV)/installed $(if $(OLDEST),,lint)  # types are those of the newest packages
	OPENBLAS_NUM_THREADS=$${OPENBLAS_NUM_THREADS:-1} $(RUN) -m pytest -n auto $(TESTS)

bench: $(VENV)/installed
	$(RUN) benchmarks/run.py $(DOCS) $(PEERS)
	$(RUN) benchmarks/operations.py --elements 0 1000 10000000 $(DOCS) $(PEERS)
	$(RUN) benchmarks/models.py $(DOCS) $(PEERS)
	$(RUN) benchmarks/growth.py --exponents $(DOCS)
	-$(RUN) benchmarks/accuracy.py $(DOCS)  # where PyTorch is

benchmarks: ; $(MAKE) bench DOCS=--docs

lint: $(VENV)/installed
	$(RUN) -m ruff check
	$(RUN) -m mypy
	$(RUN) -m pyright --pythonpath $(RUN)
	$(RUN) -m codespell_lib

docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict
	@echo 'open site/index.html; with the search: $(RUN) -m mkdocs serve'

$(VENV)/installed: pyproject.toml tests/packages/requirements.txt examples/requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(if $(OLDEST),$(RUN) .ci/oldest.py > $(VENV)/oldest.txt)
	$(RUN) -m pip install --quiet $(if $(OLDEST),--constraint $(VENV)/oldest.txt) --editable '.[dev]' \
		--config-settings editable_mode=compat  # a folder on the path, which type checkers and editors can follow
	$(RUN) -m pip install --quiet --no-deps --requirement tests/packages/requirements.txt --requirement examples/requirements.txt
	touch $@

clean:
	rm -rf .venv $(VENV) build site *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
