#!/usr/bin/env python3
"""The pictures of docs/merging-by-pictures.md: one block at a time from another model.

    sweep.py [FOLDER]      # docs/images; SDTOOL names the program

Each cell is a merge that is computed while it is loaded, from a recipe of a few lines.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from networks import ROOT

PROGRAM = os.environ.get("SDTOOL", str(ROOT / ".build/release/sdtool"))
BLOCKS = [f"IN{i:02}" for i in range(12)] + ["M00"] + [f"OUT{i:02}" for i in range(12)] + ["TIME", "OUT"]
SIDE, GAP, LABEL = 64, 6, 14
PROMPTS = "a large red star on a plain background", "a small blue circle on the left of a striped background"


def picture(one, two, weights, prompt, seed, folder):
    """A picture by `one` with the given blocks from `two`."""
    recipe, path = folder / "recipe.yaml", folder / "picture.png"
    blocks = ", ".join(f"{place}: {weight}" for place, weight in weights.items())
    recipe.write_text(
        "recipe: 1\n"
        f"models: {{one: {ROOT}/fixtures/demo/{one}.safetensors, two: {ROOT}/fixtures/demo/{two}.safetensors}}\n"
        "steps:\n"
        f"  - {{method: weighted-sum, models: [one, two], alpha: {{value: 0, blocks: {{{blocks}}}}}}}\n"
    )
    subprocess.run(
        [PROGRAM, "txt2img", "--quiet", "--force", "--no-hash", "-m", recipe, "-p", prompt, "--size", "64x64",
         "--cfg", "4", "--seed", str(seed), "--precision", "reference", "-o", path],
        check=True,
    )  # fmt: skip
    return Image.open(path).convert("RGB")


def sheet(rows, path):
    """Rows of labelled pictures: [[(label, picture), …], …]."""
    width = max(map(len, rows)) * (SIDE + GAP) + GAP
    image = Image.new("RGB", (width, len(rows) * (SIDE + LABEL + GAP) + GAP), "white")
    pen = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        for x, (label, cell) in enumerate(row):
            left, top = GAP + x * (SIDE + GAP), GAP + y * (SIDE + LABEL + GAP)
            pen.text((left + SIDE / 2, top), label, fill=(40, 40, 40), anchor="mt")
            image.paste(cell, (left, top + LABEL))
    image.quantize(128).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes", flush=True)


def swept(one, two, prompt, seed, folder):
    """All blocks one by one, nine in a row, after the picture without any."""
    cells = [(one, picture(one, two, {}, prompt, seed, folder))]
    cells += [(block, picture(one, two, {block: 1}, prompt, seed, folder)) for block in BLOCKS]
    return [cells[i : i + 10] for i in range(0, len(cells), 10)]


def main():
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, one, two in ("night", "base-a", "base-b"), ("day", "base-b", "base-a"), ("paper", "base-a", "base-c"):
            rows = swept(one, two, PROMPTS[0], 2, folder)
            sheet(rows, target / f"sweep-{name}.png")
        groups = {
            "nothing": [], "IN00..02": BLOCKS[:3], "IN03..05": BLOCKS[3:6], "IN06..11": BLOCKS[6:12], "M00": ["M00"],
            "OUT00..05": BLOCKS[13:19], "OUT06..08": BLOCKS[19:22], "OUT09..11": BLOCKS[22:25],
            "TIME+OUT": BLOCKS[25:], "all": BLOCKS,
        }  # fmt: skip
        rows = []
        for one, two, prompt, seed in (
            ("base-a", "base-b", PROMPTS[0], 2), ("base-a", "base-b", PROMPTS[1], 2),
            ("base-b", "base-a", PROMPTS[0], 2), ("base-a", "base-c", PROMPTS[0], 2),
        ):  # fmt: skip
            rows.append([
                (label, picture(one, two, {place: 1 for place in places}, prompt, seed, folder))
                for label, places in groups.items()
            ])
        sheet(rows, target / "sweep-groups.png")


if __name__ == "__main__":
    main()
