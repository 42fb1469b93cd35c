# One image for every worker, relay and gateway: the command says which.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.txt ./
RUN python -m venv /opt/tandem && /opt/tandem/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml requirements.in ./
COPY contracts contracts
COPY services services
COPY infra infra
RUN /opt/tandem/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home tandem && mkdir /inbox && chown tandem /inbox
COPY --from=build /opt/tandem /opt/tandem
ENV PATH=/opt/tandem/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER tandem
ENTRYPOINT ["tandem"]
CMD ["--help"]
