# One image with the three programs; the command chooses which one runs.
#   docker build -t switchyard .
#   docker run switchyard switchyard-worker --help

FROM rust:1.95-slim-bookworm AS builder
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin switchyard-api --bin switchyard-worker --bin switchyard-devnet \
    && mkdir /out \
    && cp target/release/switchyard-api target/release/switchyard-worker target/release/switchyard-devnet /out/

FROM debian:bookworm-slim
# curl is for the health check alone
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin switchyard
COPY --from=builder /out/ /usr/local/bin/
COPY config /etc/switchyard
ENV SWITCHYARD_CONFIG_DIR=/etc/switchyard \
    SWITCHYARD_ENV=prod \
    HEALTH_URL=http://127.0.0.1:8081/health/ready
USER switchyard
# the API's by default; a worker's ops port is 8082
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=6 CMD curl --fail --silent --show-error --output /dev/null "$HEALTH_URL"
EXPOSE 8080 8081 8082
CMD ["switchyard-api", "serve"]
