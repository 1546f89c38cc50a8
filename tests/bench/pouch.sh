#!/usr/bin/env bash
# Packing beside `tar | rage`, and parity beside `par2create -r10`: whole processes on the same bytes, in turn, on the same
# file system. Prints medians and ratios. Usage: tests/bench/pouch.sh FOLDER [MEBIBYTES [ROUNDS]]
#
# FOLDER should be a RAM disk with room for six times the data. Needs a release build of amparo, and `rage` and `par2` on PATH
# (cargo install rage; a system's package par2); what is missing is left out.
set -euo pipefail

folder=$(realpath "$1") mebibytes=${2:-1024} rounds=${3:-5}
root=$(cd "$(dirname "$0")/../.." && pwd)
amparo=${CARGO_TARGET_DIR:-$root/target}/release/amparo
[ -x "$amparo" ] || { echo "build it first: cargo build --release" >&2; exit 1; }
place=$(mktemp -d "$folder/amparo-bench.XXXXXX")
trap 'rm -rf "$place"' EXIT
export HOME=$place/home AMPARO_STATE=$place/state
mkdir -p "$HOME" "$place/out"
cd "$place"

quietly() { "$@" >"$place/said" 2>&1 || { cat "$place/said" >&2; exit 1; }; }
as() { local who=$1; shift; quietly "$amparo" --identity "$place/$who.age" --vault "$place/vault" --quiet --no-input "$@"; }

for who in lawyer reader; do
    quietly "$amparo" --identity "$place/$who.age" identity new --no-passphrase --name "Bench $who"
    quietly "$amparo" --identity "$place/$who.age" identity card -o "$who.card"
done
quietly "$amparo" --identity "$place/lawyer.age" init vault --reader reader.card
head -c "$((mebibytes << 20))" /dev/urandom >data
as lawyer seal data
rm data

# On virtual machines freed memory goes back to the host: the same command then takes up to three times as long.
warm_up() { head -c 2G /dev/zero >warm && rm warm; }

# timed NAME COMMAND…: appends seconds to NAME.times, and keeps the peak memory in KiB.
timed() {
    local name=$1 start end
    shift
    rm -rf out && mkdir out
    warm_up
    start=$(date +%s.%N)
    /usr/bin/time -f %M -o "$name.kib" "$@"
    end=$(date +%s.%N)
    echo "$end - $start" | bc >>"$name.times"
}
median() { sort -n "$1.times" | sed -n "$(((rounds + 1) / 2))p"; }
ratio() { echo "scale=3; $(median "$1") / $(median "$2")" | bc; }
report() { printf '%-28s %8.2f s   %6d MiB' "$1" "$(median "$2")" "$(($(cat "$2.kib") >> 10))"; }

# What was aimed at: where it is missed, that is said, and this ends with 1.
missed=0
must_be_below() {
    [ "$(echo "$1 <= $2" | bc)" = 1 ] || { echo "   MISSED: at most $2 was aimed at"; missed=1; }
}

pack() { "$amparo" --identity lawyer.age --vault vault --quiet --no-input pack --to "Bench reader" -o out/pouch "$@" >said 2>&1; }
tar_rage() { tar -C vault -cf - . | rage -R recipient -o out/pouch; }
export -f pack tar_rage
export amparo

for ((round = 0; round < rounds; round++)); do
    timed pack bash -c 'pack'
    if command -v rage >/dev/null; then
        [ -f recipient ] || { rage-keygen -o key 2>/dev/null && rage-keygen -y key >recipient; }
        timed rage bash -c 'tar_rage'
    fi
    timed pack10 bash -c 'pack --parity 10%'
    if command -v par2 >/dev/null; then
        rm -rf out && mkdir out && pack && cp out/pouch kept
        timed par2 bash -c 'cp kept out/kept && par2create -q -q -r10 out/kept.par2 out/kept >/dev/null'
        rm -f kept
    fi
done

echo "$mebibytes MiB, $rounds rounds, medians; peak memory of the last round"
report "pack" pack; echo
[ ! -f rage.times ] || { report "tar | rage" rage; echo "   pack takes $(ratio pack rage) of it"; must_be_below "$(ratio pack rage)" 1.11; }
report "pack --parity 10%" pack10; echo
if [ -f par2.times ]; then
    report "par2create -r10 (and cp)" par2
    more=$(echo "scale=4; ($(median pack10) - $(median pack)) / $(median par2)" | bc)
    echo "   our parity alone takes $more of it"
    must_be_below "$more" 0.1
fi
exit $missed
