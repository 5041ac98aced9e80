#!/bin/sh
# Runs a program by the clock of /var/lib/clock/offset, where a test suite has put one there (libs/testing, time travel);
# otherwise as it is. The file says how far that clock is ahead, as `+176400`, and is read each time somebody asks for the time.
if [ -e /var/lib/clock/offset ]; then
  # Timers go on as they do: they run on the monotonic clock. Files keep their own times.
  export FAKETIME_TIMESTAMP_FILE=/var/lib/clock/offset FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
  LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1)
  export LD_PRELOAD
fi
exec "$@"
