"""Times forward passes; see forward.sh."""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--program", required=True)
parser.add_argument("--folder", type=Path, required=True)
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--size", type=int, default=512)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--no-openvino", action="store_true")
# One process for each measurement, so that its memory is its own.
parser.add_argument("--measure", nargs=3, metavar=("TOOL", "PART", "PRECISION"), help=argparse.SUPPRESS)
options = parser.parse_args()
model = options.folder / "sd15-1"
side = options.size // 8
# Ratios that are aimed at: to PyTorch, to OpenVINO.
TARGETS = {
    ("unet", "f32"): (0.5, 0.75),
    ("unet", "bf16"): (0.6, 0.9),
    ("vae-decode", "f32"): (0.4, 0.6),
    ("vae-decode", "bf16"): (0.6, 0.6),
    ("text", "f32"): (1.0, None),
    ("text", "bf16"): (1.0, None),
}
TITLES = {"unet": "U-Net step with guidance", "vae-decode": "VAE decode", "text": "CLIP, 2 prompts"}


def network(part, dtype):
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    kind, name = {
        "unet": (UNet2DConditionModel, "unet"),
        "vae-decode": (AutoencoderKL, "vae"),
        "text": (CLIPTextModel, "text_encoder"),
    }[part]
    loaded = kind.from_pretrained(model / name, torch_dtype=dtype).eval()

    class Part(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.loaded = loaded

        def forward(self, *x):
            if part == "unet":
                return self.loaded(*x).sample
            if part == "text":
                return self.loaded(*x).last_hidden_state
            return self.loaded.decode(*x).sample

    generator = torch.Generator().manual_seed(1)
    latent = torch.randn(2, 4, side, side, generator=generator).to(dtype)
    inputs = {
        "unet": (latent, torch.tensor([500.0, 500.0]), torch.randn(2, 77, 768, generator=generator).to(dtype)),
        "vae-decode": (latent[:1],),
        "text": (torch.full((2, 77), 320),),
    }[part]
    return Part(), inputs


def measure(tool, part, precision):
    """Prints seconds from start to the first result, of each run, and the peak of memory."""
    start = time.monotonic()
    import torch

    torch.set_grad_enabled(False)
    torch.set_num_threads(options.threads)
    dtype = torch.float32 if precision == "f32" else torch.bfloat16
    if tool == "pytorch":
        module, inputs = network(part, dtype)
        if part != "text":
            module = module.to(memory_format=torch.channels_last)
            inputs = tuple(
                x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs
            )
        run = lambda: module(*inputs)
    else:
        import openvino

        path = options.folder / f"{part}-{options.size}.xml"
        if not path.exists():
            module, inputs = network(part, torch.float32)
            converted = openvino.convert_model(module, example_input=inputs, input=[list(x.shape) for x in inputs])
            openvino.save_model(converted, path, compress_to_fp16=True)
            print(json.dumps({"exported": True}))
            return
        core = openvino.Core()
        settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": options.threads}
        compiled = core.compile_model(path, "CPU", settings)
        inputs = [
            torch.randn(tuple(p.shape)).numpy() if p.element_type.is_real() else torch.full(tuple(p.shape), 320).numpy()
            for p in compiled.inputs
        ]
        run = lambda: compiled(inputs)
    loaded = time.monotonic() - start
    seconds = []
    for _ in range(options.runs + 1):
        begin = time.monotonic()
        run()
        seconds.append(time.monotonic() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"loaded": loaded, "seconds": seconds[1:], "peak": peak}))


def start(tool, part, precision):
    command = [sys.executable, __file__, "--program", options.program, "--folder", options.folder]
    command += ["--runs", options.runs, "--size", options.size, "--threads", options.threads]
    command += ["--measure", tool, part, precision]
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=environment)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def ours(part, precision):
    runs = []
    for _ in range(options.runs):
        command = [options.program, "forward", part, "--model", model, "--precision", precision]
        command += ["--size", f"{options.size}x{options.size}", "--threads", options.threads, "--json"]
        command += ["--batch", 1 if part == "vae-decode" else 2, "-o", options.folder / "out.safetensors", "--force"]
        done = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE)
        text = done.stdout.read()
        _, status, usage = os.wait4(done.pid, 0)
        if status:
            return None
        report = json.loads(text)
        runs.append((report["run_seconds"], report["load_seconds"], usage.ru_maxrss * 1024))
    seconds, loaded, peak = zip(*runs)
    return {"seconds": seconds, "loaded": statistics.median(loaded), "peak": max(peak)}


def main():
    import torch

    print(
        f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} processors, {options.threads} threads, "
        f"Linux {platform.release()}; {subprocess.run([options.program, '--version'], capture_output=True, text=True).stdout.strip()}, "
        f"torch {torch.__version__}; {options.size}×{options.size}; load {os.getloadavg()[0]:.1f} before.\n"
    )
    print("| What | | sdtool | PyTorch | Ratio | Target | OpenVINO | Ratio | Target |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (part, precision), (to_torch, to_openvino) in TARGETS.items():
        if not options.no_openvino and not (options.folder / f"{part}-{options.size}.xml").exists():
            start("openvino", part, precision)
        mine = ours(part, precision)
        theirs = [start("pytorch", part, precision)]
        theirs.append(None if options.no_openvino else start("openvino", part, precision))
        if not mine:
            continue
        rows = {"": lambda m: statistics.median(m["seconds"]), "load": lambda m: m["loaded"], "resident": lambda m: m["peak"]}
        targets = {"": (to_torch, to_openvino), "load": (0.25, None), "resident": (0.6, None)}
        for row, value in rows.items():
            show = (lambda v: f"{v / 1e9:.2f} GB") if row == "resident" else (lambda v: f"{v:.2f} s")
            cells = [show(value(mine))]
            for other, target in zip(theirs, targets[row]):
                if not other:
                    cells += ["", "", ""]
                    continue
                ratio = value(mine) / value(other)
                verdict = "" if target is None else f"≤ {target} {'ok' if ratio <= target else 'MISS'}"
                cells += [show(value(other)), f"{ratio:.2f}", verdict]
            title = f"{TITLES[part]}, {precision}" if row == "" else "…"
            print(f"| {title} | {row} | " + " | ".join(cells) + " |", flush=True)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


if options.measure:
    measure(*options.measure)
else:
    main()
