"""Times merging a LoRA and its baselines in turn, and prints medians; started by lora.sh."""

import os
import statistics
import subprocess
import sys

import timing

TORCH = """
import sys, torch
from safetensors.torch import load_file, save_file
base, lora, out, names = sys.argv[1:]
base, lora = load_file(base), load_file(lora)
modules = dict(line.rstrip("\\n").split("\\t") for line in open(names))
for name, key in modules.items():
    up, down = lora[name + ".lora_up.weight"].float(), lora[name + ".lora_down.weight"].float()
    scale = 0.8 * lora[name + ".alpha"].item() / down.shape[0]
    change = (up.flatten(1) @ down.flatten(1)).reshape(base[key].shape)
    base[key] = (base[key].float() + scale * change).to(base[key].dtype)
save_file(base, out, metadata={"format": "pt"})
"""

SGEMM = """
import time, torch
a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
best = 0
for _ in range(8):
    start = time.perf_counter()
    torch.mm(a, b)
    best = max(best, 2 * 2048 ** 3 / (time.perf_counter() - start))
print(best)
"""


def modules(program, base, lora, out):
    """Which tensor of the model each module of the LoRA changes, as the program says."""
    import json
    text = subprocess.run(
        [program, "lora-merge", base, "--lora", lora, "-o", out, "--force", "--plan", "--json"],
        check=True, capture_output=True, text=True).stdout
    ledger = json.loads(text)["loras"][0]["ledger"]
    return {entry["name"].split(".")[0]: entry["weight"] for entry in ledger}


def operations(lora):
    """The floating-point operations of all products."""
    from safetensors import safe_open
    total = 0
    with safe_open(lora, "np") as file:
        for key in file.keys():
            if key.endswith("lora_up.weight"):
                up = file.get_slice(key).get_shape()
                down = file.get_slice(key.replace("lora_up", "lora_down")).get_shape()
                columns = 1
                for extent in down[1:]:
                    columns *= extent
                total += 2 * up[0] * down[0] * columns
    return total


def main():
    options = timing.options(runs=5).parse_args()
    base = options.folder / "sd15-11.safetensors"
    lora = options.folder / "lora-32.safetensors"
    out = options.folder / "merged-lora.safetensors"
    table = options.folder / "lora-modules.tsv"
    names = modules(options.program, base, lora, out)
    table.write_text("".join(f"{a}\t{b}\n" for a, b in names.items()))
    merge = [options.program, "lora-merge", base, "--lora", f"{lora}:0.8", "-o", out, "--force",
             "--quiet", "--no-hash"]
    cases = {
        "copy (cp)": ["cp", base, out],
        "lora-merge": merge,
        "lora-merge, strength 0": [*merge[:4], f"{lora}:0", *merge[5:]],
        "lora-merge with hashes": [a for a in merge if a != "--no-hash"],
        "PyTorch": [sys.executable, "-c", TORCH, base, lora, out, table],
    }
    results = {name: [] for name in cases}
    for _ in range(options.runs):
        for name, arguments in cases.items():
            out.unlink(missing_ok=True)
            results[name].append(timing.run(arguments))
    rate = float(subprocess.run([sys.executable, "-c", SGEMM], check=True, capture_output=True,
                                text=True).stdout)
    median = {name: [statistics.median(r[i] for r in rows) for i in range(3)]
              for name, rows in results.items()}
    print(f"Median of {options.runs} runs; load {os.getloadavg()[0]:.1f}; "
          f"sgemm {rate / 1e9:.0f} GFLOP/s.\n")
    print("| What | Time | CPU | Resident |\n| --- | ---: | ---: | ---: |")
    for name, (seconds, cpu, memory) in median.items():
        print(f"| {name} | {seconds:.2f} s | {cpu:.2f} s | {memory / 1e6:.0f} MB |")
    own, copy, torch = median["lora-merge"], median["copy (cp)"], median["PyTorch"]
    arithmetic = operations(lora) / (0.6 * rate)
    limit = 1.5 * copy[0] + arithmetic
    print(f"\nLimit 1.5 × cp + arithmetic at 60% of sgemm: {limit:.2f} s, "
          f"{'ok' if own[0] <= limit else 'MISS'}; "
          f"resident ≤ 300 MB: {'ok' if own[2] <= 300e6 else 'MISS'}; "
          f"{torch[0] / own[0]:.1f} × faster than PyTorch at 1/{torch[2] / own[2]:.0f} of its memory.")


if __name__ == "__main__":
    main()
