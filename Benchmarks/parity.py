#!/usr/bin/env python3
"""How far each precision of `sdtool forward` is from diffusers in fp32, on a full-size model.

    Benchmarks/parity.py [--program .build/release/sdtool] [--folder .build/bench] [--size 512]

Makes a synthetic model as a diffusers folder, runs every component with PyTorch in float32 and in
bfloat16 and with sdtool in every precision, and prints a Markdown table. Differences are the largest
in standard deviations of what PyTorch gives in float32, and the length of the difference over that of
the result. Needs torch, diffusers, transformers and safetensors from PyPI, and some 10 GB of memory.
"""

import argparse
import gc
import json
import subprocess
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

parser = argparse.ArgumentParser()
parser.add_argument("--program", default=".build/release/sdtool")
parser.add_argument("--folder", type=Path, default=Path(".build/bench"))
parser.add_argument("--size", type=int, default=512, help="height and width in pixels")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_grad_enabled(False)
torch.set_num_threads(options.threads)
generator = torch.Generator().manual_seed(1)
TARGETS = {"reference": 1e-4, "f32": 1e-3}


def random(*shape):
    return torch.randn(shape, generator=generator)


def unet(model, dtype, x):
    call = model(x["latent"].to(dtype), x["timestep"].to(dtype), x["context"].to(dtype))
    return {"noise": call.sample}


def decode(model, dtype, x):
    return {"image": model.decode(x["latent"].to(dtype)).sample}


def encode(model, dtype, x):
    moments = model.encode(x["image"].to(dtype)).latent_dist
    return {"mean": moments.mean, "log_variance": moments.logvar}


def text(model, dtype, x):
    return {"context": model(x["tokens"]).last_hidden_state}


def main():
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "sd15-1"
    if not model.exists():
        command = [options.program, "synth", "--seed", "1", "--layout", "diffusers", "-o", model]
        subprocess.run(command, check=True, stdout=sys.stderr)
    side = options.size // 8
    tokens = torch.randint(0, 49406, (2, 77), generator=generator)
    tokens[:, 0], tokens[:, 40:] = 49406, 49407
    latent = random(2, 4, side, side)
    picture = torch.tanh(random(1, 3, options.size, options.size))
    noise = {"latent": latent, "timestep": torch.tensor([981.0, 981.0]), "context": random(2, 77, 768)}
    cases = [
        ("text", CLIPTextModel, "text_encoder", text, {"tokens": tokens}),
        ("unet", UNet2DConditionModel, "unet", unet, noise),
        ("vae-decode", AutoencoderKL, "vae", decode, {"latent": latent[:1] / 0.18215}),
        ("vae-encode", AutoencoderKL, "vae", encode, {"image": picture}),
    ]
    print(f"{options.size}×{options.size}; torch {torch.__version__}\n")
    print("| Component | Output | Precision | Largest, in deviations | Relative | Target | |")
    print("| --- | --- | --- | ---: | ---: | ---: | --- |")
    for part, kind, name, run, inputs in cases:
        golden, narrow = {}, {}
        for dtype in torch.float32, torch.bfloat16:
            network = kind.from_pretrained(model / name, torch_dtype=dtype).eval()
            result = {k: v.float().contiguous() for k, v in run(network, dtype, inputs).items()}
            golden, narrow = (result, narrow) if dtype == torch.float32 else (golden, result)
            del network
            gc.collect()
        given, wanted = folder / f"{part}-in.safetensors", folder / f"{part}-golden.safetensors"
        save_file(inputs, given)
        save_file(golden, wanted)
        theirs = {}
        for key, value in golden.items():
            difference = narrow[key] - value
            theirs[key] = (difference.norm() / value.norm()).item()
            largest = (difference.abs().max() / value.std(unbiased=False)).item()
            print(f"| {part} | {key} | PyTorch bfloat16 | {largest:.1e} | {theirs[key]:.1e} | | |")
        for precision in "reference", "f32", "bf16":
            command = [options.program, "forward", part, "--model", model, "--input", given]
            command += ["--compare", wanted, "--precision", precision, "--json"]
            command += ["--threads", str(options.threads)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode > 1:
                print(f"| {part} | | {precision} | {done.stderr.strip()} | | | |")
                continue
            for row in json.loads(done.stdout)["comparisons"]:
                if precision in TARGETS:
                    target = f"≤ {TARGETS[precision]:.0e}"
                    ok = row["in_deviations"] <= TARGETS[precision]
                else:
                    target = f"≤ {1.2 * theirs[row['name']]:.1e} relative"
                    ok = row["relative"] <= 1.2 * theirs[row["name"]]
                print(
                    f"| {part} | {row['name']} | {precision} | {row['in_deviations']:.1e} | "
                    f"{row['relative']:.1e} | {target} | {'ok' if ok else 'MISS'} |",
                    flush=True,
                )


main()
