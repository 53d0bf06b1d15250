"""RXNMapper's encoder, one of whose heads maps the atoms of a product to those it was made of: a known right answer.

Its wheel holds a pickle, which the product never reads. It is read here, as tensors and nothing else, and kept as a
checkpoint in the user's cache, with a tokenizer made from its vocabulary.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import AlbertConfig, AlbertForMaskedLM, PreTrainedTokenizerFast

from builder.site import ModelSource
from builder.sources import wheels
from builder.sources.store import make_once

PACKAGE, VERSION = "rxnmapper", "0.4.3"
SOURCE = ModelSource(
    name=PACKAGE,
    source=f"pypi:{PACKAGE}=={VERSION}",
    sha256="27876a4286881aafd286fd6f24a6a56a4ca6ba22d68e035a0ea120106c541ba5",
    license="MIT",
)
INSIDE = "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k"

LAYER, HEAD = 10, 5
"""The head that maps atoms, both from 0 (Schwaller et al. 2021, https://doi.org/10.1126/sciadv.abe4166)."""

ATOM = r"\[[^\]]+\]|Br|Cl|[A-Za-z]"
PIECES = rf"{ATOM}|%\d\d|>>|\S"
"""SMILES in pieces: an atom in brackets, one of two letters, a ring of two digits, the arrow, and any other sign."""

SIZES = (
    "embedding_size",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_hidden_layers",
    "max_position_embeddings",
    "type_vocab_size",
    "vocab_size",
    "hidden_act",
    "layer_norm_eps",
    "pad_token_id",
)


def fetch_source() -> ModelSource:
    """Return where the converted checkpoint lies in the user's cache; its wheel is fetched where it does not yet."""
    return ModelSource(name=PACKAGE, source=str(make_once(wheels.fingerprint(SOURCE), _convert)))


def find_atoms(tokens: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[int]]:
    """Return where the atoms stand, of what reacts and of the product, in the order of their SMILES."""
    atoms = [i for i, token in enumerate(tokens) if re.fullmatch(ATOM, token["text"]) and not token.get("special")]
    arrow = [token["text"] for token in tokens].index(">>")
    return [i for i in atoms if i < arrow], [i for i in atoms if i > arrow]


def _convert(folder: Path) -> dict[str, Any]:
    """Fill a folder with configuration, weights as safetensors, and tokenizer; return what it was made from."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = wheels._download(SOURCE, PACKAGE, VERSION, Path(scratch))
        inside = (zipfile.Path(wheel) if wheel.is_file() else wheel) / INSIDE
        told, vocabulary = json.loads((inside / "config.json").read_text()), (inside / "vocab.txt").read_text().split()
        pickled = io.BytesIO((inside / "pytorch_model.bin").read_bytes())
    network = AlbertForMaskedLM(AlbertConfig(**{name: told[name] for name in SIZES}))
    state = torch.load(pickled, map_location="cpu", weights_only=True)
    left = network.load_state_dict(state, strict=False)
    assert not left.missing_keys
    assert {name.rpartition(".")[0] for name in left.unexpected_keys} == {"albert.pooler"}  # which reads no atoms
    network.save_pretrained(folder)
    _tokenizer(vocabulary).save_pretrained(folder)
    return {"source": SOURCE.source, "sha256": SOURCE.sha256, "license": SOURCE.license}


def _tokenizer(vocabulary: list[str]) -> PreTrainedTokenizerFast:
    """Return a tokenizer that cuts SMILES into `PIECES` and puts them between [CLS] and [SEP]."""
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    known = [(token, vocabulary.index(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=known)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
