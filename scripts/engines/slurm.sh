#!/bin/bash
# Hands a plan to Slurm, an array of jobs and a job that merges when they have ended:
#
#   scripts/engines/slurm.sh RECIPE PLAN FOLDER [OPTION]... [-- OPTION OF THE MERGE]...
#
# FOLDER, which all nodes see, gets the partial results, what the jobs say (log/) and the result. What
# partition or account: $SBATCH_PARTITION, $SBATCH_ACCOUNT and what else sbatch reads.
# scripts/engines/README.md begins at nothing.
. "$(dirname "$0")/common.sh"

most=${SLUICE_ARRAY:-1000} # jobs in an array; Slurm's MaxArraySize is 1001 unless it is set
mkdir -p "$folder/log"
after=
for ((before = 0; before < pieces; before += most)); do
    jobs=$((pieces - before < most ? pieces - before : most))
    id=$(sbatch --parsable --job-name=sluice-piece --requeue --array="1-$jobs" --output="$folder/log/%A_%a" \
        "$engines/slurm-piece.sh" "$engines" "$before" "$recipe" "$plan" "$folder" "${options[@]}")
    after+=:${id%%;*}
done
# Not afterok: the merge itself says which pieces are missing, and takes a capture that ends too early.
id=$(sbatch --parsable --job-name=sluice-merge --requeue --dependency="afterany$after" --output="$folder/result" \
    --error="$folder/log/merge" "$engines/merge.sh" "$recipe" "$folder" "${merge_options[@]}")
echo "pieces are job${after//:/ }; job ${id%%;*} merges them: $folder/result, or $folder/log/merge says why not"
