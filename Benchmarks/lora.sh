#!/usr/bin/env bash
# Measures merging a LoRA of rank 32 into a full-size model, as a Markdown table.
#
#     Benchmarks/lora.sh [--runs N]
#     VENV=/path/to/venv Benchmarks/lora.sh   # with an environment that has safetensors and torch
#
# What it compares with is timed in the same run, one after the other in every round: copying the
# model (cp), the processor's rate for products of single-precision matrices (torch.mm), and the same
# merge with PyTorch and safetensors from PyPI. A virtual environment is made in .build/bench unless
# VENV names one. The files, about 7 GB, stay in .build/bench; FOLDER names another place for them.
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

# A file is made under another name first, so that one that was interrupted is made again.
make_model() {
  [[ -s $1 ]] && return
  say "bench: making $1"
  rm -f "$folder/new.safetensors"
  "$program" synth --preset "$2" --seed 11 --dtype f16 -o "$folder/new.safetensors" >&2
  mv "$folder/new.safetensors" "$1"
}
make_model "$folder/sd15-11.safetensors" sd15
make_model "$folder/lora-32.safetensors" lora-32

exec "$venv/bin/python" Benchmarks/lora.py --program "$program" --folder "$folder" "$@"
