#!/usr/bin/env bash
# A vault of very many exhibits beside one of a thousand: what one more exhibit, one look, one opening, one receipt cost in
# each, and what the whole costs. Usage: tests/bench/scale.sh FOLDER [EXHIBITS [ROUNDS]]
#
# FOLDER needs 25 GB for a million: each exhibit is a tiny file, and takes 20 kB when it is sealed; all of it takes some ten
# minutes on two cores. Needs a release build of amparo. Ends with 1 where something is above what is aimed at.
set -euo pipefail
export LC_ALL=C

folder=$(realpath "$1") exhibits=${2:-1000000} rounds=${3:-5}
root=$(cd "$(dirname "$0")/../.." && pwd)
amparo=${CARGO_TARGET_DIR:-$root/target}/release/amparo
[ -x "$amparo" ] || { echo "build it first: cargo build --release" >&2; exit 1; }
place=$(mktemp -d "$folder/amparo-scale.XXXXXX")
trap 'rm -rf "$place"' EXIT
export HOME=$place/home AMPARO_STATE=$place/state
mkdir -p "$HOME"
cd "$place"

quietly() { "$@" >said 2>&1 || { echo "$*" >&2; tail -3 said >&2; exit 1; }; }
as() { local who=$1 vault=$2; shift 2; "$amparo" --identity "$who.age" --vault "$vault" --quiet --no-input "$@"; }
export amparo
export -f as

for who in lawyer reader; do
    quietly "$amparo" --identity $who.age identity new --no-passphrase --name "Bench $who"
    quietly "$amparo" --identity $who.age identity card -o $who.card
done

# NAME COUNT: a vault of so many exhibits, no two files alike.
made() {
    quietly "$amparo" --identity lawyer.age init "$1" --reader reader.card
    mkdir sources
    (cd sources && seq -f 'page %.0f' "$2" | split -l 1 -a 7 - page-)
    /usr/bin/time -f "$1: $2 exhibits sealed in %e s, %M KiB" bash -c "as lawyer $1 seal --no-readback sources >/dev/null"
    rm -rf sources
}

# WHO VAULT COMMAND…: its median in tenths of a millisecond, and its peak memory in KiB.
median() {
    rm -f times
    for ((round = 0; round < rounds; round++)); do
        rm -rf opened
        printf 'one more, %s %s\n' "$2" "$RANDOM$RANDOM" >more.txt
        local began=${EPOCHREALTIME/./}
        /usr/bin/time -o peak -f %M "$amparo" --identity "$1.age" --vault "$2" --quiet --no-input "${@:3}" >said 2>&1 ||
            { echo "$3 failed" >&2; tail -3 said >&2; exit 1; }
        echo "$(((${EPOCHREALTIME/./} - began) / 100)) $(cat peak)" >>times
    done
    sort -n times | awk '{ line[NR] = $0 } END { print line[int((NR + 1) / 2)] }'
}

missed=0
# WHAT VALUE MOST UNIT: says where it is above what is aimed at.
aim() {
    awk "BEGIN { exit !($2 > $3) }" || return 0
    echo "above what is aimed at: $1: $2 $4, at most $3" >&2
    missed=1
}

made small 1000
made large "$exhibits"
# One in the middle: its sealing holds as many as any.
label() { as reader "$1" list --json 2>/dev/null | awk -F'"' '$2 == "id" { id[++n] = $4 } END { print id[int(n / 2)] }'; }
printf '\n%-24s %12s %12s %8s %12s\n' '' '1,000: ms' "$exhibits: ms" ratio 'peak KiB'
for what in show open receipt seal; do
    row=$(printf '%-24s' "$what")
    for vault in small large; do
        id=$(label $vault)
        case $what in
            show) command=(reader $vault show "$id") ;;
            open) command=(reader $vault open "$id" -o opened --reason bench) ;;
            receipt) command=(lawyer $vault custody receipt "$id") ;;
            seal) command=(lawyer $vault seal more.txt) ;;
        esac
        read -r tenths kib <<<"$(median "${command[@]}")"
        row+=$(awk "BEGIN { printf \" %12.1f\", $tenths / 10 }")
        [ $vault = small ] && beside=$tenths
    done
    ratio=$(awk "BEGIN { printf \"%.2f\", $tenths / ($beside + 0.001) }")
    printf '%s %8s %12s\n' "$row" "$ratio" "$kib"
    aim "$what beside a thousand" "$ratio" 1.5 times
    aim "$what" "$((tenths / 10))" 200 ms
    aim "memory of $what" "$kib" $((512 << 10)) KiB
done
for what in list verify; do
    /usr/bin/time -o spent -f '%e %M' bash -c "as reader large $what >said 2>&1"
    read -r seconds kib <spent
    echo "$what of all: $seconds s, $kib KiB"
    aim "memory of $what" "$kib" $((512 << 10)) KiB
    if [ "$what" = list ]; then aim "list of all" "$seconds" 10 s; fi
done
began=$(date +%s%N)
first=$(as reader large list 2>/dev/null | { read -r _; echo $((($(date +%s%N) - began) / 1000000)); cat >/dev/null; })
echo "list's first line after $first ms"
aim "list's first line" "$first" 500 ms
exit $missed
