#!/usr/bin/env bash
# Measures extracting and resizing LoRAs beside PyTorch, as a Markdown table.
#
#     Benchmarks/lowrank.sh [--runs N] [--all]
#     VENV=/path/to/venv Benchmarks/lowrank.sh   # with an environment that has safetensors and torch
#
# PyTorch decomposes one weight of each shape, and its time is multiplied by their number, unless --all
# asks for every one (a quarter of an hour). A virtual environment is made in .build/bench unless VENV
# names one. The models, about 4.5 GB, are made once and stay in .build/bench; FOLDER names another
# place for them.
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

exec "$venv/bin/python" Benchmarks/lowrank.py --program "$program" --folder "$folder" "$@"
