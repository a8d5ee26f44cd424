#!/bin/bash
# Lets libFuzzer search: scripts/fuzz.sh SECONDS NAME..., called by `make fuzz`, which gives the
# compiler's flags in CFLAGS and LIBS. What crashes lands in tests/fuzz/corpus/NAME, where every test
# run replays it; other finds of new paths stay in build/fuzz/NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1
shift
[ $# -gt 0 ] || {
    echo "There is no fuzz target in tests/fuzz." >&2
    exit 1
}
mapfile -t sources < <(printf '%s\n' src/*.c src/*/*.c | grep -v '^src/main\.c$')
read -ra compile <<<"${CFLAGS//-O2/-O1} -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
read -ra link <<<"$LIBS"

mkdir -p build/fuzz/objects
objects=()
for source in "${sources[@]}"; do
    object=build/fuzz/objects/${source//\//_}.o
    objects+=("$object")
    if [ ! "$object" -nt "$source" ] || [ -n "$(find src -name '*.h' -newer "$object" -print -quit)" ]; then
        clang "${compile[@]}" -w -DSL_VERSION='"fuzz"' -DSL_LUADIR='"lua"' -c -o "$object" "$source"
    fi
done

found=0
for name in "$@"; do
    program=build/fuzz/fuzz_$name
    clang -w "${compile[@]}" -fsanitize=fuzzer "tests/fuzz/fuzz_$name.c" "${objects[@]}" -o "$program" "${link[@]}"
    corpus=tests/fuzz/corpus/$name
    mkdir -p "build/fuzz/$name" "$corpus"
    seeds=("$corpus")
    [ ! -d ../shared/captures ] || seeds+=(../shared/captures ../shared/captures/malformed)
    echo "fuzz $name: $seconds s"
    UBSAN_OPTIONS=print_stacktrace=1 "$program" -max_total_time="$seconds" -timeout=10 -max_len=65536 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$corpus/" \
        "build/fuzz/$name" "${seeds[@]}" >"build/fuzz/$name.log" 2>&1 || found=1
    grep -E '^stat::number_of_executed_units|SUMMARY|Test unit written' "build/fuzz/$name.log" || true
done
exit $found
