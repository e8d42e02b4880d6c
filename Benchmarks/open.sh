#!/usr/bin/env bash
# Measures opening, checking and hashing of full-size models, and prints a Markdown table.
#
#     make bench                       # or: Benchmarks/open.sh [--runs N]
#     VENV=/path/to/venv make bench    # with a virtual environment that has safetensors and torch
#
# What it compares with is timed in the same run: Python with safetensors and torch from PyPI (a
# virtual environment is made in .build/bench unless VENV names one), cat, and openssl. The models,
# about 5 GB, are made once and stay in .build/bench.
# shellcheck source=Benchmarks/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_tools openssl
need_modules numpy safetensors torch
for suffix in safetensors ckpt; do
  make_model "$folder/sd15.$suffix" --preset sd15 --seed 1
done

exec "$venv/bin/python" Benchmarks/open.py --program "$program" --folder "$folder" "$@"
