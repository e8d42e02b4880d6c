#!/usr/bin/env python3
"""Train the VAE of the demo models: pictures of 64 × 64 to latents of 8 × 8 × 4 and back.

    vae.py WORK encoder|decoder [STEPS]     # resumes from WORK/encoder.pt or WORK/decoder.pt
    vae.py WORK join                        # writes WORK/vae.pt

What the four channels mean is said, not left to be found: the brightness of each 8 × 8 square, its two
differences of colours, and how much its right half is brighter. So encoder and decoder learn at the
same time, each on its own, and the U-Net need not wait for them.
"""

import math
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

import drawing
from networks import SCALE, load_state, make_vae, prepare, resumed, save_safely

BATCH, RATE, EVERY = 8, 2e-3, 50
# Mean and deviation of each channel, over all styles.
MEANS, DEVIATIONS = (0.25, 0.035, -0.037, 0.0), (0.60, 0.32, 0.36, 0.19)
LOG_VARIANCE = -2.0  # of a latent, before the scale of Stable Diffusion: hardly any noise


def latents_of(pictures):
    """The latents that encoder and decoder agree on, from pictures between -1 and 1."""
    red, green, blue = functional.avg_pool2d(pictures, 8).unbind(1)
    halves = functional.avg_pool2d(pictures.mean(1, keepdim=True), (8, 4)).unflatten(3, (-1, 2))
    slope = (halves[..., 1] - halves[..., 0])[:, 0]
    values = torch.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2, slope], 1)
    means, deviations = torch.tensor([MEANS, DEVIATIONS])[:, None, :, None, None]
    return (values - means) / deviations


def to_tensor(pictures):
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def batch(count, chance):
    return to_tensor([drawing.any_picture(chance) for _ in range(count)])


def encode(vae, pictures):
    return vae.encode(pictures).latent_dist.mean * SCALE


def decode(vae, latents):
    return vae.decode(latents / SCALE).sample


def sheet(rows, path):
    """Rows of pictures between -1 and 1, as one picture."""
    count = rows[0].shape[0]
    rows = torch.stack(rows).clamp(-1, 1).permute(0, 3, 1, 4, 2).reshape(len(rows) * 64, count * 64, 3)
    Image.fromarray(((rows + 1) * 127.5).round().byte().numpy()).save(path)


@torch.no_grad()
def judge(vae, part, work):
    """How near the part comes on pictures that were not trained on, in dB; and a sheet to look at."""
    pictures = batch(24, random.Random(2))
    if part == "encoder":
        return -10 * math.log10((encode(vae, pictures) - latents_of(pictures)).square().mean())
    back = decode(vae, latents_of(pictures) if part == "decoder" else encode(vae, pictures)).clamp(-1, 1)
    sheet([pictures[:12], back[:12], pictures[12:], back[12:]], work / f"{part}.png")
    return -10 * math.log10(((back - pictures) / 2).square().mean())


def train(part, work, steps):
    torch.manual_seed(1)
    chance = random.Random(1 if part == "encoder" else 2)
    vae = prepare(make_vae(), 1)
    modules = torch.nn.ModuleList(
        [vae.encoder, vae.quant_conv] if part == "encoder" else [vae.post_quant_conv, vae.decoder]
    )
    with torch.no_grad():
        vae.post_quant_conv.weight *= 1.5 * SCALE
        vae.quant_conv.weight[:4] *= 1 / SCALE
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = LOG_VARIANCE
    average = torch.optim.swa_utils.AveragedModel(
        modules, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98)
    )
    optimizer = torch.optim.AdamW(modules.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0)
    done, path = 0, work / f"{part}.pt"
    if saved := resumed(path, modules=modules, average=average, optimizer=optimizer):
        torch.set_rng_state(saved["torch"])
        chance.setstate(saved["chance"])
        done = saved["done"]

    losses = []
    while done < steps:
        rate = min(1, (done + 1) / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * done / steps)))
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate
        pictures = batch(BATCH, chance)
        latents = latents_of(pictures)
        if part == "encoder":
            error = encode(vae, pictures) - latents
        else:
            error = decode(vae, latents + 0.05 * torch.randn_like(latents)) - pictures
        loss = error.square().mean() + 0.3 * error.abs().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(modules.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(modules)
        done += 1
        losses.append(error.detach().square().mean())
        if done % EVERY == 0 or done == steps:
            mean = torch.stack(losses).mean()
            losses.clear()
            now = {name: value.clone() for name, value in modules.state_dict().items()}
            modules.load_state_dict(average.module.state_dict())
            print(f"{time.strftime('%H:%M:%S')} {part} {done} error {mean:.5f}, {judge(vae, part, work):.2f} dB", flush=True)
            modules.load_state_dict(now)
            state = dict(modules=now, average=average.state_dict(), optimizer=optimizer.state_dict(), done=done)
            save_safely(state | dict(torch=torch.get_rng_state(), chance=chance.getstate()), path)


def join(work):
    """Both parts as one VAE, with what `average` holds of them."""
    vae = make_vae()
    for part, modules in ("encoder", [vae.encoder, vae.quant_conv]), ("decoder", [vae.post_quant_conv, vae.decoder]):
        saved = load_state(work / f"{part}.pt")["average"]
        names = {name.removeprefix("module."): value for name, value in saved.items() if name != "n_averaged"}
        torch.nn.ModuleList(modules).load_state_dict(names)
    print(f"there and back: {judge(vae, 'vae', work):.2f} dB", flush=True)
    torch.save(vae.state_dict(), work / "vae.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    work, part = Path(sys.argv[1]), sys.argv[2]
    if part == "join":
        join(work)
    else:
        train(part, work, int(sys.argv[3]) if len(sys.argv) > 3 else 2000)
