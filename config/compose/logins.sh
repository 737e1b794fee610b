#!/bin/sh
# Runs once, in an empty PostgreSQL: the logins of API and workers, each a member of the group that migrations grant to.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set=api_password="$API_DATABASE_PASSWORD" --set=worker_password="$WORKER_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE switchyard_api NOLOGIN;
CREATE ROLE switchyard_worker NOLOGIN;
CREATE ROLE switchyard_api_login LOGIN PASSWORD :'api_password' IN ROLE switchyard_api;
CREATE ROLE switchyard_worker_login LOGIN PASSWORD :'worker_password' IN ROLE switchyard_worker;
SQL
