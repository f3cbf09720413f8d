#!/bin/sh
# Run once by the PostgreSQL container, when its volume is new: for each service, and the gateway, a database, and a role that may enter
# no other one. Names are quoted because "user" and "order" are words of SQL.
set -eu

for name in discovery user catalog order gateway; do
  psql -v ON_ERROR_STOP=1 -v name="$name" -v password="$SERVICES_PASSWORD" -U "$POSTGRES_USER" -d postgres <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
done
