"""A GGUF file → a float32 safetensors checkpoint, as a program: `python -m builder.sources.gguf FILE FOLDER`.

A GGUF is dequantised at every load (10 CPU s for SmolLM2-135M, and 3.4 for its tokenizer); converted once it loads in
half a second with bit-identical logits (bfloat16 would move them by 0.14). The process gives its memory back.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

__all__ = ["align", "convert"]

LINE = 64
"""Bytes of a cache line."""


def convert(file: Path, folder: Path) -> dict[str, str]:
    """Write config, weights and tokenizer of `file` into `folder`; return the versions of what did it."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # all that is needed is in the file
    import gguf  # noqa: F401  (transformers only says "please install" later on)
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    log: Any = transformers.utils.logging
    log.set_verbosity_error()
    log.disable_progress_bar()
    where: dict[str, Any] = {"gguf_file": file.name, "local_files_only": True}
    loaded = AutoModelForCausalLM.from_pretrained(
        file.parent, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True), **where
    )
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):  # `save_pretrained` refuses a network that came from a GGUF
        network = type(loaded)(config)
    network.load_state_dict(loaded.state_dict(), strict=True, assign=True)
    network.tie_weights()
    network.generation_config = loaded.generation_config
    network.save_pretrained(folder)
    for weights in folder.glob("*.safetensors"):
        align(weights)
    AutoTokenizer.from_pretrained(file.parent, **where).save_pretrained(folder)
    return {"torch": torch.__version__, "transformers": transformers.__version__}


def align(file: Path) -> None:
    """Move the numbers of a safetensors file to where a cache line begins: products of those take a tenth less.

    Its header may end with spaces: https://github.com/huggingface/safetensors#format
    """
    moved = file.with_suffix(".aligned")
    with file.open("rb") as old, moved.open("wb") as new:
        header = old.read(int.from_bytes(old.read(8), "little"))
        header += b" " * (-(8 + len(header)) % LINE)
        new.write(len(header).to_bytes(8, "little") + header)
        shutil.copyfileobj(old, new, 1 << 20)
    moved.replace(file)


if __name__ == "__main__":
    # The answer goes to the caller on the last line of stdout, in JSON: this is a program, not the command line.
    sys.stdout.write("\n" + json.dumps(convert(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
