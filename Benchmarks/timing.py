"""What the measurements have in common: running a program, and what it took."""

import argparse
import os
import pathlib
import subprocess
import sys
import time


def options(runs, **others):
    """A parser of the arguments that every measurement takes."""
    parser = argparse.ArgumentParser(**others)
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=runs)
    return parser


def run(arguments, codes=(0,), environment=None):
    """The seconds, processor seconds and peak resident bytes of a program."""
    arguments = list(map(str, arguments))
    start = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) not in codes:
        sys.exit(f"failed: {' '.join(arguments)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
