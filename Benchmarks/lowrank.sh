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
# shellcheck source=Benchmarks/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_modules numpy safetensors torch

exec "$venv/bin/python" Benchmarks/lowrank.py --program "$program" --folder "$folder" "$@"
