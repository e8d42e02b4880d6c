#!/usr/bin/env python3
"""Judge the demo models by 100 fixed prompts: does a picture show the shape and the colour asked for?

    judge.py [FOLDER] [COUNT]      # SDTOOL names the program

Each picture is made twice from the same file, by `sdtool txt2img` and by the pipeline of diffusers, and
the two are compared. Shape and colour are told by colour and contour (seeing.py), not by a network.
Ends with 1 if a base has less than 80 % right, or if a picture differs by more than 2 of 255.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import diffusers
import numpy as np
import torch
from PIL import Image

import seeing
import words
from diffusion import scheduler
from networks import ROOT, from_checkpoint

PROGRAM = os.environ.get("SDTOOL", str(ROOT / ".build/release/sdtool"))
SAMPLERS = {
    "ddim": lambda: scheduler(),
    "euler": lambda: diffusers.EulerDiscreteScheduler.from_config(scheduler().config),
    "euler-a": lambda: diffusers.EulerAncestralDiscreteScheduler.from_config(scheduler().config),
    "dpmpp-2m": lambda: diffusers.DPMSolverMultistepScheduler.from_config(scheduler().config),
}
STEPS, GUIDANCE = 20, 4.0


def by_program(model, caption, seed, sampler, folder):
    path = folder / "picture.png"
    subprocess.run(
        [PROGRAM, "txt2img", "--quiet", "--force", "-m", model, "-p", caption, "--seed", str(seed),
         "--sampler", sampler, "--steps", str(STEPS), "--cfg", str(GUIDANCE), "--size", "64x64",
         "--precision", "reference", "--no-hash", "-o", path],
        check=True,
    )  # fmt: skip
    return np.asarray(Image.open(path).convert("RGB"))


@torch.no_grad()
def by_diffusers(networks, caption, seed, sampler):
    unet, vae, text = networks
    pipe = diffusers.StableDiffusionPipeline(
        unet=unet, vae=vae, text_encoder=text, tokenizer=None, scheduler=SAMPLERS[sampler](),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    context, empty = text(words.tokens([caption, ""])).last_hidden_state.split(1)
    image = pipe(
        prompt_embeds=context, negative_prompt_embeds=empty, width=64, height=64, output_type="np",
        num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=torch.Generator().manual_seed(seed),
    ).images[0]  # fmt: skip
    return np.rint(image * 255).astype(np.uint8)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "fixtures/demo"
    scenes = seeing.prompts(int(sys.argv[2]) if len(sys.argv) > 2 else 100)
    torch.set_num_threads(1)
    diffusers.logging.set_verbosity_error()
    good = True
    for model in sorted(folder.glob("base-*.safetensors")):
        networks, ours, theirs, worst = from_checkpoint(model), [], [], 0
        with tempfile.TemporaryDirectory() as temporary:
            for seed, scene in enumerate(scenes):
                # Most by one sampler, for shape and colour; some by the others, for the comparison.
                sampler = "ddim" if seed % 5 else list(SAMPLERS)[seed // 5 % len(SAMPLERS)]
                ours.append(by_program(model, scene.caption, seed, sampler, Path(temporary)))
                theirs.append(by_diffusers(networks, scene.caption, seed, sampler))
                difference = np.abs(ours[-1].astype(int) - theirs[-1]).max()
                worst = max(worst, difference)
                if difference > 2:
                    print(f"{model.name}: {sampler}, seed {seed}, {scene.caption}: differs by {difference}")
        for program, pictures in ("sdtool", ours), ("diffusers", theirs):
            shape, color, both = seeing.share_right(scenes, pictures)
            print(f"{model.name} by {program}: shape {shape:.0%}, colour {color:.0%}, both {both:.0%}", flush=True)
            good = good and both >= 0.8
        print(f"{model.name}: sdtool and diffusers differ by at most {worst} of 255", flush=True)
        good = good and worst <= 2
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
