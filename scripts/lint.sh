#!/bin/bash
# Checks form and habits of everything that is written by hand; called by `make lint`, which gives the
# compiler's flags in CFLAGS. Runs every checker, names those that complain, and fails if one did.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

read -ra compile <<<"$CFLAGS"
mapfile -t c_files < <(git ls-files -co --exclude-standard --deduplicate 'src/*.c' 'tests/*.c')
mapfile -t h_files < <(git ls-files -co --exclude-standard --deduplicate 'src/*.h' 'tests/*.h')
mapfile -t lua_files < <(git ls-files -co --exclude-standard --deduplicate '*.lua')
mapfile -t shell_files < <(git ls-files -co --exclude-standard --deduplicate '*.sh' .ci/run)
mapfile -t python_files < <(git ls-files -co --exclude-standard --deduplicate '*.py')
jobs=$(nproc)
bad=()

check() { # check NAME COMMAND...: its output is shown only when it fails
    local name=$1 out
    shift
    if ! out=$("$@" 2>&1); then
        printf '%s\n' "--- $name" "$out"
        bad+=("$name")
    fi
}

tidy() {
    local c
    for c in "${c_files[@]}"; do printf '%s\0' "$c"; done |
        xargs -0 -P "$jobs" -I '{}' clang-tidy --quiet '{}' -- "${compile[@]}" -DSL_VERSION='""' -DSL_LUADIR='""'
}

python_compiles() {
    /usr/bin/python3 - "${python_files[@]}" <<'EOF'
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path)
EOF
}

check clang-format clang-format --dry-run -Werror "${c_files[@]}" "${h_files[@]}"
check cppcheck cppcheck -j "$jobs" --quiet --std=c11 --error-exitcode=1 --inline-suppr -Isrc \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    --suppress=incorrectLogicOperator:src/aggregate/add.c src tests # it reads 0x1p63 as 0x1
check clang-tidy tidy
[ ${#lua_files[@]} = 0 ] || check luacheck luacheck --quiet "${lua_files[@]}"
check shellcheck shellcheck -x -P SCRIPTDIR "${shell_files[@]}"
check python python_compiles

if [ ${#bad[@]} != 0 ]; then
    echo "lint: ${bad[*]} complained" >&2
    exit 1
fi
echo "lint: clang-format, cppcheck, clang-tidy, luacheck, shellcheck, python: nothing found"
