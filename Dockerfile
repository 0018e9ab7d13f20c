# Both plugins, for a user without rights: docker build --build-arg VERSION=0.2.0 -t singer-totango .
#   docker run --rm -i -v "$PWD:/data" singer-totango tap-totango --config tap.json
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY totango_api totango_api
COPY tap_totango tap_totango
COPY target_totango target_totango
COPY totango_sandbox totango_sandbox
# There is no git here to take it from.
ARG VERSION=0.0.0
RUN python -m venv /opt/singer \
    && SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION /opt/singer/bin/pip install --no-cache-dir '.[speed]'

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 singer && install -d -o singer /data
COPY --from=build /opt/singer /opt/singer
ENV PATH=/opt/singer/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
CMD ["target-totango", "--help"]
