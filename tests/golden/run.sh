#!/bin/bash
# Whole runs against their recorded output.
#
#     tests/golden/run.sh [--update] [CASE...]
#
# A case is a folder in tests/golden/cases: `cmd` is a line of shell, run from the top
# of the sources with $S as the program and $L as the folder of logs; `stdout` is what
# it prints and `code` the exit status (0 where there is no such file). --update
# records what it does now: read the diff before you commit it.
set -u
cd "$(dirname "$0")/../.."
S=${SPILLWAY_BIN:-./spillway}
case $S in /*) ;; *) S=$PWD/$S ;; esac
L=tests/data/logs
export S L LC_ALL=C.UTF-8 COLUMNS=100 NO_COLOR=1 TERM=dumb
unset FORCE_COLOR
T=$(mktemp -d) || exit 1
export T
trap 'rm -rf "$T"' EXIT
update=
[ "${1-}" = --update ] && update=1 && shift
passed=0 failed=0

for dir in ${*:-tests/golden/cases/*/}; do
    [ -d "$dir" ] || dir=tests/golden/cases/$dir
    dir=${dir%/}
    rm -rf "$T/work" && mkdir "$T/work"
    bash "$dir/cmd" >"$T/stdout" 2>"$T/stderr" </dev/null
    code=$?
    if [ "$update" ]; then
        cp "$T/stdout" "$dir/stdout"
        rm -f "$dir/code"
        [ $code -eq 0 ] || echo $code >"$dir/code"
        continue
    fi
    want=0
    [ -f "$dir/code" ] && want=$(cat "$dir/code")
    if [ "$code" = "$want" ] && cmp -s "$T/stdout" "$dir/stdout"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- $dir: status $code, expected $want"
        diff -u "$dir/stdout" "$T/stdout" | head -40
        head -5 "$T/stderr"
    fi
done
[ "$update" ] && echo "recorded" && exit 0
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
