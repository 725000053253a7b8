#!/bin/sh
# Repeats the tests that once failed on a busy machine beside two busy loops: tests/under_load.sh [TIMES], 30 unless told.
set -eu
cd "$(dirname "$0")/.."

loops=
trap 'kill $loops' EXIT
trap 'exit 130' INT TERM
for _ in 1 2; do
    while :; do :; done &
    loops="$loops $!"
done

./run test -q -n auto --count "${1:-30}" -k "not gets_the_mail or stalls" \
    tests/browser/test_web_browser.py::test_axe_finds_nothing \
    tests/contract/test_store_operating.py::test_of_many_who_ask_at_once_one_is_elected \
    tests/integration/test_back_off.py::test_a_wrong_password_makes_three_logins_in_ten_minutes_whoever_tries \
    tests/integration/test_daemon.py::test_it_answers_makes_what_is_due_and_ends_within_ten_seconds \
    tests/integration/test_faults_end_to_end.py::test_whom_it_is_not_about_gets_the_mail \
    tests/integration/test_machine_limits.py::test_a_database_that_hangs_up_while_mail_goes_out \
    tests/integration/test_machines.py::test_machines_of_one_name_and_processes_of_one_number \
    tests/integration/test_packaging.py::test_as_the_container_runs_it_it_is_healthy_and_ends_well \
    tests/integration/test_stops.py::test_what_readers_stop_is_not_begun_and_a_paused_list_waits \
    tests/integration/test_system_limits.py::test_a_terminal_that_closes_ends_it_as_sigterm_does \
    tests/journey/test_alarm.py::test_a_daemon_whose_relay_is_down_tells_of_one_thing
