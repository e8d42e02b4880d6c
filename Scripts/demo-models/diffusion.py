#!/usr/bin/env python3
"""Train the U-Net and the text encoder of a base model.

    diffusion.py WORK stem STEPS      # from nothing, in style a; resumes from WORK/stem.pt
    diffusion.py WORK a STEPS         # goes on from the stem in a style: a, b or c

Both learn the stem together: the text encoder first learns to tell what a caption says, then what the U-Net asks
of it, and then stays as it is, so that its contexts are worked out once.
"""

import argparse
import math
import random
import time
from pathlib import Path

import torch
from diffusers import DDIMScheduler

import drawing
import vae as vae_module
import words
from networks import load_state, make_text_encoder, make_unet, prepare, resumed, save_safely

BATCH, CAPTIONS, RATE, EVERY = 64, 16, 2e-3, 100
EMPTY = 0.1  # so often, the caption is empty: for guidance
MEANS_COUNT = 12
CACHED = 24  # pictures of each scene


def scheduler():
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip


def cached_latents(style, scenes, path, seed):
    """Latents of some pictures of each scene, in the order of the scenes."""
    if path.exists():
        return load_state(path)
    chance, found = random.Random(seed), []
    for scene in scenes:
        pictures = [drawing.draw(scene, drawing.STYLES[style], chance) for _ in range(CACHED)]
        found.append(vae_module.latents_of(vae_module.to_tensor(pictures)).half())
    save_safely(torch.stack(found), path)
    return torch.stack(found)


def alphas():
    return scheduler().alphas_cumprod


def noise_loss(unet, latents, context, chance, levels=None):
    """The error of the predicted noise; steps with little noise count less, as min-SNR says."""
    levels = alphas() if levels is None else levels
    count = latents.shape[0]
    # Spread over all steps in each batch, rather than drawn one by one.
    steps = ((torch.arange(count) + torch.rand(count, generator=chance)) / count * 1000).long()
    steps = steps[torch.randperm(count, generator=chance)]
    noise = torch.randn(latents.shape, generator=chance)
    level = levels[steps][:, None, None, None]
    noisy = level.sqrt() * latents + (1 - level).sqrt() * noise
    wrong = unet(noisy, steps, context).sample - noise
    error = wrong.square().mean((1, 2, 3))
    # The mean of a picture is what narrow networks see least and what makes its background.
    whole = wrong.mean((2, 3)).square().mean(1)
    ratio = levels[steps] / (1 - levels[steps])
    return ((error + MEANS_COUNT * whole) * (5 / ratio).clamp(max=1)).mean(), error.detach().mean()


@torch.no_grad()
def sample(unet, text, captions, seed=1, guidance=4.0, steps=20, channels=None):
    """Latents of the captions, by DDIM; `channels` is what an inpainting model also gets."""
    plan = scheduler()
    plan.set_timesteps(steps)
    context = text(words.tokens([*captions, ""])).last_hidden_state
    context, empty = context[:-1], context[-1:].expand(len(captions), -1, -1)
    latents = torch.randn(len(captions), 4, 8, 8, generator=torch.Generator().manual_seed(seed))
    for step in plan.timesteps:
        given = latents if channels is None else torch.cat([latents, channels], 1)
        one, two = unet(torch.cat([given] * 2), step, torch.cat([empty, context])).sample.chunk(2)
        latents = plan.step(one + guidance * (two - one), step, latents).prev_sample
    return latents


def learning_share(done, steps, falls=True):
    """The share of the learning rate: rises at once and falls at leisure."""
    return min(1, (done + 1) / 50) * (0.01 + 0.495 * (1 + math.cos(math.pi * done / steps)) if falls else 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("model", choices=["stem", *drawing.STYLES])
    parser.add_argument("steps", type=int)
    options = parser.parse_args()
    work, model = options.work, options.model
    style = "a" if model == "stem" else model
    torch.set_num_threads(1)
    torch.manual_seed(10)
    chance = torch.Generator().manual_seed(20 + ord(model[0]))
    scenes = drawing.ALL_SCENES
    latents = cached_latents(style, scenes, work / f"latents-{style}.pt", 30 + ord(style))
    captions = words.tokens([scene.caption for scene in scenes] + [scene.short_caption for scene in scenes] + [""])

    unet, text = prepare(make_unet(), 5), make_text_encoder()
    rate, learn_text = RATE, 0
    path, lesson = work / f"{model}.pt", work / "text.pt"
    if model != "stem":
        stem = load_state(work / "stem.pt")
        unet.load_state_dict(stem["best"])
        text.load_state_dict(stem["text"])
        rate *= 0.75
    else:
        learn_text = options.steps // 3
        if not lesson.exists():
            words.lesson(text)
            save_safely(text.state_dict(), lesson)
        text.load_state_dict(load_state(lesson))
    average = torch.optim.swa_utils.AveragedModel(
        unet, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)
    )
    groups = [dict(params=unet.parameters(), scale=1.0), dict(params=text.parameters(), scale=0.1)]
    optimizer = torch.optim.AdamW(groups, rate, betas=(0.9, 0.99), weight_decay=0)
    done = 0
    if saved := resumed(path, unet=unet, text=text, average=average, optimizer=optimizer):
        chance.set_state(saved["chance"])
        done = saved["done"]

    context, levels, losses = None, alphas(), []
    while done < options.steps:
        if done >= learn_text and context is None:
            with torch.no_grad():
                context = torch.cat([text(part).last_hidden_state for part in captions.split(64)])
        share = learning_share(done, options.steps, falls=model != "stem")
        for group in optimizer.param_groups:
            group["lr"] = rate * share * group["scale"]

        count = CAPTIONS if context is None else BATCH
        chosen = torch.randint(len(scenes), (count,), generator=chance)
        kind = torch.rand(count, generator=chance)
        caption = torch.where(kind < EMPTY, 2 * len(scenes), chosen + len(scenes) * (kind > 0.85))
        given = text(captions[caption]).last_hidden_state if context is None else context[caption]
        repeats = BATCH // count
        chosen, given = chosen.repeat_interleave(repeats), given.repeat_interleave(repeats, 0)
        picture = torch.randint(CACHED, (BATCH,), generator=chance)
        loss, error = noise_loss(unet, latents[chosen, picture].float(), given, chance, levels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        torch.nn.utils.clip_grad_norm_(text.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(unet)
        done += 1
        losses.append(error)
        if done % EVERY == 0 or done == options.steps:
            mean = torch.stack(losses).mean()
            losses.clear()
            print(f"{time.strftime('%H:%M:%S')} {model} {done} error {mean:.4f}", flush=True)
            state = dict(unet=unet.state_dict(), text=text.state_dict(), average=average.state_dict())
            state |= dict(best=average.module.state_dict(), optimizer=optimizer.state_dict())
            save_safely(state | dict(chance=chance.get_state(), done=done), path)


if __name__ == "__main__":
    main()
