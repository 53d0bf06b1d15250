"""Tiny causal LMs from literal configurations, with a byte-level BPE tokenizer trained on the fly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from .checkpoint import save

END = "<|end|>"

CORPUS = (
    "1, 1, 1, 1,\nThe countries of the European Union are:\n1. Austria\n2. Belgium\n",
    "<html> & </script> \"quoted\" 'text' <b>bold</b>\n\n\tdef f(x):\n\t\treturn x\n",
    "東京 は日本の首都です。 Größe, naïve, café — “quotes” … \U0001f642 \U0001f469‍\U0001f680 ",
)

_LLAMA: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,  # grouped queries
    "max_position_embeddings": 64,
    "head_dim": 8,
}
_GPT2: dict[str, Any] = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64}

CONFIGS: dict[str, dict[str, Any]] = {
    "gpt2": {"model_type": "gpt2", **_GPT2},
    "llama": {"model_type": "llama", **_LLAMA},
    "qwen3": {"model_type": "qwen3", **_LLAMA},  # norms queries and keys
    "gemma3": {  # scaled embeddings, sliding window
        "model_type": "gemma3_text",
        **_LLAMA,
        "sliding_window": 4,
        "final_logit_softcapping": 2.0,
    },
    "gpt_neox": {  # parallel residual
        "model_type": "gpt_neox",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
    },
    "gemma2": {"model_type": "gemma2", **_LLAMA, "final_logit_softcapping": 2.0, "sliding_window": 4},  # soft cap
    "cohere": {"model_type": "cohere", **_LLAMA, "logit_scale": 0.25},
    "granite": {"model_type": "granite", **_LLAMA, "logits_scaling": 4.0},
    "opt": {  # projects out of the residual stream after the norm
        "model_type": "opt",
        "hidden_size": 32,
        "ffn_dim": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "word_embed_proj_dim": 16,
        "max_position_embeddings": 64,
    },
    "phi": {"model_type": "phi", **_LLAMA, "partial_rotary_factor": 0.5},  # a bias in the head
    "gptj": {"model_type": "gptj", **_GPT2, "rotary_dim": 4},
    "bloom": {"model_type": "bloom", "hidden_size": 32, "n_layer": 3, "n_head": 4},  # norms its embeddings
    "falcon": {"model_type": "falcon", "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4},
    "gpt_bigcode": {"model_type": "gpt_bigcode", **_GPT2},
    "mistral": {"model_type": "mistral", **_LLAMA, "sliding_window": 4},
    "olmo": {"model_type": "olmo", **_LLAMA},  # a norm without weights
    "mixtral": {"model_type": "mixtral", **_LLAMA, "num_local_experts": 4},
    "bert_decoder": {"model_type": "bert", **_LLAMA, "is_decoder": True},  # a head of several modules
    # those whose attention is peculiar
    "mamba": {"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 3, "state_size": 8},  # has none
    "lfm2": {  # has it in some layers
        "model_type": "lfm2",
        **_LLAMA,
        "num_hidden_layers": 4,
        "layer_types": ["conv", "full_attention", "conv", "full_attention"],
        "block_multiple_of": 8,
    },
    "gpt_oss": {  # has it for a sink too, which is no token
        "model_type": "gpt_oss",
        **_LLAMA,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "sliding_window": 4,
    },
}

PECULIAR: dict[str, dict[str, Any]] = {
    "ctrl": {"model_type": "ctrl", **_GPT2, "dff": 64},  # writes over the embeddings that it is given
    "doge": {"model_type": "doge", **_LLAMA},  # makes a mask of the states that a layer is given
    "minimax": {  # lists the state of a layer that is linear in its keys, as wide as a head, among attention weights
        "model_type": "minimax",
        **_LLAMA,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "layer_types": ["linear_attention", "full_attention", "linear_attention"],
        "block_size": 4,
    },
}
"""Those of which one thing alone is tested."""

CAUSAL = tuple(name for name in CONFIGS if name not in {"mamba", "lfm2", "gpt_oss"})


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer that has learned the corpus; it adds nothing to a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS * 2, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)


def save_checkpoint(name: str, folder: Path, change: Callable[[Any], None] | None = None) -> Path:
    """Save the tiny model of that name with its tokenizer; `change` may alter the network before."""
    ends = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0)
    return save(AutoModelForCausalLM, (CONFIGS | PECULIAR)[name] | ends, make_tokenizer(), folder, change)
