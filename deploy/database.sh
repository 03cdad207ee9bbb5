#!/bin/sh
# Run once by the postgres image, when it makes a new database. The services' user owns the database and is no superuser, so
# that the triggers that guard the record bind it; and nobody becomes a superuser over the network.
set -eu
psql --quiet --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username postgres --dbname coldtrail <<'SQL'
CREATE ROLE coldtrail LOGIN PASSWORD :'password';
ALTER DATABASE coldtrail OWNER TO coldtrail;
ALTER ROLE postgres PASSWORD NULL;
SQL
