#!/bin/sh
# Starts the program of the standalone image. Without ADDRESS_FILE, which only test suites set (libs/testing), it does no more.
set -eu
if [ -n "${ADDRESS_FILE:-}" ]; then
  # The licence URL names the port outside, byte for byte, and a port that Docker chooses is known only after the start.
  until [ -e "$ADDRESS_FILE" ]; do sleep 0.05; done
  set -a
  . "$ADDRESS_FILE"
fi
exec deploy/standalone/by-clock.sh "$@"
