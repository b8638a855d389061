#!/bin/bash
# Compares Spillway with real Spark: writes event logs with Spark 3.5.9 and 4.3.0 in every
# codec, starts the History Server of each version on them and compares its REST answers
# with `spillway analyze --json`. Compares the engine's answers with Spark's: TPC-H at scale 1
# and random statements, DuckDB's too (SEED=n QUERIES=n for others, or more); its files with pyarrow's, DuckDB's
# and Spark's. Needs Java 17 and a package index for pip; without
# either it says so and skips. What it makes is in build/interop.
#
#     tests/interop/run.sh [VERSION...]
set -u
cd "$(dirname "$0")/../.."
spillway=$(realpath "${SPILLWAY_BIN:-spillway}")
here=$PWD
out=$here/build/interop
versions=${*:-3.5.9 4.3.0}
server=
passed=0 failed=0 skipped=0
export SPARK_LOCAL_IP=127.0.0.1 PYTHONDONTWRITEBYTECODE=1

stop_server() {
    [ -n "$server" ] || return 0
    kill "$server" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.3
    done
    kill -9 "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}
programs=
stop_all() {
    stop_server
    [ -z "$programs" ] || kill -- "-$programs" 2>/dev/null
}
trap stop_all EXIT
trap 'exit 130' INT TERM HUP

finish() { # what the last line says, and the exit status
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

skip() {
    echo "skipped: $*"
    skipped=$((skipped + 1))
    finish
}

fail() {
    echo "FAILED $*"
    failed=$((failed + 1))
}

command -v java >/dev/null 2>&1 || skip "no Java here"
command -v python3 >/dev/null 2>&1 || skip "no Python here"
[ -x "$spillway" ] || { fail "$spillway is not built"; finish; }
mkdir -p "$out"

install_spark() { # VERSION: a virtual environment with pyspark, kept between runs
    local venv=$out/venv-$1
    [ -e "$venv/ready" ] && return 0
    rm -rf "$venv"
    python3 -m venv "$venv" >"$out/pip-$1.log" 2>&1 &&
        "$venv/bin/pip" install -q --disable-pip-version-check "pyspark==$1" >>"$out/pip-$1.log" 2>&1 &&
        touch "$venv/ready"
}

spark_home() {
    echo "$out/venv-$1"/lib/python3*/site-packages/pyspark
}

write_logs() { # VERSION
    local venv=$out/venv-$1
    # in a process group of its own, so that the JVM and its workers end with it
    PYSPARK_PYTHON=$venv/bin/python PYSPARK_SUBMIT_ARGS="--driver-memory 1g pyspark-shell" \
        setsid timeout 240 "$venv/bin/python" tests/interop/programs.py "$out/run" >"$out/programs-$1.log" 2>&1 &
    programs=$!
    wait "$programs"
    local status=$?
    programs=
    return "$status"
}

# The built-in engine's logs lie beside Spark's, and are held against the same servers.
engine_logs() {
    local work=$out/run/engine
    mkdir -p "$work"
    engine_log local
    engine_log cluster --executors 2 --cores 2 --memory 512m
    engine_log small --memory 320m --cores 2
    local codec
    for codec in zstd lz4 snappy lzf; do
        engine_log "$codec" --conf spark.eventLog.compress=true --conf spark.eventLog.compression.codec=$codec
    done
    # one of several files
    "$spillway" run -q --event-log "$out/run/logs" --conf spark.eventLog.rolling.enabled=true \
        --conf spark.eventLog.rolling.maxFileSize=10m --conf spark.eventLog.compress=true \
        -e "SELECT id % 7 AS k, count(*) FROM range(0, 100000, 1, 4000) GROUP BY k" >"$work/rolling.out" 2>&1 ||
        fail "the engine's rolling run: $(tail -3 "$work/rolling.out")"
    # one that is stopped
    "$spillway" run -q --event-log "$out/run/logs" -e "SELECT count(DISTINCT md5(CAST(id AS STRING))) FROM range(0, 200000000, 1, 50)" \
        >"$work/stopped.out" 2>&1 &
    local stopped=$!
    sleep 2
    kill -INT "$stopped"
    wait "$stopped"
    [ $? -eq 130 ] || fail "an interrupted run ends with 130"
}

engine_log() { # NAME OPTION...: its script fails at the end, with 2
    local name=$1
    shift
    "$spillway" run -q --event-log "$out/run/logs" --conf "spark.sql.warehouse.dir=$out/run/engine/$name" "$@" \
        tests/interop/engine.sql >"$out/run/engine/$name.out" 2>"$out/run/engine/$name.err"
    local status=$?
    if [ "$status" -eq 2 ] && grep -q DIVIDE_BY_ZERO "$out/run/engine/$name.err"; then
        passed=$((passed + 1))
    else
        fail "the engine's $name run: exit $status, $(tail -3 "$out/run/engine/$name.err")"
    fi
}

# The same script on a real Spark by --engine spark: rows as the built-in engine's, and a
# log that is analysed.
second_opinion() { # VERSION MASTER
    local work=$out/run/second log
    rm -rf "$work" && mkdir -p "$work/log"
    (cd "$work" && VIRTUAL_ENV=$out/venv-$1 "$spillway" run --engine spark --master "$2" --conf spark.ui.enabled=false \
        --event-log log "$here/tests/interop/second_opinion.sql" -o rows >analysis 2>notes)
    local status=$?
    "$spillway" run -q -f csv "$here/tests/interop/second_opinion.sql" | grep -E '^[0-9]' | tr ',' '\t' >"$work/ours"
    log=$(ls -d "$work"/log/* 2>/dev/null | head -1)
    if [ "$status" -eq 0 ] && cmp -s "$work/rows" "$work/ours" && grep -q "Spark $1" "$work/analysis" && "$spillway" check -q "$log" >/dev/null; then
        passed=$((passed + 1))
    else
        fail "--engine spark, $1 on $2: exit $status"
        diff "$work/ours" "$work/rows" | head -5
        tail -5 "$work/notes"
    fi
}

counted() { # LABEL LOG: adds what a log's last line says
    local last
    last=$(tail -1 "$2")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        [ "${BASH_REMATCH[2]}" -eq 0 ] || sed '$d' "$2" | cut -c1-400
    else
        fail "$1: $last"
    fi
}

in_group() { # SECONDS COMMAND...: in a process group that ends with this script
    setsid timeout "$@" &
    programs=$!
    wait "$programs"
    local status=$?
    programs=
    return "$status"
}

# The engine's answers against Spark's, made now: TPC-H at scale 1, and random statements,
# again with other plans and with hardly any memory.
answers() { # VERSION
    local python=$out/venv-$1/bin/python log=$out/answers.log dir=$out/random
    if tests/tpch/run.sh tables 1 parquet; then
        if PYSPARK_SUBMIT_ARGS="--driver-memory 2g pyspark-shell" \
            in_group 300 "$python" tests/interop/tpch.py build/tpch/sf1/parquet "$out/tpch" >"$log" 2>&1; then
            python3 tests/tpch/check.py -a "$out/tpch" "$spillway" build/tpch/sf1 parquet >"$log" 2>&1
            counted "TPC-H at scale 1" "$log"
            python3 tests/tpch/check.py -a "$out/tpch" -s "$spillway" build/tpch/sf1 parquet \
                --executors 2 --memory 400m --conf spark.sql.autoBroadcastJoinThreshold=-1 >"$log" 2>&1
            counted "TPC-H at scale 1, little memory" "$log"
        else
            fail "TPC-H on Spark: $(tail -3 "$log")"
        fi
        if [ -d ../shared/tpch/plans/spark-3.5.9 ]; then
            in_group 200 python3 tests/interop/plans.py "$spillway" build/tpch/sf1/parquet >"$log" 2>&1
            counted "plans of TPC-H" "$log"
        else
            echo "skipped: no plans of Spark in ../shared/tpch"
            skipped=$((skipped + 1))
        fi
    else
        echo "skipped: no TPC-H tables at scale 1"
        skipped=$((skipped + 1))
    fi
    in_group 240 "$python" tests/interop/random_queries.py answer "$dir" "${SEED:-1}" "${QUERIES:-150}" >"$log" 2>&1 ||
        { fail "random statements on Spark: $(tail -3 "$log")"; return; }
    python3 tests/interop/random_queries.py check "$dir" "$spillway" >"$log" 2>&1
    counted "random statements" "$log"
    # shellcheck disable=SC2046
    python3 tests/interop/random_queries.py check "$dir" "$spillway" --executors 2 --memory 400m \
        $(printf -- '--conf spark.%s ' sql.adaptive.enabled=false sql.autoBroadcastJoinThreshold=-1 \
            memory.fraction=0.2 sql.join.preferSortMergeJoin=false) >"$log" 2>&1
    counted "random statements, other plans" "$log"
}

# Files of every format, codec and type, written here and read by pyarrow, DuckDB and Spark, and
# theirs here; then statements that DuckDB and Spark mean alike, answered by DuckDB.
files() { # VERSION
    local venv=$out/venv-files log=$out/files.log
    if [ ! -e "$venv/ready" ]; then
        rm -rf "$venv"
        { python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check pyarrow duckdb &&
            touch "$venv/ready"; } >"$out/pip-files.log" 2>&1 || {
            echo "skipped: pyarrow and duckdb cannot be installed: $(tail -1 "$out/pip-files.log")"
            skipped=$((skipped + 1))
            return
        }
    fi
    in_group 240 "$venv/bin/python" tests/interop/files.py "$spillway" "$out/venv-$1/bin/python" "$out/files" >"$log" 2>&1
    counted "files" "$log"
    rm -rf "$out/duckdb" && mkdir -p "$out/duckdb"
    in_group 120 "$venv/bin/python" tests/interop/duckdb_queries.py "$out/duckdb" "${SEED:-1}" "${QUERIES:-150}" >"$log" 2>&1 ||
        { fail "random statements on DuckDB: $(tail -3 "$log")"; return; }
    python3 tests/interop/random_queries.py check "$out/duckdb" "$spillway" >"$log" 2>&1
    counted "random statements, DuckDB" "$log"
}

start_server() { # VERSION: sets $server and $url
    local port
    port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    url=http://127.0.0.1:$port
    SPARK_HOME=$(spark_home "$1")
    SPARK_HOME=$SPARK_HOME SPARK_DAEMON_MEMORY=1g SPARK_HISTORY_OPTS="
        -Dspark.history.fs.logDirectory=file://$out/run/logs -Dspark.history.ui.port=$port
        -Dspark.history.fs.update.interval=2s -Dspark.history.retainedApplications=20" \
        "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.history.HistoryServer \
        >"$out/server-$1.log" 2>&1 &
    server=$!
}

rm -rf "$out/run" "$out/zips"
mkdir -p "$out/run/logs" "$out/zips"
for version in $versions; do
    install_spark "$version" || skip "pyspark $version cannot be installed: $(tail -1 "$out/pip-$version.log")"
    if write_logs "$version"; then
        passed=$((passed + 1))
    else
        fail "the programs on Spark $version:"
        tail -20 "$out/programs-$version.log"
    fi
done
engine_logs
case " $versions " in *" 3.5.9 "*) answers 3.5.9; files 3.5.9 ;; esac
for version in $versions; do
    second_opinion "$version" 'local[2]'
    second_opinion "$version" 'local-cluster[2,1,1024]'
done
for version in $versions; do
    start_server "$version"
    python3 tests/interop/compare.py "$spillway" "$out/run/logs" "$out/run/text" "$out/zips" "$version" "$url" \
        >"$out/compare-$version.log" 2>&1
    status=$?
    stop_server
    sed '$d' "$out/compare-$version.log"
    last=$(tail -1 "$out/compare-$version.log")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
        skipped=$((skipped + BASH_REMATCH[3]))
        [ "$status" -ne 0 ] && [ "${BASH_REMATCH[2]}" -eq 0 ] && fail "comparing with $version: exit $status"
    else
        fail "comparing with $version: $last"
    fi
done
finish
