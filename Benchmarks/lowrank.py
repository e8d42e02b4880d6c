"""Times lora-extract and lora-resize and what PyTorch needs for the same; started by lowrank.sh.

A dense decomposition of every weight of the network takes PyTorch a quarter of an hour, so that by
default one weight of each shape is decomposed and its time multiplied by how many there are; --all
decomposes every one.
"""

import statistics
import subprocess
import sys

import timing

PREPARE = """
import sys, torch
from safetensors import safe_open
from safetensors.torch import save_file
base, tuned, large, small = sys.argv[1:]
generator = torch.Generator().manual_seed(3)
tensors = {}
with safe_open(base, "pt") as file:
    for name in file.keys():
        w = file.get_tensor(name)
        if w.dim() >= 2 and (name.startswith("model.diffusion_model") or "encoder.layers" in name):
            # Falling singular values, as training gives, above noise of all directions.
            m, n, r = w.shape[0], w[0].numel(), 96
            unit = w.float().std().item()
            s = unit * 0.05 / 3 * torch.arange(1, r + 1).float() ** -0.6
            change = (torch.randn(m, r, generator=generator) * s) @ torch.randn(r, n, generator=generator)
            change += torch.randn(m, n, generator=generator) * (unit * 0.02)
            w = (w.float() + change.reshape(w.shape)).half()
        tensors[name] = w
save_file(tensors, tuned)
tensors = {}
with safe_open(small, "pt") as file:
    for name in file.keys():
        w = file.get_tensor(name)
        if name.endswith("alpha"):
            w = torch.tensor(64.0)
        elif name.endswith("lora_down.weight"):
            w = (torch.randn([128, *w.shape[1:]], generator=generator) * 0.02).half()
        else:
            s = (0.02 * torch.arange(1, 129).float() ** -0.7).reshape([1, 128] + [1] * (w.dim() - 2))
            w = (torch.randn([w.shape[0], 128, *w.shape[2:]], generator=generator) * s).half()
        tensors[name] = w
save_file(tensors, large)
"""

# The seconds for all weights of the U-Net; arguments: tuned, base, rank, all or one of each shape.
DENSE = """
import collections, sys, time, torch
from safetensors import safe_open
tuned, base, rank, which = sys.argv[1:]
with safe_open(tuned, "pt") as a, safe_open(base, "pt") as b:
    names = [n for n in a.keys() if n.startswith("model.diffusion_model") and len(a.get_slice(n).get_shape()) >= 2]
    groups = collections.defaultdict(list)
    for name in names:
        shape = a.get_slice(name).get_shape()
        rows = shape[0]
        columns = 1
        for extent in shape[1:]:
            columns *= extent
        groups[rows, columns].append(name)
    total = 0
    for members in groups.values():
        chosen = members if which == "all" else members[:1]
        start = time.monotonic()
        for name in chosen:
            w = a.get_tensor(name).float() - b.get_tensor(name).float()
            u, s, v = torch.linalg.svd(w.flatten(1), full_matrices=False)
            k = int(rank)
            up, down = (u[:, :k] * s[:k]).half(), v[:k].half()
        total += (time.monotonic() - start) * len(members) / len(chosen)
    print(total)
"""

# Decomposes the product of each pair of factors, as sd-scripts' resize_lora.py does.
RESIZE = """
import collections, sys, time, torch
from safetensors import safe_open
path, rank, which = sys.argv[1:]
with safe_open(path, "pt") as file:
    groups = collections.defaultdict(list)
    for name in file.keys():
        if name.endswith("lora_down.weight"):
            stem = name[:-len("lora_down.weight")]
            up = file.get_slice(stem + "lora_up.weight").get_shape()
            groups[up[0], file.get_slice(name).get_shape()[1]].append(stem)
    total = 0
    for members in groups.values():
        chosen = members if which == "all" else members[:1]
        start = time.monotonic()
        for stem in chosen:
            up = file.get_tensor(stem + "lora_up.weight").float().flatten(1)
            down = file.get_tensor(stem + "lora_down.weight").float().flatten(1)
            u, s, v = torch.linalg.svd(up @ down, full_matrices=False)
            k = int(rank)
            up, down = (u[:, :k] * s[:k]).half(), v[:k].half()
        total += (time.monotonic() - start) * len(members) / len(chosen)
    print(total)
"""


def main():
    parser = timing.options(runs=3)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    folder, which = options.folder, "all" if options.all else "one"
    base, tuned = folder / "sd15-11.safetensors", folder / "tuned.safetensors"
    small, large, out = (folder / f"{n}.safetensors" for n in ("lora8", "lora128", "out"))
    if not base.exists():
        subprocess.run([options.program, "synth", "--preset", "sd15", "--seed", "11", "-o", base], check=True)
    if not tuned.exists() or not large.exists():
        subprocess.run([options.program, "synth", "--preset", "lora", "-o", small, "--force"], check=True)
        subprocess.run([sys.executable, "-c", PREPARE, base, tuned, large, small], check=True)
    end = ["-o", out, "--force", "--quiet"]
    cases = {
        "lora-extract --rank 32, U-Net and text encoder": ["lora-extract", tuned, base, "--rank", "32", *end],
        "lora-resize --rank 32, 151 MB": ["lora-resize", large, "--rank", "32", *end],
        "lora-resize --energy 0.95, 151 MB": ["lora-resize", large, "--energy", "0.95", *end],
        "lora-resize --size 40MB, 151 MB": ["lora-resize", large, "--size", "40MB", *end],
        "lora-add, two of 151 MB, --rank 64": ["lora-add", f"{large}:0.7", f"{large}:-0.2", "--rank", "64", *end],
    }
    print("| What | Time | Processor | Resident |\n| --- | ---: | ---: | ---: |")
    medians = {}
    for name, arguments in cases.items():
        results = [timing.run([options.program, *arguments]) for _ in range(options.runs)]
        wall, processor, memory = (statistics.median(values) for values in zip(*results))
        medians[name] = wall
        print(f"| {name} | {wall:.2f} s | {processor:.2f} s | {memory / 1e6:.0f} MB |", flush=True)
    note = "every one" if options.all else "one of each shape, times their number"
    extract, resize = list(medians.values())[:2]
    for label, code, arguments, mine in (
        ("torch.linalg.svd of the U-Net's differences", DENSE, [tuned, base, "32"], extract),
        ("torch.linalg.svd of the products", RESIZE, [large, "32"], resize),
    ):
        text = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments), which], check=True, capture_output=True, text=True)
        seconds = float(text.stdout)
        print(f"| {label} ({note}) | {seconds:.0f} s | | {seconds / mine:.0f} × as long |", flush=True)


main()
