#!/bin/sh
# Runs every sample and its fixed twin and draws what changed between the two, and each by
# itself, into docs/gallery/. docs/gallery.md shows them side by side.
#
#     samples/gallery.sh [NAME...]      all samples, or those named
#
# SPILLWAY names the program (./spillway), PICTURES the folder (docs/gallery), LOGS a
# folder in which the event logs stay.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
spillway=$(realpath "${SPILLWAY:-$here/../spillway}")
pictures=${PICTURES:-$here/../docs/gallery}
mkdir -p "$pictures"
pictures=$(realpath "$pictures")
work=${LOGS:-$(mktemp -d)}
[ -n "${LOGS:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
cd "$work"

# small-files-read reads what small-files-write wrote
[ $# -gt 0 ] || set -- skewed-join skewed-aggregate spill small-files-write small-files-read \
    missed-pruning cartesian exploding-join missed-broadcast oversized-broadcast \
    too-many-partitions too-few-partitions

run() { # NAME: its log is logs/NAME/*
    memory=
    case $1 in spill*) memory="--memory 600m" ;; esac
    # one name for both, or they would have to be very much alike to be compared
    "$spillway" run "$here/$1.sql" $memory -q --conf spark.app.name="${1%-fixed}" \
        --event-log "logs/$1" >/dev/null
}

for name; do
    [ "$name" != small-files-read ] || [ -d logs/small-files-write ] || run small-files-write
    for one in "$name" "$name-fixed"; do
        run "$one"
        "$spillway" graph -q logs/"$one"/* -o "$pictures/$one.svg"
    done
    "$spillway" graph -q --base logs/"$name"/* logs/"$name-fixed"/* \
        -o "$pictures/$name-diff.svg" || rm -f "$pictures/$name-diff.svg"
    # the same on every machine
    sed -i "s|$here/|samples/|g; s|$work/||g" "$pictures/$name".svg "$pictures/$name"-*.svg
    echo "$name"
done
