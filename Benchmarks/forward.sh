#!/usr/bin/env bash
# Measures forward passes of a full-size model beside PyTorch and OpenVINO, as a Markdown table.
#
#     Benchmarks/forward.sh [--runs N] [--size 512] [--threads 2] [--no-openvino]
#     VENV=/path/to/venv Benchmarks/forward.sh   # with an environment that has what is needed
#
# A virtual environment with torch, diffusers, transformers, safetensors and openvino is made in
# .build/bench unless VENV names one. The model is made once and stays in .build/bench; FOLDER names
# another place. Takes about half an hour on two processors that do nothing else, and 12 GB.
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
if ! "$venv/bin/python" -c 'import diffusers, safetensors, torch, transformers' 2>/dev/null; then
  say "bench: installing torch, diffusers, transformers and safetensors from PyPI into $venv"
  "$venv/bin/pip" install --quiet torch diffusers transformers safetensors
fi
if [[ " $* " != *" --no-openvino "* ]] && ! "$venv/bin/python" -c 'import openvino' 2>/dev/null; then
  say "bench: installing openvino from PyPI into $venv"
  "$venv/bin/pip" install --quiet openvino
fi
model=$folder/sd15-1
if ! [[ -d $model ]]; then
  say "bench: making $model"
  rm -rf "$folder/new"
  "$program" synth --preset sd15 --seed 1 --dtype f16 --layout diffusers -o "$folder/new" >&2
  mv "$folder/new" "$model"
fi

exec "$venv/bin/python" Benchmarks/forward.py --program "$program" --folder "$folder" "$@"
