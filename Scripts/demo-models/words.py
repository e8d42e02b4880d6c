"""Tokens of captions, and the first lesson of the text encoder: to tell what a caption says."""

import torch
from torch import nn

from drawing import ALL_SCENES, BACKGROUNDS, COLORS, PLACES, SHAPES, SIZES
from networks import CONTEXT, END, TOKENS

# CLIP's tokens of all words that captions use, as `sdtool tokenize` shows them.
WORDS = {
    "a": [320], "small": [2442], "large": [3638], "on": [525], "the": [518], "left": [1823], "right": [1155],
    "of": [539], "plain": [10709], "striped": [22192], "background": [5994],
    "red": [736], "yellow": [4481], "green": [1901], "cyan": [1470, 550], "blue": [1746], "purple": [5496],
    "circle": [7117], "square": [3999], "triangle": [14615], "star": [1565], "heart": [1936], "cross": [3417],
}  # fmt: skip


def tokens(captions):
    """77 tokens of each caption, as the text encoder gets them."""
    rows = []
    for caption in captions:
        row = [END - 1] + [token for word in caption.split() for token in WORDS[word]]
        rows.append(row + [END] * (TOKENS - len(row)))
    return torch.tensor(rows)


def lesson(encoder, steps=400, rate=2e-3, seed=4):
    """Train the text encoder until each property of a scene can be read from any late token.

    CLIP learns from pictures what the words of a caption mean together; here they are told at once. The
    U-Net then finds every property in the context and only learns what it looks like.
    """
    chance = torch.Generator().manual_seed(seed)
    properties = [SHAPES, tuple(COLORS), tuple(SIZES), BACKGROUNDS, tuple(PLACES)]
    heads = nn.ModuleList(nn.Linear(CONTEXT, len(values)) for values in properties)
    captions = tokens([scene.caption for scene in ALL_SCENES])
    answers = torch.tensor([
        [values.index(value) for values, value in zip(properties, vars(scene).values())] for scene in ALL_SCENES
    ])
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, rate, betas=(0.9, 0.99), weight_decay=0)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 40) * (1 - step / steps)
        chosen = torch.randperm(len(ALL_SCENES), generator=chance)[:16]
        output = encoder(captions[chosen]).last_hidden_state[:, 13:]
        loss = sum(
            nn.functional.cross_entropy(head(output).flatten(0, 1), answers[chosen, i].repeat_interleave(output.shape[1]))
            for i, head in enumerate(heads)
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 20 == 19:
            print(f"text {step + 1} loss {loss.item():.4f}", flush=True)
