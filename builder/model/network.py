"""A checkpoint folder → transformers' network and tokenizer, and what their configurations say."""

from __future__ import annotations

import inspect
import logging
import weakref
from typing import TYPE_CHECKING, Any, Literal

import torch
import transformers
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from ..errors import BuildError
from ..model_source import DTYPES, unknown
from .memory import is_out_of_memory
from .placement import offload_folder, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..sources.checkpoint import Checkpoint

__all__ = [
    "Family",
    "context_length",
    "decoding",
    "end_tokens",
    "find_family",
    "last_logits",
    "load_network",
    "load_tokenizer",
]

Family = Literal["decoder", "encoder", "encoder-decoder"]


def find_family(checkpoint: Checkpoint) -> Family:
    """Return what a checkpoint is by its configuration; one that cannot be read is told of when it is loaded."""
    config = _config(checkpoint)
    if getattr(config, "is_encoder_decoder", False):
        return "encoder-decoder"
    known = getattr(config, "model_type", "") in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    writes = getattr(config, "is_decoder", False) or _architecture(config).endswith(("LMHeadModel", "ForCausalLM"))
    return "encoder" if known and not writes else "decoder"


def load_network(
    checkpoint: Checkpoint, device: str = "cpu", family: Family = "decoder"
) -> tuple[Any, tuple[str, ...]]:
    """Return a network in eval mode with frozen weights and eager attention, and the weights it has no use for.

    A decoder as a causal LM, an encoder with its head for masked words where it has one.

    Eager, because with any other back end transformers returns no attention weights, and says nothing about it.
    Raises `BuildError` for an architecture that is no causal LM, for weights that are missing, of another shape or
    cannot be read (transformers would draw them at random with a line in the log), and for more than fit the memory.
    """
    source = checkpoint.source
    if source.dtype not in DTYPES:
        raise BuildError(unknown("dtype", source.dtype, source.name))
    placed = place(checkpoint, device)
    remove = None
    if source.device_map is not None:
        placed["offload_folder"], remove = offload_folder()
    log: Any = transformers.utils.logging
    log.set_verbosity_error()
    log.disable_progress_bar()
    logging.getLogger("accelerate").setLevel(logging.ERROR)  # results say what lies on the disk
    automatic: Any = _automatic(checkpoint, family)
    try:
        network, report = _load(automatic, checkpoint, placed)
        wrong = _wrong_keys(report)
        if wrong and family == "encoder" and not any(key.startswith(network.base_model_prefix) for key in wrong):
            network, report = _load(AutoModel, checkpoint, placed)  # its head is another, as that of ELECTRA
            wrong = _wrong_keys(report)
    except Exception as error:
        if remove is not None:
            remove()
        raise _unloadable(checkpoint, error) from error
    if wrong:
        listed = ", ".join(wrong[:4]) + (f" and {len(wrong) - 4} more" if len(wrong) > 4 else "")
        raise BuildError(
            f"missing weights: the checkpoint of model {source.name} is no whole {type(network).__name__}: "
            f"it lacks {listed}"
        )
    if remove is not None:
        weakref.finalize(network, remove)
    return network.eval().requires_grad_(False), tuple(sorted(report["unexpected_keys"]))


def _load(automatic: Any, checkpoint: Checkpoint, placed: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a network of a class that is found by the configuration, and transformers' report on its weights."""
    dtype = checkpoint.source.dtype
    return automatic.from_pretrained(  # type: ignore[no-any-return]
        checkpoint.folder,
        dtype="auto" if dtype == "auto" else getattr(torch, dtype),
        attn_implementation="eager",
        use_safetensors=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they come back in the report, and are an error
        **placed,
        **_common(checkpoint),
    )


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's tokenizer; raises `BuildError` where there is none that can be read."""
    try:
        return AutoTokenizer.from_pretrained(checkpoint.folder, **_common(checkpoint))
    except Exception as error:
        name = checkpoint.source.name
        raise BuildError(f"broken tokenizer: that of model {name} cannot be loaded: {_first_line(error)}") from error


def context_length(network: Any) -> int | None:
    """Return how many positions a network was made for; None where its configuration does not say."""
    config = network.config.get_text_config(decoder=True)
    for key in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"):
        value = getattr(config, key, None)
        if isinstance(value, int) and value > 0:
            return value - _unused_positions(network, value)
    return None


def _unused_positions(network: Any, rows: int) -> int:
    """Return how many of a table of positions are no text's: RoBERTa's begin behind the one that padding has."""
    tables = (m for name, m in network.named_modules() if name.endswith("position_embeddings"))
    padding = next((getattr(m, "padding_idx", None) for m in tables if getattr(m, "num_embeddings", 0) == rows), None)
    return 0 if padding is None else int(padding) + 1


def end_tokens(network: Any) -> tuple[int, ...]:
    """Return the ids that end a text, by the generation configuration and the model's own."""
    holders = (network.generation_config, network.config.get_text_config(decoder=True))
    given = [getattr(holder, "eos_token_id", None) for holder in holders]
    ids = [token for value in given for token in (value if isinstance(value, (list, tuple)) else [value])]
    return tuple(sorted({token for token in ids if isinstance(token, int)}))


def last_logits(network: Any, positions: int, **inputs: Any) -> Tensor:
    """Return the logits [..., vocab] of the last positions by a network's own forward; of all where it cannot choose.

    Over a text of 500 tokens the others are 100 MB, and as many again on the way back.
    """
    chooses = "logits_to_keep" in inspect.signature(network.forward).parameters
    kept = {"logits_to_keep": positions} if chooses else {}
    return network(use_cache=False, **inputs, **kept).logits  # type: ignore[no-any-return]


def decoding(ends: tuple[int, ...], **chosen: Any) -> Any:
    """Return a generation configuration of what is chosen and nothing else: greedy, and a text's end.

    The checkpoint's own (penalties, temperatures, token lists that somebody once thought well of) is left out.
    """
    configuration: Any = GenerationConfig
    return configuration(eos_token_id=list(ends) or None, pad_token_id=ends[0] if ends else 0, **chosen)


def _automatic(checkpoint: Checkpoint, family: Family) -> Any:
    if family == "encoder":  # what else stands on an encoder, a classifier say, is not asked for anything
        own = _architecture(_config(checkpoint))
        return AutoModelForMaskedLM if own.endswith(("ForMaskedLM", "ForPreTraining")) else AutoModel
    return AutoModelForSeq2SeqLM if family == "encoder-decoder" else AutoModelForCausalLM


def _architecture(config: Any) -> str:
    return str((getattr(config, "architectures", None) or [""])[0])


def _common(checkpoint: Checkpoint) -> dict[str, Any]:
    # `trust_remote_code=None`, transformers' default, asks on the terminal
    return {"local_files_only": True, "trust_remote_code": checkpoint.source.trust_remote_code}


def _wrong_keys(report: dict[str, Any]) -> list[str]:
    # the pooler sums an encoder up for a classifier: no attention, no hidden state depends on it
    missing = [key for key in report["missing_keys"] if not key.startswith("pooler.") and ".pooler." not in key]
    wrong = [*missing, *report.get("mismatched_keys", ())]
    return sorted({str(key[0] if isinstance(key, tuple) else key) for key in wrong})


def _unloadable(checkpoint: Checkpoint, error: Exception) -> BuildError:
    name, line = checkpoint.source.name, _first_line(error)
    if is_out_of_memory(error):
        return BuildError(f'missing memory: the weights of model {name} do not fit; try device_map = "auto" ({line})')
    if "trust_remote_code" in str(error) and not checkpoint.source.trust_remote_code:
        return BuildError(
            f"unsupported model: {name} is code that comes with its weights; read it, and if you trust it say "
            f"trust_remote_code = true under [tool.fanlight.models]"
        )
    if "Unrecognized configuration class" in str(error):
        architecture = getattr(_config(checkpoint), "model_type", "") or line
        return BuildError(f"unsupported model: {name} ({architecture}) is no causal language model")
    return BuildError(f"broken checkpoint: model {name} cannot be loaded from {checkpoint.folder}: {line}")


def _config(checkpoint: Checkpoint) -> Any:
    try:
        return transformers.AutoConfig.from_pretrained(checkpoint.folder, **_common(checkpoint))
    except Exception:
        return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
