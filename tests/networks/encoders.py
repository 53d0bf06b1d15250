"""Tiny encoders and encoder-decoders from literal configurations, each with a tokenizer of its own family's kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

from .checkpoint import save
from .tiny import CORPUS

_SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
_TWO_STACKS: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 3,  # not as many: which stack a layer is of must not be guessed
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "bert": {"model_type": "bert", **_SIZES},
    "distilbert": {  # knows no segments
        "model_type": "distilbert",
        "dim": 32,
        "hidden_dim": 64,
        "n_layers": 3,
        "n_heads": 4,
        "max_position_embeddings": 64,
    },
    "roberta": {  # its positions begin behind that of the padding; one segment for both texts
        "model_type": "roberta",
        **_SIZES,
        "max_position_embeddings": 66,
        "type_vocab_size": 1,
    },
    "albert": {"model_type": "albert", **_SIZES, "embedding_size": 16},  # one block, run again and again
    "t5": {  # relative positions, added to the scores; no scale
        "model_type": "t5",
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 64,
        "num_layers": 3,  # of both stacks: where they differ, `generate` of transformers 5.23 fails
        "num_heads": 4,
        "relative_attention_num_buckets": 8,
        "feed_forward_proj": "gated-gelu",
    },
    "bart": {"model_type": "bart", **_TWO_STACKS},
    "marian": {"model_type": "marian", **_TWO_STACKS},
}

ENCODERS = ("bert", "distilbert", "roberta", "albert")
ENCODER_DECODERS = ("t5", "bart", "marian")


def make_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer that has learned the corpus and surrounds a text, or a pair, as those of its family do."""
    if name in ("bert", "distilbert"):
        return _word_piece(segments=name == "bert")
    if name in ("roberta", "bart"):
        return _byte_level()
    return _sentence_piece(first="[CLS]" if name == "albert" else None)


def _word_piece(*, segments: bool) -> PreTrainedTokenizerFast:
    """`[CLS] A [SEP] B [SEP]`; pieces that continue a word begin with ##."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        CORPUS * 2, trainers.WordPieceTrainer(vocab_size=260, special_tokens=special, show_progress=False)
    )
    _surround(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", special)
    return _wrap(tokenizer, pad="[PAD]", unk="[UNK]", cls="[CLS]", sep="[SEP]", mask="[MASK]", segments=segments)


def _byte_level() -> PreTrainedTokenizerFast:
    """`<s> A </s></s> B </s>`, all of one segment."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    _surround(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>", special)
    return _wrap(tokenizer, pad="<pad>", unk="<unk>", bos="<s>", eos="</s>", cls="<s>", sep="</s>", mask="<mask>")


def _sentence_piece(first: str | None) -> PreTrainedTokenizerFast:
    """`A </s> B </s>`, or with a first token `[CLS] A [SEP] B [SEP]` in two segments; a space is ▁."""
    last = "[SEP]" if first else "</s>"
    special = ["<pad>", last, "<unk>", *([first, "[MASK]"] if first else [])]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=260, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    if first:
        _surround(tokenizer, f"{first} $A {last}", f"{first} $A {last} $B:1 {last}:1", special)
        return _wrap(tokenizer, pad="<pad>", unk="<unk>", cls=first, sep=last, mask="[MASK]", segments=True)
    _surround(tokenizer, f"$A {last}", f"$A {last} $B {last}", special)
    return _wrap(tokenizer, pad="<pad>", unk="<unk>", eos=last)


def _surround(tokenizer: Tokenizer, single: str, pair: str, special: list[str]) -> None:
    known = [(token, tokenizer.token_to_id(token)) for token in special]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=known)


def _wrap(tokenizer: Tokenizer, *, segments: bool = False, **special: str) -> PreTrainedTokenizerFast:
    names = ["input_ids", *(["token_type_ids"] if segments else []), "attention_mask"]
    tokens = {f"{role}_token": token for role, token in special.items()}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=names, **tokens)


def save_checkpoint(name: str, folder: Path, change: Callable[[Any], None] | None = None) -> Path:
    """Save the tiny model of that name with its tokenizer; `change` may alter the network before."""
    tokenizer = make_tokenizer(name)
    roles = {"pad": tokenizer.pad_token_id, "bos": tokenizer.cls_token_id, "eos": tokenizer.eos_token_id}
    if name in ENCODER_DECODERS:  # a decoder begins with the padding, BART's with the end of a text
        start = roles["eos" if name == "bart" else "pad"]
        roles |= {"bos": tokenizer.bos_token_id, "decoder_start": start, "forced_eos": roles["eos"]}
    settings = CONFIGS[name] | {f"{role}_token_id": token for role, token in roles.items()}
    kind = AutoModelForSeq2SeqLM if name in ENCODER_DECODERS else AutoModelForMaskedLM
    return save(kind, settings, tokenizer, folder, change)
