#!/bin/bash
# What the scripts beside this one share. They source it with their own arguments:
#
#   NAME.sh RECIPE PLAN FOLDER [OPTION]... [-- OPTION OF THE MERGE]...
#
# Sets recipe, plan, folder, options and merge_options (both lists), pieces (how many the plan has),
# engines (this folder), and exports SLUICE, the program: the one that is given, that of the checkout,
# or that in the PATH. Who sets verbs before has a word of its own in front of RECIPE.
set -euo pipefail

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -z "${SLUICE:-}" ]; then
    SLUICE=$engines/../../sluice
    [ -x "$SLUICE" ] || SLUICE=sluice
fi
export SLUICE

usage() {
    echo "usage: $0 ${verbs:-}RECIPE PLAN FOLDER [OPTION]... [-- OPTION OF THE MERGE]..." >&2
    exit 2
}

if [ $# -lt 3 ]; then
    usage
fi
# shellcheck disable=SC2034 # they are for who sources this file
recipe=$1 plan=$2 folder=$3
shift 3
options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
done
# What decides the counts goes to the merge, too: it refuses pieces that were made with something else.
# shellcheck disable=SC2034
merge_options=("${options[@]}" "${@:2}")
pieces=$(wc -l <"$plan")
if [ "$pieces" = 0 ]; then
    echo "$plan: no piece in it: sluice plan RECIPE INPUT... writes one" >&2
    exit 2
fi
