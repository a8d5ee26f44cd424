#!/bin/bash
# Counts a capture in pieces, and with "merge" prints the result, as engines do (scripts/engines):
# pieces.sh SLUICE RECIPE FILE PIECES FOLDER [merge]
set -euo pipefail
sluice=$1 recipe=$2 file=$3 pieces=$4 folder=$5
"$sluice" plan "$recipe" "$file" --pieces "$pieces" >"$folder/plan"
for ((k = 1; k <= $(wc -l <"$folder/plan"); k++)); do
    "$sluice" "$recipe" -q --piece "$k" "$folder/plan" --partial "$folder/$k.part"
done
[ "${6:-}" != merge ] || exec "$sluice" merge "$recipe" -q -T json "$folder"/*.part
