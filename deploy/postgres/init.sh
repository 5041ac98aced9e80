#!/bin/bash
# Runs once, when PostgreSQL makes its cluster: the roles and databases that `secrets` wrote.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d postgres -f /run/secrets/latchkey/init/10-latchkey.sql
