"""Times forward passes; see forward.sh.

Every measurement is a process of its own, so that its memory is its own. In every round the programs
take turns; what counts is the median of all runs but the first of each process.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

PARTS = {
    "unet": "U-Net step with guidance",
    "vae": "VAE decode",
    "text": "CLIP, 2 prompts",
    "txt2img": "txt2img, process start included",
}
# Ratios that are aimed at: of seconds to PyTorch and to OpenVINO, in f32 and bf16.
TARGETS = {
    "unet": {"f32": (0.5, 0.75), "bf16": (0.6, 0.9)},
    "vae": {"f32": (0.4, 0.6), "bf16": (0.6, 0.6)},
    "text": {"f32": (1.0, None), "bf16": (1.0, None)},
    "txt2img": {"f32": (0.5, None), "bf16": (0.5, None)},
}


def words(text):
    return text.split(",")


parser = argparse.ArgumentParser()
parser.add_argument("--program", required=True)
parser.add_argument("--folder", type=Path, required=True)
parser.add_argument("--only", type=words, default=list(PARTS))
parser.add_argument("--precision", type=words, default=["f32", "bf16"])
parser.add_argument("--rounds", type=int, default=1, help="processes of each program")
parser.add_argument("--runs", type=int, default=3, help="runs that count in each process")
parser.add_argument("--size", type=int, default=512)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--no-openvino", action="store_true")
parser.add_argument("--export", action="store_true", help="only export the model for OpenVINO")
parser.add_argument("--measure", nargs=3, metavar=("TOOL", "PART", "PRECISION"), help=argparse.SUPPRESS)
options = parser.parse_args()
model = options.folder / "sd15-1"
side = options.size // 8


def network(part, dtype):
    """A component as PyTorch runs it best, and its inputs."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    kind, name = {
        "unet": (UNet2DConditionModel, "unet"),
        "vae": (AutoencoderKL, "vae"),
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
        "vae": (latent[:1],),
        "text": (torch.full((2, 77), 320),),
    }[part]
    module = Part()
    if part != "text":
        module = module.to(memory_format=torch.channels_last)
        inputs = tuple(x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs)
    return module, inputs


def exported(part):
    return options.folder / f"{part}-{options.size}.xml"


def pytorch(part, precision):
    import torch

    torch.set_grad_enabled(False)
    torch.set_num_threads(options.threads)
    module, inputs = network(part, torch.float32 if precision == "f32" else torch.bfloat16)
    return lambda: module(*inputs)


def pipeline(precision):
    """A whole picture, as a script with diffusers makes it."""
    import torch
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    torch.set_num_threads(options.threads)
    dtype = torch.float32 if precision == "f32" else torch.bfloat16
    made = StableDiffusionPipeline.from_pretrained(
        model, torch_dtype=dtype, safety_checker=None, requires_safety_checker=False
    )
    made.scheduler = DDIMScheduler.from_config(made.scheduler.config)
    made.unet.to(memory_format=torch.channels_last)
    made.vae.to(memory_format=torch.channels_last)
    made.set_progress_bar_config(disable=True)

    def run():
        generator = torch.Generator().manual_seed(1)
        result = made(
            "a lighthouse", num_inference_steps=options.steps, guidance_scale=7, generator=generator,
            height=options.size, width=options.size,
        )
        result.images[0].save(options.folder / "pytorch.png")

    return run


def openvino(part, precision):
    import numpy
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": options.threads}
    compiled = core.compile_model(exported(part), "CPU", settings)
    numbers = numpy.random.default_rng(1)
    inputs = [
        numbers.standard_normal(tuple(p.shape), dtype=numpy.float32)
        if p.element_type.is_real()
        else numpy.full(tuple(p.shape), 320, dtype=numpy.int64)
        for p in compiled.inputs
    ]
    return lambda: compiled(inputs)


def export(part):
    """Writes the component in OpenVINO's format, with weights in F16, as its own tools do."""
    import openvino
    import torch

    torch.set_grad_enabled(False)
    module, inputs = network(part, torch.float32)
    shapes = [list(x.shape) for x in inputs]
    converted = openvino.convert_model(module, example_input=inputs, input=shapes)
    openvino.save_model(converted, exported(part), compress_to_fp16=True)


def measure(tool, part, precision):
    """Prints the seconds to the first run, and those of each."""
    start = time.monotonic()
    if tool == "export":
        export(part)
        return
    if part == "txt2img":
        run = pipeline(precision)
    else:
        run = {"pytorch": pytorch, "openvino": openvino}[tool](part, precision)
    loaded = time.monotonic() - start
    seconds = []
    for _ in range(1 if part == "txt2img" else options.runs + 1):
        begin = time.monotonic()
        run()
        seconds.append(time.monotonic() - begin)
    print(json.dumps({"load": loaded, "runs": seconds}))


def start(command):
    """Runs a command; what it printed, its seconds of clock and processor, and its peak of memory."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
    begin = time.monotonic()
    process = subprocess.Popen(
        [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        return None
    lines = text[text.find(b"{") :] if b"{" in text else b"{}"
    return {
        **json.loads(lines), "whole": time.monotonic() - begin, "peak": usage.ru_maxrss * 1024,
        "processor": usage.ru_utime + usage.ru_stime,
    }


def theirs(tool, part, precision):
    command = [sys.executable, __file__, "--program", options.program, "--folder", options.folder]
    command += ["--runs", options.runs, "--size", options.size, "--threads", options.threads]
    return start(command + ["--steps", options.steps, "--measure", tool, part, precision])


def ours(part, precision):
    common = ["--model", model, "--precision", precision, "--threads", options.threads]
    if part == "txt2img":
        return start(
            [options.program, "txt2img", *common, "-p", "a lighthouse", "--steps", options.steps, "--sampler", "ddim"]
            + ["--cfg", 7, "--size", f"{options.size}x{options.size}", "--seed", 1, "--force", "--quiet"]
            + ["-o", options.folder / "sdtool.png"]
        )
    done = start(
        [options.program, "forward", {"vae": "vae-decode"}.get(part, part), *common, "--json", "--force"]
        + ["--size", f"{options.size}x{options.size}", "--batch", 1 if part == "vae" else 2]
        + ["--runs", options.runs + 1, "-o", options.folder / "out.safetensors"]
    )
    if done:
        # All that is not computing: starting, reading, writing, ending.
        done["load"] = done["whole"] - sum(done["runs"])
    return done


class Series:
    """What one program took, in all rounds."""

    def __init__(self):
        self.measured = []

    def add(self, measured):
        if measured:
            self.measured.append(measured)

    def median(self, part):
        if part == "txt2img":
            return statistics.median(m["whole"] for m in self.measured)
        return statistics.median(s for m in self.measured for s in m["runs"][1:])

    def first(self):
        return statistics.median(m["runs"][0] for m in self.measured)

    def load(self):
        return statistics.median(m["load"] for m in self.measured)

    def peak(self):
        return max(m["peak"] for m in self.measured)


def seconds(value):
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"


def size(value):
    return f"{value / 1e9:.2f} GB"


def row(title, what, value, mine, others, targets, show):
    cells = [show(value(mine))]
    for other, target in zip(others, targets):
        if not other.measured:
            cells += ["", "", ""]
            continue
        ratio = value(mine) / value(other)
        verdict = f"≤ {target} {'ok' if ratio <= target else 'MISS'}" if target else ""
        cells += [show(value(other)), f"{ratio:.2f}", verdict]
    print(f"| {title} | {what} | " + " | ".join(cells) + " |", flush=True)


def compare(part, precision):
    mine, torch, vino = Series(), Series(), Series()
    for _ in range(options.rounds):
        mine.add(ours(part, precision))
        torch.add(theirs("pytorch", part, precision))
        if not options.no_openvino and part != "txt2img":
            vino.add(theirs("openvino", part, precision))
    title = f"{PARTS[part]}, {precision}"
    if part == "txt2img":
        title = title.replace(",", f", {options.steps} steps,", 1)
    if not mine.measured:
        print(f"| {title} | failed |", flush=True)
        return
    others = [torch, vino]
    row(title, "", lambda s: s.median(part), mine, others, TARGETS[part][precision], seconds)
    if part != "txt2img":
        row("", "first run", Series.first, mine, others, (None, None), seconds)
        row("", "start to first run", Series.load, mine, others, (0.25, None), seconds)
    row("", "peak resident", Series.peak, mine, others, (0.6, None), size)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    # Nothing large may be imported here: what this process has in memory counts for its children.
    if not options.no_openvino:
        for part in ("unet", "vae", "text"):
            if part in options.only and not exported(part).exists():
                theirs("export", part, "f32")
                if not exported(part).exists():
                    print(f"bench: {part} could not be exported for OpenVINO", file=sys.stderr)
    if options.export:
        return
    packages = ["torch", "diffusers", "transformers"] + ([] if options.no_openvino else ["openvino"])
    told = subprocess.run([options.program, "--version"], capture_output=True, text=True).stdout.strip()
    print(
        f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} processors, {options.threads} threads, "
        f"Linux {platform.release()}; sdtool {told}, "
        + ", ".join(f"{p} {version(p)}" for p in packages)
        + f"; {options.size}×{options.size}, {options.rounds} × {options.runs} runs; "
        f"load {os.getloadavg()[0]:.1f} before.\n"
    )
    print("| What | | sdtool | PyTorch | Ratio | Target | OpenVINO | Ratio | Target |")
    print("| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | --- |", flush=True)
    for part in options.only:
        for precision in options.precision:
            compare(part, precision)
    print(f"\nLoad {os.getloadavg()[0]:.1f} after.")


if options.measure:
    measure(*options.measure)
else:
    main()
