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
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

program=${PROGRAM:-.build/release/sdtool}
folder=${FOLDER:-.build/bench}
venv=${VENV:-$folder/venv}
[[ -x $program ]] || make build >&2
mkdir -p "$folder"

command -v python3 >/dev/null || {
  say "bench: python3 is needed (apt-get install python3-venv)"
  exit 69
}
if ! [[ -x $venv/bin/python ]]; then
  say "bench: making a virtual environment in $venv"
  python3 -m venv "$venv"
fi
if ! "$venv/bin/python" -c 'import numpy, safetensors, torch' 2>/dev/null; then
  say "bench: installing safetensors and torch from PyPI into $venv"
  "$venv/bin/pip" install --quiet numpy safetensors torch
fi

# A model is made under another name first, so that one that was interrupted is made again.
for seed in 11 12; do
  model=$folder/sd15-$seed.safetensors
  if ! [[ -s $model ]]; then
    say "bench: making $model"
    rm -f "$folder/new.safetensors"
    "$program" synth --preset sd15 --seed "$seed" --dtype f16 -o "$folder/new.safetensors" >&2
    mv "$folder/new.safetensors" "$model"
  fi
done

exec "$venv/bin/python" Benchmarks/merge.py --program "$program" --folder "$folder" "$@"
