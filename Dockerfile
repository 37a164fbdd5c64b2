FROM python:3.12-slim AS build

# hadolint ignore=DL3008
RUN pip install --no-cache-dir uv==0.13.9 \
    && apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
ENV UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
WORKDIR /app
# The dependencies alone: a layer that changes only with the lock file.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --all-extras --no-install-project --no-cache
COPY README.md LICENSE ./
# The page's guide, to which links in service/page/guide lead.
COPY docs/data.md docs/learning.md docs/operating.md docs/write-your-own.md docs/
COPY service service
COPY migrations migrations
# Not editable: the package lies in .venv, and the sources stay behind in this stage.
RUN uv sync --locked --no-dev --all-extras --no-editable --no-cache
# What nothing here loads: Arrow's network protocol, headers and sources, and tests; libarrow_python is there three times.
# And symbols for debuggers, but not those of libraries that auditwheel has rewritten (*.libs), which would not load any more.
RUN packages=/app/.venv/lib/python3.12/site-packages \
    && rm -rf $packages/pyarrow/include $packages/pyarrow/src $packages/pyarrow/tests $packages/onnx/backend/test \
    && rm -f $packages/pyarrow/libarrow_flight* $packages/pyarrow/libarrow_python_flight* $packages/pyarrow/_flight* \
        $packages/pyarrow/_substrait* $packages/pyarrow/_pyarrow_cpp_tests* \
        $packages/pyarrow/libarrow_python*.so $packages/pyarrow/libarrow_python*.so.*.*.* \
    && find $packages/numpy $packages/dask $packages/distributed -type d -name tests -prune -exec rm -rf {} + \
    && find $packages -type f -regex '.*\.\(h\|cc\|cpp\|pyx\|pxd\|pxi\|pyi\)' -delete \
    && find $packages -type f -name '*.so' -not -path '*.libs/*' -not -path '*/pyarrow/*' -exec strip --strip-debug {} + \
    && /app/.venv/bin/python -c "import cryptography.x509, distributed, ml_dtypes, msgpack, numpy, onnx, opentelemetry.exporter.otlp.proto.http.trace_exporter, simdjson, sqlalchemy, uvloop, yaml" \
    && /app/.venv/bin/python -c "import pyarrow.compute, pyarrow.csv, pyarrow.fs, pyarrow.ipc, pyarrow.parquet"


FROM python:3.12-slim

# The base image comes without the standard library's bytecode, and a read-only root would have every process compile it again.
RUN python -m compileall -q -x site-packages /usr/local/lib/python3.12 \
    && install --directory --mode=700 --owner=10001 --group=10001 /data
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DESCENT_HOST=0.0.0.0 \
    DESCENT_DATA=/data

# By number, so that whoever forbids root (Kubernetes' runAsNonRoot) can see that it is none.
USER 10001:10001
# Where the root is read-only and nothing is mounted at /tmp, Python's temporary files go to the working folder.
WORKDIR /data
VOLUME /data
EXPOSE 8000

# No curl in slim images. http.client and not urllib, which would ask a proxy of the environment for 127.0.0.1.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "c=__import__('http.client').client.HTTPConnection('127.0.0.1:'+(__import__('os').getenv('DESCENT_PORT')or'8000'));c.request('GET','/health/ready');exit(c.getresponse().status!=200)"]
ENTRYPOINT ["descent"]
CMD ["serve"]
