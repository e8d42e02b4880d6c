#!/usr/bin/env bash
# Measures the merge kernels beside memcpy on one core, as a Markdown table.
#
#     Benchmarks/kernels.sh
#
# The kernels are compiled as the package compiles them: -O2, no flags for a processor.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .build/bench
"${CC:-clang}" -std=gnu2x -O2 -I Sources/CKernels/include Benchmarks/kernels.c \
  Sources/CKernels/*.c -lm -o .build/bench/kernels
exec taskset -c 0 .build/bench/kernels
