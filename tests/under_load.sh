#!/bin/sh
# Runs the tests that once failed on a busy machine beside two busy loops: tests/under_load.sh [TIMES], 30 unless told.
set -eu
cd "$(dirname "$0")/.."

loops=
trap 'kill $loops' EXIT
trap 'exit 130' INT TERM
for _ in 1 2; do
    while :; do :; done &
    loops="$loops $!"
done

times=${1:-30} failed=0 n=0
while [ "$n" -lt "$times" ]; do
    n=$((n + 1))
    ./run test -q \
        tests/browser \
        tests/contract/test_store_operating.py \
        tests/integration/test_back_off.py \
        tests/integration/test_packaging.py \
        tests/integration/test_stops.py \
        tests/integration/test_web_slow_relay.py \
        tests/integration/test_workers.py \
        tests/journey/test_alarm.py || failed=$((failed + 1))
    echo "$n of $times, $failed failed"
done
[ "$failed" -eq 0 ]
