#!/bin/bash
# Runs a plan with GNU parallel, on this host or on many by ssh, and prints the result:
#
#   scripts/engines/parallel.sh RECIPE PLAN FOLDER [OPTION]... [-- OPTION OF THE MERGE]...
#
# FOLDER gets a partial result for each piece, and parallel's log; run again, it goes on with what has
# failed. $PARALLEL holds options of parallel, --sshlogin HOST,HOST for example: hosts need the same
# folders. scripts/engines/README.md begins at nothing.
. "$(dirname "$0")/common.sh"

[[ $(parallel --version 2>/dev/null) == "GNU parallel"* ]] || { # moreutils has another program of that name
    echo "GNU parallel is not installed (Debian: apt-get install parallel)" >&2
    exit 2
}
mkdir -p "$folder"
# Each line is a command, quoted for the shell: parallel looks for no {} of its own in lines.
# The merge is told to look even when pieces have failed: it says which are missing.
for ((k = 1; k <= pieces; k++)); do
    printf '%q ' "$engines/piece.sh" "$k" "$recipe" "$plan" "$folder" "${options[@]}"
    echo
done | parallel --retries 3 --joblog "$folder/log" --resume-failed --workdir "$PWD" \
    --env SLUICE --env SLUICE_URL_FILE || echo "parallel: not all pieces were done" >&2
exec "$engines/merge.sh" "$recipe" "$folder" "${merge_options[@]}"
