#!/bin/bash
#SBATCH --job-name=ttvm
#SBATCH --array=0-7
# A Slurm array: each task searches its part of a recording. When all are done: ttvm merge parts/*.json
#
#   sbatch ci/slurm-array.sh boot.ttvm --call vfs_write
set -euo pipefail
mkdir -p parts
"${TTVM:-ttvm}" find "$@" --shard auto > "parts/$SLURM_ARRAY_TASK_ID.json"
