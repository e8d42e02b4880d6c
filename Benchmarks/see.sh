#!/usr/bin/env bash
# Measures the comparison of full-size models beside reading them, as a Markdown table.
#
#     Benchmarks/see.sh [--runs N]
#
# Reading both models (cat) is timed in the same run, in turn. The models, about 6 GB, are made once
# and stay in .build/bench; FOLDER names another place for them. Needs Python, and nothing from PyPI.
# shellcheck source=Benchmarks/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

need_tools python3
for seed in 11 12; do
  make_model "$folder/sd15-$seed.safetensors" --preset sd15 --seed "$seed"
done
blended=$folder/sd15-blend.safetensors
if ! [[ -s $blended ]]; then
  say "making $blended"
  rm -f "$folder/new.safetensors"
  "$program" merge "$folder/sd15-11.safetensors" "$folder/sd15-12.safetensors" --mbw GRAD_V \
    --base-alpha 0.2 --quiet -o "$folder/new.safetensors" >&2
  mv "$folder/new.safetensors" "$blended"
fi

exec python3 Benchmarks/see.py --program "$program" --folder "$folder" "$@"
