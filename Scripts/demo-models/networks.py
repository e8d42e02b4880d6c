"""The networks of the demo models, and their files.

Stable Diffusion 1.5 in everything but the widths, so each file reads like a checkpoint of it.
"""

import os
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

ROOT = Path(__file__).resolve().parents[2]
KEYS = ROOT / "fixtures/sd15_keymap.tsv"
WIDTH, CONTEXT, TOKENS, END = 32, 24, 77, 49407
SCALE = 0.18215


def make_vae():
    return AutoencoderKL(
        block_out_channels=(WIDTH,) * 4,
        layers_per_block=2,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        latent_channels=4,
        sample_size=64,
        scaling_factor=SCALE,
    )


def make_unet(channels=4):
    return UNet2DConditionModel(
        in_channels=channels,
        block_out_channels=(WIDTH,) * 4,
        cross_attention_dim=CONTEXT,
        attention_head_dim=8,
        sample_size=8,
    )


def make_text_encoder():
    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=CONTEXT,
            intermediate_size=4 * CONTEXT,
            num_hidden_layers=12,
            num_attention_heads=12,
            max_position_embeddings=TOKENS,
            vocab_size=END + 1,
            bos_token_id=END - 1,
            eos_token_id=END,
        )
    )


def save_safely(value, path):
    """Write a checkpoint so that an interruption leaves the one before."""
    path = Path(path)
    torch.save(value, path.with_suffix(".new"))
    os.replace(path.with_suffix(".new"), path)


def load_state(path):
    return torch.load(path, weights_only=False)


def resumed(path, **parts):
    """What was saved, with which the parts go on; nothing if it is the beginning."""
    if not path.exists():
        return None
    saved = load_state(path)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return saved


def keys():
    """For each tensor: its name in a checkpoint, its component and name in diffusers, its ranks."""
    for line in KEYS.read_text().splitlines():
        name, component, inner, shape, inner_shape = (line.split("\t") + [""])[:5]
        yield name, component, inner, shape.count("x"), (inner_shape or shape).count("x")


def inner_name(name, state):
    """The name as this version of transformers has it, or none: equal widths need no shortcut."""
    return next((n for n in (name, name.removeprefix("text_model.")) if n in state), None)


def to_checkpoint(unet, vae, text):
    """One dictionary with the names of Stable Diffusion 1.5, in half precision."""
    states = {"unet": unet.state_dict(), "vae": vae.state_dict(), "text_encoder": text.state_dict()}
    found = {}
    for name, component, inner, rank, inner_rank in keys():
        inner = inner_name(inner, states[component])
        if inner is None:
            continue
        tensor = states[component][inner].detach().clone().half()
        found[name] = tensor[:, :, None, None] if rank == 3 and inner_rank == 1 else tensor
    assert len(found) == sum(map(len, states.values())), "a tensor has no name"
    return {name: tensor.contiguous() for name, tensor in found.items()}


def from_checkpoint(path):
    """U-Net, VAE and text encoder of a file, in single precision."""
    tensors = load_file(path)
    channels = tensors["model.diffusion_model.input_blocks.0.0.weight"].shape[1]
    modules = {"unet": make_unet(channels), "vae": make_vae(), "text_encoder": make_text_encoder()}
    states = {name: module.state_dict() for name, module in modules.items()}
    for name, component, inner, rank, inner_rank in keys():
        inner = inner_name(inner, states[component])
        if inner is None or name not in tensors:
            continue
        states[component][inner] = tensors[name].float().reshape(states[component][inner].shape)
    for name, module in modules.items():
        module.load_state_dict(states[name])
        module.eval()
    return modules["unet"], modules["vae"], modules["text_encoder"]


def write(tensors, path, metadata):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"format": "pt"} | metadata)
    print(f"{path}: {Path(path).stat().st_size:,} bytes", flush=True)


@torch.no_grad()
def prepare(network, seed):
    """Begin where narrow networks learn fast.

    With 32 channels in 32 groups, each normalisation takes the mean and the contrast from every single
    channel, and with them the colours. So residual branches begin at nearly nothing, and large biases
    before padded convolutions give each channel a fixed contrast between border and middle, to which
    that of the picture is small: the normalisations then leave it as it is.
    """
    chance = torch.Generator().manual_seed(seed)

    def large(bias):
        bias.copy_(3 * torch.randn(bias.shape, generator=chance).sign())

    for name, module in network.named_modules():
        if name.endswith((".conv2", ".to_out.0", ".proj_out", ".net.2")):
            module.weight *= 0.1
            module.bias *= 0.1
    if hasattr(network, "post_quant_conv"):
        large(network.post_quant_conv.bias)
        large(network.encoder.conv_in.bias)
    else:
        large(network.conv_in.bias)
    return network
