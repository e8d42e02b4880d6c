"""Times sdtool against other tools and prints a Markdown table; started by open.sh."""

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

LIST_SAFETENSORS = """
import sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework=sys.argv[2]) as f:
    print("\\n".join(f.keys()))
"""

# The fastest way torch has: nothing but the pickle is read, values stay on disk.
LIST_CHECKPOINT = """
import sys, torch
model = torch.load(sys.argv[1], map_location="cpu", mmap=True, weights_only=True)
print("\\n".join(model.get("state_dict", model)))
"""


def make_headers(folder):
    """Makes files of many small tensors; returns path and size of the header of each."""
    files = {}
    for count in (9_000, 66_000, 264_000):
        path = folder / f"{count}.safetensors"
        if not path.exists():
            names = [f"model.diffusion_model.block.{i:06}.attn.weight" for i in range(count)]
            header = {
                name: {"dtype": "F16", "shape": [2, 2], "data_offsets": [8 * i, 8 * i + 8]}
                for i, name in enumerate(names)
            }
            text = json.dumps(header, separators=(",", ":")).encode()
            text += b" " * (-len(text) % 8)
            data = struct.pack("<Q", len(text)) + text + bytes(8 * count)
            part = path.with_suffix(".part")
            part.write_bytes(data)
            part.rename(path)
        with path.open("rb") as file:
            files[count] = path, struct.unpack("<Q", file.read(8))[0]
    return files


class Duration(float):
    """Seconds by the clock, and how many seconds processors worked meanwhile."""

    cpu = None

    def __str__(self):
        text = text_seconds(self)
        return text if self.cpu is None else f"{text} ({text_seconds(self.cpu)} CPU)"


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds(command):
    """Runs a command once and returns how long it took."""
    cpu = cpu_seconds()
    start = time.perf_counter()
    code = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode
    elapsed = Duration(time.perf_counter() - start)
    elapsed.cpu = cpu_seconds() - cpu
    if code:
        sys.exit(f"bench: {' '.join(map(str, command))} ended with exit code {code}")
    return elapsed


def medians(runs, *commands):
    """Runs the commands in turn, `runs` times after one run that does not count."""
    for command in commands:
        seconds(command)
    rounds = [[seconds(command) for command in commands] for _ in range(runs)]
    return [middle(times) for times in zip(*rounds)]


def middle(durations):
    """The median by the clock with the median of the processors' work."""
    result = Duration(statistics.median(durations))
    result.cpu = statistics.median(d.cpu for d in durations)
    return result


def peak_megabytes(command):
    """The most memory that a command had resident, in MB (10^6 bytes)."""
    gnu_time = "/usr/bin/time"
    if os.access(gnu_time, os.X_OK):
        # A child begins with the peak of the process that made it; GNU time is far smaller than
        # Python.
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(
                [gnu_time, "-f", "%M", "-o", out.name, *command], stdout=subprocess.DEVNULL
            )
            return int(Path(out.name).read_text().split()[-1]) * 1024 / 1e6
    with open(os.devnull, "w") as null:
        child = subprocess.Popen(command, stdout=null)
        usage = os.wait4(child.pid, 0)[2]
        child.returncode = 0
    return usage.ru_maxrss * 1024 / 1e6


def text_seconds(value):
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


class Table:
    def __init__(self):
        self.misses = 0
        print("| What | sdtool | Compared with | Ratio | Target | |")
        print("| --- | ---: | ---: | ---: | ---: | --- |", flush=True)

    def add(self, what, measured, compared, ratio, target, ok):
        self.misses += not ok
        verdict = ("ok" if ok else "MISS") if target else ""
        print(f"| {what} | {measured} | {compared} | {ratio} | {target} | {verdict} |", flush=True)

    def faster(self, what, own, name, other, least):
        """Own time must be `least` times shorter than the other."""
        ratio = other / own
        self.add(what, own, f"{name}: {other}", f"{ratio:.0f} × faster",
                 f"≥ {least} × faster", ratio >= least)

    def information(self, what, own, name, other):
        """Own time beside another, without a target."""
        self.add(what, own, f"{name}: {other}", f"{other / own:.0f} × faster", "", True)

    def within(self, what, own, name, other, most):
        """Own time may be `most` times the other."""
        ratio = own / other
        self.add(what, own, f"{name}: {other}", f"{ratio:.2f} ×",
                 f"≤ {most} ×", ratio <= most)

    def below(self, what, own, limit):
        self.add(what, own, "", "", f"≤ {text_seconds(limit)}", own <= limit)

    def memory(self, what, own, limit):
        self.add(what, f"{own:.1f} MB", "", "", f"≤ {limit} MB", own <= limit)


def machine(program):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((l.split(":")[1].strip() for l in lines if l.startswith("model name")),
               platform.machine())
    own = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.split()
    return (
        f"{datetime.date.today()}, {cpu}, {len(os.sched_getaffinity(0))} processors, "
        f"Linux {platform.release()}; sdtool {own}, Python {platform.python_version()}, "
        f"safetensors {version('safetensors')}, torch {version('torch')}, OpenSSL {openssl[1]}."
    )


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/open.sh", description=__doc__)
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--folder", required=True, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=5, help="how often each command runs (5)")
    arguments = parser.parse_args()
    program, folder = str(Path(arguments.program).resolve()), arguments.folder
    file, checkpoint = str(folder / "sd15.safetensors"), str(folder / "sd15.ckpt")
    runs, short_runs = arguments.runs, max(arguments.runs, 15)
    python = sys.executable

    print(machine(program))
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"\n**The machine was busy with other work (load {load:.1f}): what the clock says is "
              "too long.**")
    print(f"\nMedian of {runs} runs ({short_runs} where a run is short) with warm caches; "
          "whole processes, start included. CPU is the work of all processors together.\n")
    table = Table()

    inspect = [program, "inspect", file]
    own, other, bare = medians(
        runs, inspect, [python, "-c", LIST_SAFETENSORS, file, "pt"],
        [python, "-c", LIST_SAFETENSORS, file, "numpy"])
    own = medians(short_runs, inspect)[0]
    table.below("`inspect`, 2.1 GB safetensors", own, 0.025)
    table.memory("… resident", peak_megabytes(inspect), 30)
    table.faster("… against listing the names", own, "Python, safetensors, torch", other, 20)
    table.information("… without loading torch", own, "Python, safetensors, NumPy", bare)

    inspect = [program, "inspect", checkpoint]
    own, other = medians(runs, inspect, [python, "-c", LIST_CHECKPOINT, checkpoint])
    own = medians(short_runs, inspect)[0]
    table.below("`inspect`, 2.1 GB zip checkpoint", own, 0.040)
    table.memory("… resident", peak_megabytes(inspect), 30)
    table.faster("… against listing the names", own, "Python, torch.load", other, 20)

    validate = [program, "validate", file]
    own, other = medians(runs, validate, [shutil.which("cat"), file])
    table.within("`validate`, 2.1 GB F16, every value", own, "cat > /dev/null", other, 1.3)
    table.memory("… resident", peak_megabytes(validate), 60)

    digest = [program, "hash", file]
    own, other = medians(runs, digest, ["openssl", "dgst", "-sha256", file])
    table.within("`hash`, 2.1 GB", own, "openssl dgst -sha256", other, 1.15)

    headers = make_headers(folder)
    times = {}
    for count, (path, size) in headers.items():
        times[count] = medians(short_runs, [program, "inspect", str(path)])[0]
    start = medians(short_runs, [program, "--version"])[0]
    (_, small), (_, middle), (_, large) = headers.values()
    t_small, t_middle, t_large = (t - start for t in times.values())
    table.add(f"header of 9,000 tensors, {small / 1e6:.1f} MB, less process start",
              text_seconds(t_small), "", f"{t_small / small * 1e9:.0f} ns per byte", "", True)
    growth = (t_large / t_middle) / (large / middle)
    table.add(f"header of 264,000 tensors, {large / 1e6:.0f} MB, less process start",
              text_seconds(t_large), f"header of 66,000, {middle / 1e6:.1f} MB: "
              f"{text_seconds(t_middle)}", f"{growth:.2f} × per byte", "≤ 1.25 × per byte",
              growth <= 1.25)

    print(f"\n{table.misses} of the targets missed." if table.misses else "\nAll targets met.")


main()
