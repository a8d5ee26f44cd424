#!/bin/bash
# Counts one piece of a plan: piece.sh K RECIPE PLAN FOLDER [OPTION]... writes FOLDER/K.part, which is
# there whole or not at all, and the same whoever writes it. For the engines; $SLUICE is the program.
# URLs with their secrets come from $SLUICE_URLS or the file $SLUICE_URL_FILE.
set -euo pipefail
number=$1 recipe=$2 plan=$3 folder=$4
shift 4
mkdir -p "$folder"
exec "${SLUICE:-sluice}" "$recipe" --piece "$number" "$plan" --partial "$folder/$number.part" -q \
    ${SLUICE_URL_FILE:+--url-file "$SLUICE_URL_FILE"} "$@"
