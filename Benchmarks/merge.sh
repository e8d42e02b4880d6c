#!/usr/bin/env bash
# Measures merges of full-size models beside what they cannot do without, as a Markdown table.
#
#     Benchmarks/merge.sh [--runs N]
#     VENV=/path/to/venv Benchmarks/merge.sh   # with an environment that has safetensors and torch
#
# What it compares with is timed in the same run, one after the other in every round: reading both
# inputs (cat) and writing as much as the output (cp), and the same merge with PyTorch and
# safetensors from PyPI, in float32 and in float16 arithmetic. A virtual environment is made in
# .build/bench unless VENV names one. The models, about 15 GB, are made once and stay in .build/bench;
# FOLDER names another place for them.
# shellcheck source=Benchmarks/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_modules numpy safetensors torch
for seed in 11 12; do
  make_model "$folder/sd15-$seed.safetensors" --preset sd15 --seed "$seed"
done

exec "$venv/bin/python" Benchmarks/merge.py --program "$program" --folder "$folder" "$@"
