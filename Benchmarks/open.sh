#!/usr/bin/env bash
# Measures opening, checking and hashing of full-size models, and prints a Markdown table.
#
#     make bench                       # or: Benchmarks/open.sh [--runs N]
#     VENV=/path/to/venv make bench    # with a virtual environment that has safetensors and torch
#
# What it compares with is timed in the same run: Python with safetensors and torch from PyPI (a
# virtual environment is made in .build/bench unless VENV names one), cat, and openssl. The models,
# about 5 GB, are made once and stay in .build/bench.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

program=.build/release/sdtool
folder=.build/bench
venv=${VENV:-$folder/venv}
[[ -x $program ]] || make build >&2
mkdir -p "$folder"

for tool in python3 openssl; do
  command -v "$tool" >/dev/null || {
    say "bench: $tool is needed (apt-get install python3-venv openssl)"
    exit 69
  }
done
if ! [[ -x $venv/bin/python ]]; then
  say "bench: making a virtual environment in $venv"
  python3 -m venv "$venv"
fi
if ! "$venv/bin/python" -c 'import numpy, safetensors, torch' 2>/dev/null; then
  say "bench: installing safetensors and torch from PyPI into $venv"
  "$venv/bin/pip" install --quiet numpy safetensors torch
fi

# A model is made under another name first, so that one that was interrupted is made again.
for suffix in safetensors ckpt; do
  model=$folder/sd15.$suffix
  if ! [[ -s $model ]]; then
    say "bench: making $model"
    rm -f "$folder/new.$suffix"
    "$program" synth --preset sd15 --seed 1 --dtype f16 -o "$folder/new.$suffix" >&2
    mv "$folder/new.$suffix" "$model"
  fi
done

exec "$venv/bin/python" Benchmarks/open.py --program "$program" --folder "$folder" "$@"
