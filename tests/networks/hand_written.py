"""A GPT-2 whose weights are written by hand, so that every answer about it is known.

The residual stream is [token one-hot | previous token's one-hot | position one-hot]. Layer 0 head 0 is an exact
previous-token head, layer 1 head 0 an exact induction head (Olsson et al. 2022, arXiv:2209.11895): at the second `A`
of `A B C A` it looks at the `B` that followed the first one, and `B` is predicted. Where a token is new it looks at
the BOS at position 0. Weights of attention are exactly 1.0; heads 1 and all MLPs write nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

WORDS = ("<bos>", "A", "B", "C", "D", "E", "F", "G")
N_TOKENS = len(WORDS)
N_POSITIONS = 16
D_MODEL = 2 * N_TOKENS + N_POSITIONS
D_HEAD = 16

TOKEN = slice(0, N_TOKENS)
PREVIOUS = slice(N_TOKENS, 2 * N_TOKENS)
POSITION = slice(2 * N_TOKENS, D_MODEL)
SHARP = 1000.0
"""A difference between scores after which softmax in float32 is exactly one-hot (exp(-104) is 0 there)."""
STRENGTH = 4.0
"""How much the induction head writes, against 1 for the token that stands there."""


def make_network() -> GPT2LMHeadModel:
    """Return the network; its layer norms are undone by their weights, since the statistics are known."""
    config = GPT2Config(
        vocab_size=N_TOKENS,
        n_positions=N_POSITIONS,
        n_embd=D_MODEL,
        n_layer=2,
        n_head=D_MODEL // D_HEAD,
        bos_token_id=0,
        eos_token_id=None,
    )
    network = GPT2LMHeadModel(config)
    body = network.transformer
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        body.wte.weight[:, TOKEN] = torch.eye(N_TOKENS)
        body.wpe.weight[:, POSITION] = torch.eye(N_POSITIONS)
        body.ln_f.weight.fill_(1.0)
        for layer, ones in enumerate((2, 3)):  # what stands in the stream: token, position, then the previous token too
            mean = ones / D_MODEL
            norm = body.h[layer].ln_1
            norm.weight.fill_((mean * (1 - mean) + norm.eps) ** 0.5)
            norm.bias.fill_(mean)

        scale = SHARP * D_HEAD**0.5  # attention divides by the root of the head's width
        query, key, value = (slice(start, start + D_HEAD) for start in (0, D_MODEL, 2 * D_MODEL))
        previous, induction = (body.h[layer].attn for layer in (0, 1))

        weight = previous.c_attn.weight  # Conv1D: [in, out]
        weight[POSITION, query] = scale * torch.eye(N_POSITIONS)
        weight[POSITION, key][:-1, 1:] = torch.eye(N_POSITIONS - 1)  # position j answers to j + 1
        weight[TOKEN, value][:, :N_TOKENS] = torch.eye(N_TOKENS)
        previous.c_proj.weight[:N_TOKENS, PREVIOUS] = torch.eye(N_TOKENS)

        weight = induction.c_attn.weight
        weight[TOKEN, query][:, :N_TOKENS] = scale * torch.eye(N_TOKENS)
        weight[PREVIOUS, key][:, :N_TOKENS] = torch.eye(N_TOKENS)
        induction.c_attn.bias[query][N_TOKENS] = scale  # a constant, which only position 0 answers to, half as loud
        weight[POSITION, key][0, N_TOKENS] = 0.5
        weight[TOKEN, value][:, :N_TOKENS] = torch.eye(N_TOKENS)
        induction.c_proj.weight[:N_TOKENS, TOKEN] = STRENGTH * torch.eye(N_TOKENS)
    return network


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of whole words that puts `<bos>` before a text."""
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<bos>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>")


def save_checkpoint(folder: Path) -> Path:
    """Save network and tokenizer as `from_pretrained` reads them."""
    make_network().save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder
