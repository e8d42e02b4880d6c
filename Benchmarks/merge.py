"""Times merges and their baselines in turn, and prints medians; started by merge.sh."""

import os
import shutil
import statistics
import sys
import tempfile

import timing

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


TORCH_CONVERT = """
import sys, torch
from safetensors.torch import save_file
model = torch.load(sys.argv[1], map_location="cpu", mmap=True, weights_only=True)
save_file(model.get("state_dict", model), sys.argv[2], metadata={"format": "pt"})
"""

TORCH_SAVE = """
import sys, torch
from safetensors.torch import load_file
torch.save({"state_dict": load_file(sys.argv[1])}, sys.argv[2])
"""


def main():
    parser = timing.options(runs=5)
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
    # The same model as checkpoint and in other precisions, made once.
    checkpoint, single = options.folder / "sd15-11.ckpt", options.folder / "sd15-11-f32.safetensors"
    convert = [options.program, "convert", "--force", "--quiet"]
    if not checkpoint.exists():
        if options.no_torch:
            timing.run([*convert, a, "-o", checkpoint])
        else:
            timing.run([sys.executable, "-c", TORCH_SAVE, a, checkpoint])
    if not single.exists():
        timing.run([*convert, a, "-o", single, "--dtype", "f32"])
    cases = {
        "read A and B (cat)": (["sh", "-c", 'cat "$1" "$2" > /dev/null', "-", a, b], None),
        "write the output (cp)": (["cp", a, out], None),
        "write twice as much (cp)": (["cp", single, out], None),
        "read twice as much (cat)": (["sh", "-c", 'cat "$1" > /dev/null', "-", single], None),
        "weighted sum": ([*plain, "--alpha", "0.3"], None),
        "weighted sum, one thread": ([*plain, "--alpha", "0.3", "--threads", "1"], None),
        "MBW, GRAD_V": ([*plain, "--mbw", "GRAD_V", "--block", "BASE=0.2"], None),
        "one block of 25": ([*plain, "--alpha", "0", "--block", "OUT05=0.5"], None),
        "weighted sum, as F32": ([*plain, "--alpha", "0.3", "--dtype", "f32"], None),
        "weighted sum, recipe, hashes known": ([*merge, "--alpha", "0.3"], warm),
        "weighted sum, recipe, hashes computed": ([*merge, "--alpha", "0.3"], cold),
    }
    cases |= {
        "convert, F16 to F32": ([*convert, a, "-o", out, "--dtype", "f32"], None),
        "convert, F32 to BF16": ([*convert, single, "-o", out, "--dtype", "bf16"], None),
        "convert, checkpoint to safetensors": ([*convert, checkpoint, "-o", out], None),
    }
    if not options.no_torch:
        cases["PyTorch, checkpoint to safetensors"] = (
            [sys.executable, "-c", TORCH_CONVERT, checkpoint, out], None)
        torch = [sys.executable, "-c", TORCH, a, b, out]
        cases["PyTorch, float32"] = ([*torch, "f32"], None)
        cases["PyTorch, float16"] = ([*torch, "f16"], None)
    times = {name: [] for name in cases}
    for path in (a, b):
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
    timing.run([*merge, "--alpha", "0.3"], environment=warm)
    for number in range(options.runs):
        for name, (arguments, environment) in cases.items():
            # Replacing a file costs differently from making one.
            out.unlink(missing_ok=True)
            times[name].append(timing.run(arguments, environment=environment))
            print(f"{number + 1}/{options.runs} {name}: {times[name][-1][0]:.2f} s", file=sys.stderr)
    out.unlink(missing_ok=True)
    shutil.rmtree(cache, ignore_errors=True)
    medians = {name: [statistics.median(column) for column in zip(*runs)]
               for name, runs in times.items()}
    cat, cp = (medians[name][0] for name in ("read A and B (cat)", "write the output (cp)"))
    cat_wide, cp_wide = (medians[f"{name} twice as much ({program})"][0]
                         for name, program in (("read", "cat"), ("write", "cp")))
    # What each cannot do without: reading all inputs and writing the output, one after the other.
    floors = {
        "weighted sum, as F32": cat + cp_wide,
        "convert, F16 to F32": cat / 2 + cp_wide,
        "convert, F32 to BF16": cat_wide + cp,
        "convert, checkpoint to safetensors": cat / 2 + cp,
        "PyTorch, checkpoint to safetensors": cat / 2 + cp,
    }
    size = a.stat().st_size / 1e9
    print(f"Two models of {size:.2f} GB; median of {options.runs} runs, {os.cpu_count()} processors.")
    print()
    print("| what | seconds | of cat + cp | processor seconds | peak memory |")
    print("|---|---:|---:|---:|---:|")
    for name, (seconds, processor, memory) in medians.items():
        ratio = f"{seconds / floors.get(name, cat + cp):.2f}"
        if name.endswith((" (cat)", " (cp)")):
            ratio = ""
        print(f"| {name} | {seconds:.2f} | {ratio} | {processor:.2f} | {memory / 1e6:,.0f} MB |")
    print()
    print(f"A merge of one block takes {medians['one block of 25'][0] / cp:.2f} times as long as cp.")
    if not options.no_torch:
        print()
        for kind in ("float32", "float16"):
            other = medians[f"PyTorch, {kind}"]
            own = medians["weighted sum"]
            print(f"PyTorch in {kind} takes {other[0] / own[0]:.1f} times as long as the weighted"
                  f" sum and {other[2] / own[2]:.0f} times the memory.")
        other, own = (medians[f"{name}, checkpoint to safetensors"] for name in ("PyTorch", "convert"))
        print(f"PyTorch takes {other[0] / own[0]:.1f} times as long from checkpoint to safetensors.")


main()
