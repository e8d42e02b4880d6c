#!/usr/bin/env bash
# Measures the comparison of full-size models beside reading them, as a Markdown table.
#
#     Benchmarks/see.sh [--runs N]
#
# Reading both models (cat) is timed in the same run, in turn. The models, about 6 GB, are made once
# and stay in .build/bench; FOLDER names another place for them. Needs Python, and nothing from PyPI.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%s\n' "$*" >&2; }

program=${PROGRAM:-.build/release/sdtool}
folder=${FOLDER:-.build/bench}
[[ -x $program ]] || make build >&2
mkdir -p "$folder"

command -v python3 >/dev/null || {
  say "bench: python3 is needed (apt-get install python3)"
  exit 69
}

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
blended=$folder/sd15-blend.safetensors
if ! [[ -s $blended ]]; then
  say "bench: making $blended"
  rm -f "$folder/new.safetensors"
  "$program" merge "$folder/sd15-11.safetensors" "$folder/sd15-12.safetensors" --mbw GRAD_V \
    --base-alpha 0.2 --quiet -o "$folder/new.safetensors" >&2
  mv "$folder/new.safetensors" "$blended"
fi

exec python3 Benchmarks/see.py --program "$program" --folder "$folder" "$@"
