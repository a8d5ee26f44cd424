#!/bin/bash
# A job of the array that slurm.sh submits: slurm-piece.sh ENGINES BEFORE RECIPE PLAN FOLDER [OPTION]...
# counts piece BEFORE + the job's number in the array. One that fails goes back into Slurm's queue, twice.
set -uo pipefail
engines=$1 before=$2
shift 2
"$engines/piece.sh" $((before + SLURM_ARRAY_TASK_ID)) "$@" && exit
status=$?
if [ "${SLURM_RESTART_COUNT:-0}" -lt 2 ]; then
    echo "piece $((before + SLURM_ARRAY_TASK_ID)) ended with $status: it is queued again" >&2
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $status
