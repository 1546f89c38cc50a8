#!/usr/bin/env bash
# The program beside what a person would otherwise take: whole processes on the same inputs, in turn, on the same file
# system. Prints medians and ratios. Usage: tests/bench/peers.sh FOLDER [ROUNDS [MEBIBYTES [FILES]]]
#
# FOLDER should be a RAM disk with room for six times the data, or a disk whose syncs are to count. Needs a release build of
# amparo; of rage, age, mlar, restic, rustic, borg, gpg, 7z and sha256sum those that are on PATH are timed beside it.
set -euo pipefail

folder=$(realpath "$1") rounds=${2:-5} mebibytes=${3:-1024} files=${4:-10000}
root=$(cd "$(dirname "$0")/../.." && pwd)
amparo=${CARGO_TARGET_DIR:-$root/target}/release/amparo
[ -x "$amparo" ] || { echo "build it first: cargo build --release" >&2; exit 1; }
place=$(mktemp -d "$folder/amparo-bench.XXXXXX")
trap 'rm -rf "$place"' EXIT
home=$HOME
export HOME=$place/home AMPARO_STATE=$place/state GNUPGHOME=$place/gnupg RESTIC_PASSWORD=x RUSTIC_PASSWORD=x BORG_PASSPHRASE=x
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
mkdir -p "$HOME" "$GNUPGHOME"
chmod 700 "$GNUPGHOME"
cd "$place"
mkdir times

has() { command -v "$1" >/dev/null; }
quietly() { "$@" >said 2>&1 || { echo "$*" >&2; cat said >&2; exit 1; }; }

for who in lawyer reader; do
    quietly "$amparo" --identity $who.age identity new --no-passphrase --name "Bench $who"
    quietly "$amparo" --identity $who.age identity card -o $who.card
done
as() { local who=$1; shift; "$amparo" --identity "$who.age" --vault vault --quiet --no-input "$@"; }
found() { rm -rf vault state && "$amparo" --identity lawyer.age init vault --reader reader.card; }

# Random bytes, so that nobody's compression counts; files of 20 to 30 kB, as scans have.
mkdir large small
head -c "$((mebibytes << 20))" /dev/urandom >large/data
for ((number = 0; number < files; number++)); do
    head -c "$((20000 + RANDOM % 10000))" /dev/urandom >"small/scan-$number"
done

if has rage; then rage-keygen -o rage.key 2>/dev/null && rage-keygen -y rage.key >rage.pub; fi
if has age; then age-keygen -o age.key 2>/dev/null && age-keygen -y age.key >age.pub; fi
if has mlar; then quietly mlar keygen sender && quietly mlar keygen receiver; fi

# On virtual machines freed memory goes back to the host: the same command then takes up to three times as long.
warm_up() { head -c 2G /dev/zero >warm && rm warm; }

# timed NAME COMMAND…: appends its seconds to NAME, keeps the processor's time and the peak memory of the last round.
timed() {
    local name=$1
    shift
    warm_up
    /usr/bin/time -a -o "times/$name" -f '%e %U %S %M' "$@" >said 2>&1 || { echo "$name failed" >&2; tail -3 said >&2; exit 1; }
}
export amparo
export -f as

round() {
    local kind=$1
    quietly found
    timed "$kind seal-no-readback" "$amparo" --identity lawyer.age --vault vault --quiet --no-input seal --no-readback "$kind"
    find vault/blobs -type f -printf '%s\n' | awk '{ bytes += $1 } END { printf "%.0f\n", bytes }' >"bytes-$kind"
    timed "$kind verify" "$amparo" --identity lawyer.age --vault vault --quiet --no-input verify
    timed "$kind verify-reader" "$amparo" --identity reader.age --vault vault --quiet --no-input verify
    if [ "$kind" = large ]; then
        timed "$kind open" "$amparo" --identity reader.age --vault vault --quiet --no-input open "$(as reader list --json | grep -o '"id": *"[^"]*"' | head -1 | cut -d'"' -f4)" -o opened
        rm -rf opened
    fi
    quietly found
    timed "$kind seal" "$amparo" --identity lawyer.age --vault vault --quiet --no-input seal "$kind"
    rm -rf vault state
    timed "$kind cp" cp -r "$kind" copied
    rm -rf copied
    timed "$kind sha256sum" bash -c "find $kind -type f | xargs sha256sum"
    if has rage && [ "$kind" = large ]; then
        timed "$kind rage" rage -R rage.pub -o out large/data
        timed "$kind rage-d" rage -d -i rage.key -o opened out
        rm -f out opened
    fi
    if has age && [ "$kind" = large ]; then
        timed "$kind age" age -R age.pub -o out large/data
        timed "$kind age-d" age -d -i age.key -o opened out
        rm -f out opened
    fi
    if has mlar; then
        timed "$kind mlar" mlar create --uncompressed -k sender.mlapriv -p receiver.mlapub -o out "$kind"
        rm -f out
    fi
    if has restic; then
        rm -rf repo && quietly restic init -r repo
        timed "$kind restic" restic backup -r repo --no-cache "$kind"
    fi
    if has rustic; then
        rm -rf repo && quietly rustic init -r repo
        timed "$kind rustic" rustic backup -r repo --no-cache "$kind"
    fi
    if has borg; then
        rm -rf repo && quietly borg init -e repokey-blake2 repo
        timed "$kind borg" borg create -C none repo::one "$kind"
    fi
    if has gpg; then
        timed "$kind gpg" bash -c "tar -c $kind | gpg --batch --yes --passphrase x --pinentry-mode loopback -z 0 -c -o out"
        rm -f out
    fi
    if has 7z; then
        timed "$kind 7z" 7z a -mx0 -px -mhe=on out.7z "$kind"
        rm -f out.7z
    fi
    rm -rf repo
}

for ((number = 0; number < rounds; number++)); do
    round large
    round small
done

median() { cut -d' ' -f1 "times/$1" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
against() { [ ! -f "times/$2" ] || printf '  %s of %s' "$(echo "scale=2; $(median "$1") / $(median "$2")" | bc)" "${2#* }"; }
echo "$mebibytes MiB in one file, $files files; $rounds rounds, medians on $(nproc) cores"
for name in times/*; do
    name=${name#times/}
    read -r _ user system kib < <(tail -1 "times/$name")
    printf '%-24s %7.2f s  user %6.2f  system %5.2f  %5d MiB\n' "$name" "$(median "$name")" "$user" "$system" "$((kib >> 10))"
done
# compare NAME PEER…: how much of each peer's time it takes.
compare() {
    local ours=$1 peer
    shift
    printf '%-24s' "$ours"
    for peer; do against "$ours" "${ours%% *} $peer"; done
    echo
}
for kind in large small; do
    for ours in seal-no-readback seal; do compare "$kind $ours" rage age mlar restic rustic borg gpg 7z; done
    compare "$kind verify" sha256sum
done
compare "large open" rage-d age-d

# The floors, on all cores: of sealing, each byte hashed twice, encrypted once, and copied; of verifying, what is said there.
cd "$root"
primitives=$(HOME=$home cargo bench --quiet --bench primitives 2>/dev/null)
echo "$primitives"
cd "$place"
# The median of a rate, in GB/s: the third in the row below the one with the name.
rate() {
    awk -F'│' -v name="$1" '
        found { for (field = 1; field <= NF; field++) if ($field ~ /B\/s/ && ++seen == 3) {
            split($field, rate, " "); print rate[1] / (rate[2] == "MB/s" ? 1000 : 1); exit } }
        index($1, name " ") { found = 1 }' <<<"$primitives"
}
sha=$(rate sha256) cipher=$(rate chacha20poly1305)
for kind in large small; do
    hashing=$(echo "scale=4; $(cat "bytes-$kind") / 1000000000 / $sha / $(nproc)" | bc)
    opening=$(echo "scale=4; 2 * $hashing + $(cat "bytes-$kind") / 1000000000 / $cipher / $(nproc)" | bc)
    echo "$kind: verify has $(echo "scale=2; $hashing / $(median "$kind verify")" | bc) of the speed of hashing all sealed files in memory," \
        "as a reader $(echo "scale=2; $opening / $(median "$kind verify-reader")" | bc) of hashing twice and decrypting once"
done
floor=$(echo "scale=3; gb = $mebibytes * 1048576 / 1000000000; (2 * gb / $sha + gb / $cipher + $(median "large cp")) / $(nproc)" | bc)
echo "floor of sealing the one file on all cores: $floor s; reached: $(echo "scale=2; $floor / $(median "large seal-no-readback")" | bc)"
