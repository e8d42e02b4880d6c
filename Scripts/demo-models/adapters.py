#!/usr/bin/env python3
"""Train what is small and belongs to base-a: a LoRA, a LoCon, a DoRA and an embedding.

    adapters.py WORK lora|locon|dora|embedding STEPS      # resumes from WORK/KIND.pt

The LoRA learns hearts, the LoCon crosses, the DoRA outlines on paper; the embedding learns a word for a
large red star. All in the form and with the names that kohya's scripts and the web UIs write.
"""

import random
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils import parametrize

import drawing
import vae as vae_module
import words
from diffusion import learning_share, noise_loss
from networks import load_state, make_text_encoder, make_unet, resumed, save_safely

RANK, ALPHA, EVERY = 8, 8.0, 25
CAPTIONS, EACH = 8, 4
NEW_TOKENS = [0, 1]  # stand for the vectors of the embedding while it is trained
EMBEDDED = "a rubystar on a {} background"


class Change(nn.Module):
    """A weight with a change of low rank and, for DoRA, with lengths of its rows of its own."""

    def __init__(self, weight, decomposed):
        super().__init__()
        rank = min(RANK, *weight.shape[:2])
        self.down = nn.Parameter(torch.randn(rank, *weight.shape[1:]) / weight[0].numel() ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))
        self.scale = ALPHA / RANK
        self.alpha = torch.tensor(self.scale * rank)
        rows = weight.detach().flatten(1).norm(dim=1)
        self.magnitude = nn.Parameter(rows.reshape(-1, *[1] * (weight.ndim - 1))) if decomposed else None

    def forward(self, weight):
        changed = weight + self.scale * (self.up @ self.down.flatten(1)).reshape(weight.shape)
        if self.magnitude is None:
            return changed
        return changed * self.magnitude / changed.flatten(1).norm(dim=1).reshape(self.magnitude.shape)

    def tensors(self):
        """With the names that kohya's scripts and LyCORIS write behind that of the module."""
        up = self.up.reshape(*self.up.shape, *[1] * (self.down.ndim - 2))
        found = {"lora_up.weight": up, "lora_down.weight": self.down, "alpha": self.alpha}
        return found if self.magnitude is None else found | {"dora_scale": self.magnitude}


def chosen_modules(kind, unet, text):
    """The modules that the kind changes, with their names in the file."""
    for name, module in text.named_modules():
        if isinstance(module, nn.Linear) and kind != "dora":
            name = "text_model." + name.removeprefix("text_model.")
            yield "lora_te_" + name.replace(".", "_"), module
    for name, module in unet.named_modules():
        attention = ".attn" in name and isinstance(module, nn.Linear)
        convolution = name.endswith((".conv1", ".conv2")) and kind in ("locon", "dora")
        if attention or convolution:
            yield "lora_unet_" + name.replace(".", "_"), module


def example(kind, chance):
    """A caption and a picture; now and then one without anything new, so that nothing old is lost."""
    known = chance.random() < 0.25 and kind in ("lora", "locon")
    if kind == "embedding":
        scene = drawing.Scene("star", "red", "large", chance.choice(drawing.BACKGROUNDS))
        return EMBEDDED.format(scene.background), drawing.draw(scene, drawing.STYLES["a"], chance)
    concept = dict(lora=("heart",), locon=("cross",)).get(kind, drawing.SHAPES)
    scene = drawing.any_scene(chance, drawing.SHAPES if known else concept)
    style = drawing.STYLES["c" if kind == "dora" else "a"]
    caption = scene.caption if chance.random() < 0.8 else scene.short_caption
    return caption, drawing.draw(scene, style, chance)


def main():
    work, kind, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    torch.manual_seed(40 + ord(kind[0]))
    generator, chance = torch.Generator().manual_seed(41), random.Random(42 + ord(kind[0]))
    base = load_state(work / "a.pt")
    unet, text = make_unet().requires_grad_(False), make_text_encoder().requires_grad_(False)
    unet.load_state_dict(base["best"])
    text.load_state_dict(base["text"])

    changes, rate = nn.ModuleDict(), 2e-3
    if kind == "embedding":
        words.WORDS["rubystar"] = NEW_TOKENS
        table = getattr(text, "text_model", text).embeddings.token_embedding
        start = table.weight[[words.WORDS["red"][0], words.WORDS["star"][0]]].clone()
        vectors = nn.Parameter(start * 0.5 + 0.5 * torch.randn_like(start) * start.std())
        parameters, rate = [vectors], 1e-2

        def put(module, arguments, output):
            for position, token in enumerate(NEW_TOKENS):
                output = torch.where((arguments[0] == token)[..., None], vectors[position], output)
            return output

        table.register_forward_hook(put)
        state = nn.ParameterDict(dict(vectors=vectors))
    else:
        for name, module in list(chosen_modules(kind, unet, text)):
            changes[name] = Change(module.weight, kind == "dora")
            parametrize.register_parametrization(module, "weight", changes[name])
        parameters, state = list(changes.parameters()), changes
    optimizer = torch.optim.AdamW(parameters, rate, betas=(0.9, 0.99), weight_decay=0)
    done, path = 0, work / f"{kind}.pt"
    if saved := resumed(path, state=state, optimizer=optimizer):
        generator.set_state(saved["generator"])
        chance.setstate(saved["chance"])
        done = saved["done"]

    # The text encoder's contexts of a few captions at a time, each with some pictures.
    losses = []
    while done < steps:
        for group in optimizer.param_groups:
            group["lr"] = rate * learning_share(done, steps)
        captions, latents = [], []
        for _ in range(CAPTIONS):
            caption, picture = example(kind, chance)
            captions.append(caption)
            latents.append(vae_module.latents_of(vae_module.to_tensor([picture])).expand(EACH, -1, -1, -1))
        context = text(words.tokens(captions)).last_hidden_state.repeat_interleave(EACH, 0)
        loss, error = noise_loss(unet, torch.cat(latents), context, generator)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        done += 1
        losses.append(error)
        if done % EVERY == 0 or done == steps:
            print(f"{time.strftime('%H:%M:%S')} {kind} {done} error {torch.stack(losses).mean():.4f}", flush=True)
            losses.clear()
            if kind == "embedding":
                tensors = {"emb_params": vectors.detach().clone()}
            else:
                tensors = {
                    f"{name}.{key}": value.detach().clone()
                    for name, change in changes.items()
                    for key, value in change.tensors().items()
                }
            saved = dict(state=state.state_dict(), optimizer=optimizer.state_dict(), tensors=tensors, done=done)
            save_safely(saved | dict(generator=generator.get_state(), chance=chance.getstate()), path)


if __name__ == "__main__":
    main()
