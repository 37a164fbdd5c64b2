FROM python:3.12-slim AS build

RUN pip install --no-cache-dir uv==0.13.9
ENV UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
WORKDIR /app
# The dependencies alone: a layer that changes only with the lock file.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --all-extras --no-install-project --no-cache
COPY README.md LICENSE ./
COPY service service
COPY migrations migrations
# Not editable: the package lies in .venv, and the sources stay behind in this stage.
RUN uv sync --locked --no-dev --all-extras --no-editable --no-cache


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
    CMD ["python", "-c", "c=__import__('http.client').client.HTTPConnection('127.0.0.1:'+__import__('os').getenv('DESCENT_PORT','8000'));c.request('GET','/health/ready');exit(c.getresponse().status!=200)"]
ENTRYPOINT ["descent"]
CMD ["serve"]
