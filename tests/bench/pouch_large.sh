#!/usr/bin/env bash
# A pouch that is far longer than memory: sealed, packed with parity, checked without a key, torn, repaired, taken in. Prints time
# and peak memory of each, and ends with 1 where one needed more than 256 MiB or did not do what it should.
# Usage: tests/bench/pouch_large.sh FOLDER [GIBIBYTES [SHARE]]
#
# FOLDER needs room for four times the data and what restores it. Needs a release build of amparo. One file of zeros is sealed:
# what is sealed of it is noise.
set -euo pipefail

folder=$(realpath "$1") gibibytes=${2:-20} share=${3:-10}
root=$(cd "$(dirname "$0")/../.." && pwd)
amparo=${CARGO_TARGET_DIR:-$root/target}/release/amparo
[ -x "$amparo" ] || { echo "build it first: cargo build --release" >&2; exit 1; }
place=$(mktemp -d "$folder/amparo-bench.XXXXXX")
trap 'rm -rf "$place"' EXIT
cd "$place"

memory_max=$((256 << 10)) missed=0
# The courier has no identity.
as() {
    local who=$1 identity=()
    shift
    [ "$who" = courier ] || identity=(--identity "$place/$who.age")
    HOME=$place/$who AMPARO_STATE=$place/$who/state "$amparo" "${identity[@]}" --quiet --no-input "$@"
}
export -f as
export amparo place

# measured NAME WHO ARGUMENT…: does it, and prints how long it took and what it needed.
measured() {
    local name=$1 seconds kibibytes
    shift
    /usr/bin/time -f '%e %M' -o figures bash -c 'as "$@"' as "$@" >said 2>&1 || { cat said >&2; exit 1; }
    read -r seconds kibibytes <figures
    printf '%-34s %8.1f s   %6d MiB\n' "$name" "$seconds" "$((kibibytes >> 10))"
    [ "$kibibytes" -le "$memory_max" ] || { echo "   MISSED: at most 256 MiB was aimed at"; missed=1; }
}

mkdir courier
for who in lawyer reader; do
    mkdir "$who"
    as "$who" identity new --no-passphrase --name "Bench $who" >said 2>&1
    as "$who" identity card -o "$who.card" >said 2>&1
done
as lawyer init vault --reader reader.card >said 2>&1
truncate -s "${gibibytes}G" film
measured "seal" lawyer --vault vault seal film
rm film
measured "pack --parity $share%" lawyer --vault vault pack --to "Bench reader" -o pouch --parity "$share%"
rm -rf vault
measured "verify, without a key" courier verify pouch pouch.parity
# A twentieth of what may be lost, in bursts of a megabyte, all over the pouch.
mebibytes=$(($(stat -c %s pouch) >> 20)) bursts=$((gibibytes * 1024 * share / 2000 + 1))
for ((burst = 0; burst < bursts; burst++)); do
    dd if=/dev/urandom of=pouch bs=1M count=1 seek=$((burst * (mebibytes / bursts))) conv=notrunc status=none
done
echo "torn: $bursts MiB of $mebibytes, in $bursts bursts"
measured "unpack, restoring" reader unpack pouch pouch.parity -o copy --owner lawyer.card
rm -rf copy
measured "verify --repair, without a key" courier verify pouch pouch.parity --repair repaired
rm pouch
measured "unpack of what was repaired" reader unpack repaired -o copy
exit $missed
