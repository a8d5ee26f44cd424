#!/bin/bash
# The result of all pieces in a folder: merge.sh RECIPE FOLDER [OPTION]... For the engines; $SLUICE is
# the program, which says what is missing.
set -euo pipefail
recipe=$1 folder=$2
shift 2
exec "${SLUICE:-sluice}" merge "$recipe" "$folder"/*.part "$@"
