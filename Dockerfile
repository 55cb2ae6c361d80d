# The service as a container image; docs/container.md says how to build and run it.

FROM python:3.11-slim-bookworm AS base
# The embedded engine is linked against libgomp; the calls to a remote model trust the system's authorities.
RUN --mount=type=secret,id=debian_sources,target=/etc/apt/sources.list.d/debian.sources \
    apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libgomp1 \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/factcheck/bin:$PATH


FROM base AS build
# No stage below copies what these settings point at, so the builder's index and authorities stay out of the image.
ENV PIP_CONFIG_FILE=/run/secrets/pip_conf \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
RUN --mount=type=secret,id=ca_bundle \
    python -m venv /opt/factcheck \
    && if [ -s /run/secrets/ca_bundle ]; then cat /run/secrets/ca_bundle >> "$SSL_CERT_FILE"; fi
WORKDIR /src
COPY requirements.lock ./
RUN --mount=type=secret,id=pip_conf \
    pip install --require-hashes -r requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY prompts prompts
COPY service service
RUN pip install --no-index --no-build-isolation --no-deps .


FROM build AS weights
ARG EMBEDDED_MODEL=""
ARG FACTCHECK_HUB_URL=""
# The cache spares the next build the download. Layers keep times in whole seconds: set before the file is verified, they
# let the service recognise it without reading it all again.
RUN --mount=type=secret,id=pip_conf \
    --mount=type=cache,id=factcheck-models,target=/var/cache/factcheck \
    mkdir /models \
    && if [ -n "$EMBEDDED_MODEL" ]; then \
        export FACTCHECK_MODEL_DIR=/var/cache/factcheck \
        && factcheck models pull "$EMBEDDED_MODEL" \
        && cp "$(factcheck models path "$EMBEDDED_MODEL")" /models/ \
        && touch --date=@0 /models/* \
        && FACTCHECK_MODEL_DIR=/models factcheck models pull "$EMBEDDED_MODEL"; \
    fi


FROM build AS trimmed
# What only the build needs, found by a test in the lock file. pip checks that nothing else needed it, and goes last.
RUN pip uninstall --yes editables hatchling pathspec pluggy tomlkit trove-classifiers \
    && pip check \
    && pip uninstall --yes pip setuptools


FROM trimmed AS listed
# A list of what the image holds of Python, for those who look for known faults in it; who made it stays behind.
COPY requirements-sbom.lock ./
RUN --mount=type=secret,id=pip_conf \
    python -m venv /opt/sbom \
    && /opt/sbom/bin/pip install --require-hashes -r requirements-sbom.lock \
    && /opt/sbom/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --spec-version 1.6 \
        --output-reproducible --output-file /sbom.cdx.json /opt/factcheck/bin/python


FROM base
ARG EMBEDDED_MODEL=""
# The base image's own installers go too. A new volume takes its owner from the folder it is mounted over.
RUN rm -rf /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/site-packages/* \
        /usr/local/bin/pip* /usr/local/bin/wheel \
    && groupadd --gid 10001 factcheck \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin factcheck \
    && install --directory --owner=10001 --group=10001 /models \
    && install --directory --owner=10001 --group=10001 --mode=0700 /cache /keys
COPY --from=trimmed /opt/factcheck /opt/factcheck
COPY --from=listed /sbom.cdx.json /usr/share/factcheck/sbom.cdx.json
COPY --from=weights --chown=10001:10001 /models /models
# Open to every address, the service does not start before it is told who may call it: see docs/container.md.
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    FACTCHECK_HOST=0.0.0.0 \
    FACTCHECK_MODEL=$EMBEDDED_MODEL \
    FACTCHECK_MODEL_DIR=/models
USER 10001:10001
# An image that cannot load the engine or lacks a prompt is not made.
RUN python -c "import xllamacpp" && factcheck prompts check
EXPOSE 8000
STOPSIGNAL SIGTERM
# http.client asks this process alone; urllib would ask a proxy that the environment names.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-I", "-c", "import os, http.client as h; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('FACTCHECK_PORT') or 8000), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["factcheck"]
CMD ["serve"]
# Last, because each new revision would have what follows it made again.
ARG REVISION=""
ARG CREATED=""
LABEL org.opencontainers.image.title="factcheck-service" \
      org.opencontainers.image.description="A news article in; claims, who makes each, who stands where on it and how worth checking it is, out. Every quote proved." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm" \
      org.opencontainers.image.licenses="Apache-2.0"
