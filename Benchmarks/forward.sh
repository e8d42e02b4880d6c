#!/usr/bin/env bash
# Measures forward passes of a full-size model beside PyTorch and OpenVINO, as a Markdown table.
#
#     Benchmarks/forward.sh [--only unet,vae,text,txt2img] [--precision f32,bf16] [--rounds N] [--runs N]
#                           [--size 512] [--steps 20] [--threads 2] [--no-openvino] [--export]
#     VENV=/path/to/venv Benchmarks/forward.sh   # with an environment that has what is needed
#
# A virtual environment with torch, diffusers, transformers, safetensors and openvino is made in
# .build/bench unless VENV names one. The model is made once, and exported for OpenVINO once (--export
# does only that), and stays in .build/bench; FOLDER names another place. Takes about 20 minutes on two
# processors that do nothing else, and 12 GB.
# shellcheck source=Benchmarks/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_modules torch diffusers transformers safetensors
[[ " $* " == *" --no-openvino "* ]] || need_modules openvino
make_model "$folder/sd15-1" --preset sd15 --seed 1 --layout diffusers

exec "$venv/bin/python" Benchmarks/forward.py --program "$program" --folder "$folder" "$@"
