"""Times merges and their baselines in turn, and prints medians; started by merge.sh."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TORCH = """
import sys, torch
from safetensors.torch import load_file, save_file
a, b, out, kind = sys.argv[1:]
a, b = load_file(a), load_file(b)
merged = {}
for key in a:
    if not a[key].is_floating_point():
        merged[key] = a[key]
    elif kind == "f32":
        merged[key] = torch.lerp(a[key].float(), b[key].float(), 0.3).half()
    else:
        merged[key] = 0.7 * a[key] + 0.3 * b[key]
save_file(merged, out, metadata={"format": "pt"})
"""


def run(arguments, environment=None):
    """The seconds, processor seconds and peak resident bytes of a program."""
    start = time.monotonic()
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"failed: {' '.join(map(str, arguments))}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-torch", action="store_true")
    options = parser.parse_args()
    a, b = (options.folder / f"sd15-{seed}.safetensors" for seed in (11, 12))
    out = options.folder / "merged.safetensors"
    merge = [options.program, "merge", a, b, "-o", out, "--force", "--quiet"]
    plain = [*merge, "--no-recipe"]
    cache = tempfile.mkdtemp()
    # No cache can be kept below a device.
    cold = {"XDG_CACHE_HOME": "/dev/null"}
    warm = {"XDG_CACHE_HOME": cache}
    cases = {
        "read A and B (cat)": (["sh", "-c", 'cat "$1" "$2" > /dev/null', "-", a, b], None),
        "write the output (cp)": (["cp", a, out], None),
        "weighted sum": ([*plain, "--alpha", "0.3"], None),
        "weighted sum, one thread": ([*plain, "--alpha", "0.3", "--threads", "1"], None),
        "MBW, GRAD_V": ([*plain, "--mbw", "GRAD_V", "--block", "BASE=0.2"], None),
        "one block of 25": ([*plain, "--alpha", "0", "--block", "OUT05=0.5"], None),
        "weighted sum, as F32": ([*plain, "--alpha", "0.3", "--dtype", "f32"], None),
        "weighted sum, recipe, hashes known": ([*merge, "--alpha", "0.3"], warm),
        "weighted sum, recipe, hashes computed": ([*merge, "--alpha", "0.3"], cold),
    }
    if not options.no_torch:
        torch = [sys.executable, "-c", TORCH, a, b, out]
        cases["PyTorch, float32"] = ([*torch, "f32"], None)
        cases["PyTorch, float16"] = ([*torch, "f16"], None)
    times = {name: [] for name in cases}
    for path in (a, b):
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
    run([*merge, "--alpha", "0.3"], warm)
    for number in range(options.runs):
        for name, (arguments, environment) in cases.items():
            # Replacing a file costs differently from making one.
            out.unlink(missing_ok=True)
            times[name].append(run(arguments, environment))
            print(f"{number + 1}/{options.runs} {name}: {times[name][-1][0]:.2f} s", file=sys.stderr)
    out.unlink(missing_ok=True)
    shutil.rmtree(cache, ignore_errors=True)
    medians = {name: [statistics.median(column) for column in zip(*runs)]
               for name, runs in times.items()}
    base = medians["read A and B (cat)"][0] + medians["write the output (cp)"][0]
    size = a.stat().st_size / 1e9
    print(f"Two models of {size:.2f} GB; median of {options.runs} runs, {os.cpu_count()} processors.")
    print()
    print("| what | seconds | of cat + cp | processor seconds | peak memory |")
    print("|---|---:|---:|---:|---:|")
    for name, (seconds, processor, memory) in medians.items():
        print(f"| {name} | {seconds:.2f} | {seconds / base:.2f} | {processor:.2f}"
              f" | {memory / 1e6:,.0f} MB |")
    if not options.no_torch:
        print()
        for kind in ("float32", "float16"):
            other = medians[f"PyTorch, {kind}"]
            own = medians["weighted sum"]
            print(f"PyTorch in {kind} takes {other[0] / own[0]:.1f} times as long as the weighted"
                  f" sum and {other[2] / own[2]:.0f} times the memory.")


main()
