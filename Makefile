# What a person runs. GNU make 3.81 and /bin/sh are enough; settings come from the environment: PORT=9000 make run

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: run setup dev test schema chaos lint bench lock help

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
UV := $(VENV)/tools/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

# A stamp carries the checksum of what was installed: nothing is installed again until that file changes.
RUNTIME := $(VENV)/installed-runtime-$(shell cksum < requirements.txt | tr ' ' '-')
DEV := $(VENV)/installed-dev-$(shell cat requirements.txt requirements-dev.txt | cksum | tr ' ' '-')
NODE := tests/node/node_modules/installed-$(shell cksum < tests/node/package-lock.json | tr ' ' '-')
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

run: $(RUNTIME) ## Start Sceneshift; Ctrl+C ends it
	@exec $(PY) -m config.launch

setup: $(RUNTIME) ## Make the environment (.venv) and start nothing

dev: $(RUNTIME) $(DEV) $(NODE)

test: dev ## Run the whole suite, or some of it: make test ARGS="-k ledger"
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

schema: dev ## Renew tests/openapi.json, after a change of the API that was meant
	@env -i PATH="$$PATH" HOME="$$HOME" DATA_DIR=$(or $(TMPDIR),/tmp)/sceneshift-schema PUBLIC_URL=https://sceneshift.example \
		$(PY) manage.py openapi --out tests/openapi.json

chaos: dev ## Kill workers, broker and database at random while jobs run: make chaos ARGS="--seeds 2 --jobs 25"
	@$(PY) -m tests.chaos $(ARGS)

lint: dev ## Check style, types, migrations, and the settings of a production site
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(PY) manage.py makemigrations --check --dry-run
	@SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))') PUBLIC_URL=https://example.com \
		$(PY) manage.py check --deploy --fail-level WARNING

bench: dev ## Measure, and write benchmarks/RESULTS.md; LITELLM=/path/to/litellm is measured beside it
	@$(PY) -m benchmarks

lock: $(RUNTIME) ## Pin the newest versions that requirements*.in allow, with hashes
	@test -x $(UV) || { $(PY) -m venv $(VENV)/tools && $(VENV)/tools/bin/pip install --quiet uv; }
	@$(COMPILE) --upgrade requirements.in --output-file requirements.txt
	@$(COMPILE) --upgrade requirements-dev.in --output-file requirements-dev.txt

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# PYTHON, where it is set, else the first on PATH that will do. A name on PATH may still fail (pyenv's do).
$(RUNTIME):
	@if ! $(PY) -c '$(SUPPORTED)' 2>/dev/null; then \
		for python in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
			if "$$python" -c '$(SUPPORTED)' 2>/dev/null; then found="$$python"; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "sceneshift: Python 3.11, 3.12 or 3.13 is needed, and $${PYTHON:-python3} is not; name one: PYTHON=/path/to/python3.12 make $(MAKECMDGOALS)" >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$found" --version) …"; \
		rm -rf $(VENV); \
		"$$found" -m venv $(VENV) || { echo "sceneshift: $$found cannot make $(VENV) (on Debian: apt install python3-venv)" >&2; exit 1; }; \
	fi
	@echo "Installing requirements.txt …"
	@$(PIP) -r requirements.txt
	@rm -f $(VENV)/installed-runtime-* && touch $@

$(DEV): $(RUNTIME)
	@echo "Installing requirements-dev.txt …"
	@$(PIP) -r requirements-dev.txt
	@rm -f $(VENV)/installed-dev-* && touch $@

# The tests of Node's clients are skipped where there is no npm, and say so.
$(NODE):
	@if command -v npm >/dev/null; then \
		echo "Installing tests/node/package-lock.json …"; \
		cd tests/node && npm ci --silent --no-audit --no-fund && touch $(notdir $(@D))/$(@F); \
	fi
