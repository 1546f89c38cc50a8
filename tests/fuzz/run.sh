#!/usr/bin/env bash
# The fuzz targets under libFuzzer, as many at a time as there are cores. Usage: tests/fuzz/run.sh [SECONDS]
#
# What comes from outside in so many words (ASKED) gets so many seconds each, 60 unless something else is said; what lies within
# something signed or encrypted, or is one's own, a quarter of them. A finding is kept and shown, the others go on, and it ends with 1.
# Each target begins with what `cargo test fuzz::the_corpus` knows, and what it found new is kept for the next run. Chance begins
# with AMPARO_SEED, else anywhere.
set -euo pipefail

seconds=${1:-60}
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
place=${CARGO_TARGET_DIR:-$root/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
ASKED=" entry checkpoint card manifest inventory receipt pouch parity form names "
export place host ASKED seconds
mkdir -p "$place/corpus" "$place/found" "$place/logs"

AMPARO_CORPUS=$place/corpus cargo test --quiet fuzz::the_corpus >/dev/null

# What the engine needs to see its way, as cargo-fuzz has it; with a target named, build scripts are left without.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS="$coverage -Cdebug-assertions --cfg fuzzing" cargo build --locked --quiet --release \
    --manifest-path tests/fuzz/Cargo.toml --target "$host" --target-dir "$place/build"

# fuzz TARGET: its figures, or what it found. What was found before comes first.
fuzz() {
    local name=$1 time=$((seconds / 4))
    [[ $ASKED == *" $name "* ]] && time=$seconds
    local log=$place/logs/$name program=$place/build/$host/release/$name
    local limits=(-max_len=65536 -timeout=10 -rss_limit_mb=512 -artifact_prefix="$place/found/$name-")
    shopt -s nullglob
    local before=("$place/found/$name-"*)
    if { [ "${#before[@]}" -eq 0 ] || "$program" "${limits[@]}" "${before[@]}"; } >"$log" 2>&1 &&
        "$program" "${limits[@]}" -max_total_time="$((time > 0 ? time : 1))" -seed="${AMPARO_SEED:-0}" -print_final_stats=1 \
            "$place/corpus/$name" >>"$log" 2>&1; then
        awk -v name="$name" -v time="$time" '/number_of_executed_units/ { inputs = $2 } /peak_rss_mb/ { memory = $2 }
            END { printf "%-12s %9d inputs in %d s, %d MiB\n", name, inputs, time, memory }' "$log"
    else
        echo "$name found something; these are its bytes, in base64:"
        for found in "$place/found/$name-"*; do basename "$found"; base64 "$found"; done
        grep -m1 '^INFO: Seed' "$log"
        tail -n 40 "$log"
        return 1
    fi
}
export -f fuzz
# The long ones first, so that no core waits for one of them at the end.
all=$(for file in tests/fuzz/targets/*.rs; do basename "$file" .rs; done | sort)
long=$(comm -12 <(printf '%s\n' $ASKED | sort) <(echo "$all"))
others=$(comm -13 <(printf '%s\n' $ASKED | sort) <(echo "$all"))
printf '%s\n' $long $others | xargs -P "$(nproc)" -I{} bash -euo pipefail -c 'fuzz {}' || exit 1
