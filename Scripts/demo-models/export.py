#!/usr/bin/env python3
"""Write what was trained as the files of fixtures/demo, in half precision, with their checksums.

    export.py WORK [FOLDER]
"""

import hashlib
import sys
from pathlib import Path

from networks import ROOT, load_state, make_text_encoder, make_unet, make_vae, to_checkpoint, write

ADAPTERS = dict(lora="heart-lora", locon="cross-locon", dora="paper-dora", embedding="rubystar")
NETWORKS = dict(lora="networks.lora", locon="lycoris.kohya", dora="lycoris.kohya")
ALGORITHMS = dict(locon='{"algo": "locon"}', dora='{"algo": "locon", "dora_wd": "True", "wd_on_out": "True"}')


def main():
    work = Path(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "fixtures/demo"
    vae = make_vae()
    vae.load_state_dict(load_state(work / "vae.pt"))
    for name in "abc":
        unet, text = make_unet(), make_text_encoder()
        saved = load_state(work / f"{name}.pt")
        unet.load_state_dict(saved["best"])
        text.load_state_dict(saved["text"])
        metadata = {"modelspec.title": f"demo base-{name}", "modelspec.license": "see README.md beside this file"}
        write(to_checkpoint(unet, vae, text), folder / f"base-{name}.safetensors", metadata)
    for kind, name in ADAPTERS.items():
        if not (work / f"{kind}.pt").exists():
            continue
        tensors = load_state(work / f"{kind}.pt")["tensors"]
        metadata = {"ss_network_module": NETWORKS[kind]} if kind in NETWORKS else {}
        metadata |= {"ss_network_args": ALGORITHMS[kind]} if kind in ALGORITHMS else {}
        write({key: value.half().contiguous() for key, value in tensors.items()}, folder / f"{name}.safetensors", metadata)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.safetensors"))]
    (folder / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
