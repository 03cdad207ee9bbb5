# The image of every Coldtrail service; the command says which: serve, ingest, watch, log, migrate.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/coldtrail
WORKDIR /src
# First what changes seldom, so that its layer is kept.
COPY requirements.txt ./
RUN /opt/coldtrail/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . ./
RUN /opt/coldtrail/bin/pybabel compile --directory api/translations \
 && /opt/coldtrail/bin/python -m pip install --no-deps --no-build-isolation --no-index .

FROM python:3.11-slim
RUN groupadd --gid 10001 coldtrail && useradd --uid 10001 --gid coldtrail --no-create-home coldtrail \
 && install --directory --owner 10001 --group 10001 --mode 700 /var/lib/coldtrail
COPY --from=build /opt/coldtrail /opt/coldtrail
ENV PATH=/opt/coldtrail/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
# Health checks are in docker-compose.yml: one image, services of several kinds.
ENTRYPOINT ["coldtrail"]
