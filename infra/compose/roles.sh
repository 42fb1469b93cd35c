#!/bin/sh
# One login role and one schema a service; no role can see another's schema. Runs once, on an empty data folder.
set -eu
for service in intake alignment risk cost_shift; do
    variable="TANDEM_$(printf '%s' "$service" | tr '[:lower:]' '[:upper:]')_PASSWORD"
    eval "password=\${$variable:?}"
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
        --set role="tandem_$service" --set schema="$service" --set password="$password" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE SCHEMA :"schema" AUTHORIZATION :"role";
SQL
done
# In this one figures are read for others. It owns nothing; the service's own migrations say what it may read.
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set password="${TANDEM_COST_SHIFT_READER_PASSWORD:?}" <<'SQL'
CREATE ROLE tandem_cost_shift_reader LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
SQL
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE tandem FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE tandem TO tandem_intake, tandem_alignment, tandem_risk, tandem_cost_shift;
GRANT CONNECT ON DATABASE tandem TO tandem_cost_shift_reader;
SQL
