# shellcheck shell=bash
# What the measurements have in common; they source it. Sets:
#
#     program   sdtool, built if it is not; PROGRAM names another
#     folder    where models and results are, .build/bench; FOLDER names another
#     venv      a virtual environment of Python, .build/bench/venv; VENV names another
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'bench: %s\n' "$*" >&2; }

program=${PROGRAM:-.build/release/sdtool}
folder=${FOLDER:-.build/bench}
venv=${VENV:-$folder/venv}
[[ -x $program ]] || make build >&2
mkdir -p "$folder"

# need_tools NAME…: ends with a sentence if one is missing.
need_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null && continue
    say "$tool is needed (apt-get install ${tool/python3/python3-venv})"
    exit 69
  done
}

# need_modules NAME…: makes the virtual environment, and installs from PyPI what it lacks.
need_modules() {
  need_tools python3
  if ! [[ -x $venv/bin/python ]]; then
    say "making a virtual environment in $venv"
    python3 -m venv "$venv"
  fi
  if ! "$venv/bin/python" -c "import $(IFS=,; echo "$*")" 2>/dev/null; then
    say "installing $* from PyPI into $venv"
    "$venv/bin/pip" install --quiet "$@"
  fi
}

# make_model FILE OPTION…: a synthetic model in F16, unless it is there. It is made under another name
# first, so that one that was interrupted is made again.
make_model() {
  local model=$1 new=$folder/new-${1##*/}
  shift
  [[ -e $model ]] && return
  say "making $model"
  rm -rf "$new"
  "$program" synth --dtype f16 "$@" -o "$new" >&2
  mv "$new" "$model"
}
