PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help run test-fast test test-all check setup browser servers lock clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: setup  ## the whole pipeline on the default corpus, ending with a voice to listen to
	myxtts run

test-fast: setup browser check  ## style, types, and every test that runs no pipeline
	pytest -n 2 -m "not slow and not pipeline"

test: setup browser check  ## what CI runs: also the whole pipeline on a small preset
	pytest -n 2 -m "not slow"

test-all: setup browser servers check  ## also what is slow
	pytest -n 2 -m ""

check: setup  ## style, types, layers, and whether everything agrees
	ruff check .
	ruff format --check .
	lint-imports
	mypy
	myxtts verify

setup: .venv/installed  ## a virtual environment with every version pinned

# The stamp names the folder for which the environment was made: in a moved or copied checkout it is made anew.
ifneq ($(shell cat .venv/installed 2>/dev/null),$(CURDIR))
.PHONY: .venv/installed
endif

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; set PYTHON=/path/to/it" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } || \
		{ echo "Python's venv module is missing: apt install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable .
	@printf '%s\n' '# The stores of this checkout, for the commands of ZenML, MLflow and DVC.' \
		'if [ -x "$$VIRTUAL_ENV/bin/myxtts" ]; then eval "$$("$$VIRTUAL_ENV/bin/myxtts" env)"' \
		'else echo "$$VIRTUAL_ENV is gone: this checkout was moved; \`make setup\` builds its environment again" >&2; fi' \
		>> .venv/bin/activate
	@echo '$(CURDIR)' > $@

browser:  ## Debian's Chromium, in which tests look at the pages
	@command -v chromium >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		{ echo "Chromium is missing: apt install chromium" >&2; exit 2; }

servers:  ## Debian's SSH and PostgreSQL, for the slow tests of sharing
	@{ [ -x /usr/sbin/sshd ] && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; } || \
		{ [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq openssh-server postgresql >/dev/null; } || \
		{ echo "These are missing: apt install openssh-server postgresql" >&2; exit 2; }

lock:  ## pin what pyproject.toml asks for, anew only where it must be; `rm requirements.lock` first to pin the newest
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml
	@# PyTorch stands there for whoever reads the file, but pip passes over it: a build is not the same file everywhere.
	sed -i -e "s/ ; python_full_version < '3.14' and sys_platform == 'linux'//" \
		-e '/^torch==/,/[^\]$$/{/^torch==/!d;s/ .*/ ; extra == "torch"/}' requirements.lock
	rm -rf .venv-lock

clean:  ## forget all runs: stores, work and reports, not DVC's cache
	rm -rf .work .zenml-home .mlflow checkpoints reports corpora
