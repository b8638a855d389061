#!/bin/bash
# The 22 TPC-H queries on the built-in engine against real Spark's answers: from Parquet and
# CSV, with room and without. The tables are made by tpchgen-cli, which a Python environment
# under build/tpch gets from the package index, once; where that cannot be, it says so and
# skips. Answers at scale 0.01 are in tests/data/tpch; those at 0.1 lie in $TPCH/answers.
#
#     tests/tpch/run.sh
#     tests/tpch/run.sh tables SCALE FORMAT     makes build/tpch/sfSCALE/FORMAT, no more
#     tests/tpch/run.sh threads                 the small scale only: for slow builds
set -u
cd "$(dirname "$0")/../.."
spillway=${SPILLWAY_BIN:-./spillway}
tpch=${TPCH:-../shared/tpch}
data=$PWD/build/tpch
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

skip() {
    echo "skipped: $*"
    skipped=$((skipped + 22))
}

install() {
    [ -e "$data/venv/ready" ] && return 0
    mkdir -p "$data" && rm -rf "$data/venv"
    { python3 -m venv "$data/venv" &&
        timeout 120 "$data/venv/bin/pip" install -q --disable-pip-version-check --retries 1 tpchgen-cli==4.0.0 &&
        touch "$data/venv/ready"; } >"$data/pip.log" 2>&1
}

tables() { # SCALE FORMAT: beside first, so that a half made folder is never taken for whole
    local into=$data/sf$1/$2
    [ -d "$into" ] && return 0
    install || return 1
    rm -rf "$into.new" && mkdir -p "$into.new" &&
        "$data/venv/bin/tpchgen-cli" "$2" -s "$1" --output-dir="$into.new" >"$data/make.log" 2>&1 &&
        mv "$into.new" "$into"
}

check() { # SCALE FORMAT ARGUMENT... [-- OPTION...]
    local scale=$1 format=$2 flags=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        flags+=("$1")
        shift
    done
    [ $# -gt 0 ] && shift
    tables "$scale" "$format" || { skip "no tables at $scale: $(tail -1 "$data"/*.log)"; return; }
    timeout 300 python3 tests/tpch/check.py "${flags[@]}" "$spillway" "$data/sf$scale" "$format" "$@" >"$log" 2>&1
    if [[ $(tail -1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        sed '$d' "$log"
    else
        failed=$((failed + 1))
        echo "FAILED $scale $format $*: $(tail -3 "$log")"
    fi
}

if [ "${1-}" = tables ]; then
    tables "$2" "$3"
    exit
fi

# executors without room: no broadcasts, everything through few wide shuffles
small="--executors 2 --memory 400m --conf spark.sql.autoBroadcastJoinThreshold=-1
    --conf spark.memory.fraction=0.05 --conf spark.sql.shuffle.partitions=2"
if [ "${1-}" = threads ]; then
    check 0.01 parquet -- --executors 2 --memory 400m
    # shellcheck disable=SC2086
    check 0.01 parquet -- $small
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
fi
check 0.01 parquet
check 0.01 csv
check 0.01 parquet -- --executors 2 --memory 400m
if [ -d "$tpch/answers/sf0.1" ]; then
    check 0.1 parquet -a "$tpch/answers/sf0.1"
    check 0.1 csv -a "$tpch/answers/sf0.1"
    # shellcheck disable=SC2086
    check 0.1 parquet -a "$tpch/answers/sf0.1" -s -- $small
else
    skip "no answers at scale 0.1 in $tpch"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
