# Everything a new user or a contributor runs. `make help` lists it.
# PYTHON chooses the interpreter (3.11 or newer); VENV the folder of the virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo-output

.PHONY: help demo test lab bench soak docs extension wheel clean

help:
	@echo "make demo   run the demo notebook and write it, and a page of it, to $(OUT)/"
	@echo "make test   install what the tests need, and run them"
	@echo "make lab    open JupyterLab on the notebooks"
	@echo "make bench  measure, and write benchmarks/results/"
	@echo "make soak   kill kernels, recorders and releases at full count, let canaries decide: about fifteen minutes"
	@echo "make docs   build the documentation into docs/_build/html, warnings are errors"
	@echo "make extension   build the JupyterLab extension (needs Node; the built one is in the repository)"
	@echo "make wheel  build a wheel for this Python into dist/, with the dispatcher of native calls compiled"
	@echo "make clean  remove the virtual environment and what the demo wrote"

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit("Project O needs Python 3.11 or newer: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras: an edited pyproject.toml installs again.
# An installation holds a copy of the JupyterLab extension, so a new bundle installs again, too.
$(VENV)/.installed-%: pyproject.toml kernel/project_o/labextension/sources.sha256 $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

demo: $(VENV)/.installed-demo
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python notebooks/run_demo.py $(OUT)

test: $(VENV)/.installed-test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest

lab: $(VENV)/.installed-lab
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

bench: $(VENV)/.installed-bench
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks

soak: $(VENV)/.installed-test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks.history --soak

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

extension:
	cd extension && npm ci && npm run build

# Without HATCH_BUILD_HOOK_ENABLE_CUSTOM the same command builds one that fits everywhere and compiles on first use.
wheel: $(VENV)/pyvenv.cfg
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@ls dist/*.whl

clean:
	rm -rf $(VENV) $(OUT) docs/_build
