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
# shellcheck source=Benchmarks/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_modules numpy safetensors torch
make_model "$folder/sd15-11.safetensors" --preset sd15 --seed 11
make_model "$folder/lora-32.safetensors" --preset lora-32 --seed 11

exec "$venv/bin/python" Benchmarks/lora.py --program "$program" --folder "$folder" "$@"
