"""`Structure`: the embedding, blocks, final norm, head and down projections of a causal LM, found by running it once.

Nothing here knows a model's name. One forward pass over two short texts is traced: which modules ran, in which
order, inside which, and what went in and came out. The blocks are the longest list of modules that ran one after
another on the residual stream; the norm is what ran between the last block and the head; `block.py` finds what
stands in a block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import BuildError, nearest
from .block import find_parts
from .calls import trace_calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model_source import ModelSource
    from .calls import ModuleCall

__all__ = ["Structure", "find_structure"]


@dataclass(frozen=True)
class Structure:
    """Modules of a network by their role, with their dotted names in `names`.

    `base` is the network without its head. `norm` is None where nothing of the base stands after the last block. A
    block's down projection is None where no linear map reads its MLP's hidden vectors (in a mixture of experts they
    are in one tensor), and that of the shared expert where there is one. What the attention and the MLP of a block hand
    on is the output of the modules in `attentions` and `mlps`: a tensor, or a tuple that begins with it. They are None
    in blocks without attention.
    """

    base: nn.Module
    embedding: nn.Module
    blocks: tuple[nn.Module, ...]
    norm: nn.Module | None
    head: nn.Module
    attentions: tuple[nn.Module | None, ...]
    mlps: tuple[nn.Module | None, ...]
    down_projections: tuple[nn.Module | None, ...]
    d_model: int
    names: dict[str, str]
    attention: bool
    causal: bool
    block_outputs: tuple[type, ...] = field(repr=False)
    """The type each block returns (a tensor, or a tuple that begins with it)."""
    base_output: type = field(repr=False)


def find_structure(network: Any, source: ModelSource) -> Structure:
    """Trace `network` (a causal LM in eval mode) and return its structure; overrides in `source` win.

    Raises `BuildError` for what cannot be found, naming the setting that says it.
    """
    modules = dict(network.named_modules())
    try:
        calls, output = _trace(network, modules)
    except Exception as error:  # whatever a network's own code raises on two short texts
        raise BuildError(f"unsupported model: {source.name} cannot be run on a text alone: {error}") from error
    blocks_name = _override(source, "blocks", modules) or _find_blocks(calls, modules, source)
    blocks = tuple(modules[blocks_name].children())
    ran = {id(call.module): call for call in calls}  # a module that ran twice: its last call
    if not blocks or any(id(block) not in ran for block in blocks):
        raise BuildError(f"invalid blocks: {blocks_name} of model {source.name} is not a list of modules that all run")
    last = ran[id(blocks[-1])]
    stream = last.tensor
    if stream is None:
        raise BuildError(f"unsupported blocks: {blocks_name} of model {source.name} return no tensor")

    head_name = _override(source, "head", modules) or _find_head(network, calls, output, modules, source)
    base = _find_base(calls, ran[id(blocks[0])], last, source)
    norm_name = _override(source, "norm", modules) or _find_norm(calls, last, base, stream)
    embedding_name = _override(source, "embedding", modules) or _find_embedding(network, calls, modules, source)
    names = {"embedding": embedding_name, "blocks": blocks_name, "norm": norm_name or "", "head": head_name}
    logits = output.logits.float()
    if not logits.isfinite().all():
        dtype = str(output.logits.dtype).removeprefix("torch.")
        hint = "" if dtype == "float32" else "; does float32 help?"
        raise BuildError(f"invalid numbers: model {source.name} computes NaN or infinity for any text ({dtype}{hint})")
    *before, at = (logits[0] - logits[1]).abs().amax(-1).tolist()  # what changing the last token changes, by position
    parts = [find_parts(ran[id(block)], calls) for block in blocks]
    return Structure(
        base=base.module,
        base_output=type(base.returned),
        embedding=modules[embedding_name],
        blocks=blocks,
        norm=modules[norm_name] if norm_name else None,
        head=modules[head_name],
        attentions=tuple(found.attention for found in parts),
        mlps=tuple(found.mlp for found in parts),
        down_projections=tuple(found.down_projection for found in parts),
        d_model=stream.shape[-1],
        names=names,
        attention=bool(_attentions(output)),
        causal=max(before) <= 0.05 * at or max(before) <= 1e-5 * logits.abs().max().item(),
        block_outputs=tuple(type(ran[id(block)].returned) for block in blocks),
    )


def _trace(network: Any, modules: dict[str, nn.Module]) -> tuple[list[ModuleCall], Any]:
    """Run two texts of four tokens that differ in the last one."""
    size = network.get_input_embeddings().weight.shape[0]
    ids = torch.tensor([[3, 5, 7, 11], [3, 5, 7, 13]], device=network.device) % size
    return trace_calls(network, modules, input_ids=ids, use_cache=False, output_attentions=True)


def _attentions(output: Any) -> list[Tensor]:
    given = [weights for weights in getattr(output, "attentions", None) or () if isinstance(weights, Tensor)]
    return [weights for weights in given if weights.dim() == 4 and weights.shape[-1] == weights.shape[-2]]


def _override(source: ModelSource, role: str, modules: dict[str, nn.Module]) -> str | None:
    name = getattr(source, role)
    if name is None:
        return None
    if name not in modules:
        raise BuildError(f"unknown {role}: model {source.name} has no module {name}{nearest(name, modules)}")
    return str(name)


def _missing(role: str, source: ModelSource, candidates: Iterable[str]) -> BuildError:
    listed = ", ".join(list(candidates)[:8])
    hint = f" (candidates: {listed})" if listed else ""
    return BuildError(
        f"missing {role}: it cannot be found by structure in model {source.name}; "
        f'set {role} = "dotted.module.name" in [tool.fanlight.models.{source.name}]{hint}'
    )


def _find_blocks(calls: list[ModuleCall], modules: dict[str, nn.Module], source: ModelSource) -> str:
    """Return the longest list whose modules ran one after another, each handing on vectors of one width."""
    spans: dict[int, ModuleCall] = {}
    for call in calls:
        spans.setdefault(id(call.module), call)
    found: list[tuple[int, int, str]] = []
    lists = [(name, module) for name, module in modules.items() if isinstance(module, (nn.ModuleList, nn.Sequential))]
    for name, module in lists:
        ran = [spans.get(id(child)) for child in module.children()]
        if not ran or any(call is None or call.tensor is None or call.tensor.dim() != 3 for call in ran):
            continue
        done = [call for call in ran if call is not None]
        shapes = {tuple(call.tensor.shape) for call in done if call.tensor is not None}
        ordered = all(a.end < b.start for a, b in pairwise(done))
        if ordered and len(shapes) == 1:
            found.append((len(done), sum(call.end - call.start for call in done), name))
    if not found:
        raise _missing("blocks", source, [name for name, _ in lists])
    return max(found, key=lambda entry: (entry[1], entry[0]))[2]  # the list that holds most of the work


def _find_head(
    network: Any, calls: list[ModuleCall], output: Any, modules: dict[str, nn.Module], source: ModelSource
) -> str:
    """Return the output embedding that transformers knows, or the last module whose output is as wide as the logits."""
    known = network.get_output_embeddings()
    names = {id(module): name for name, module in modules.items()}
    if known is not None and any(call.module is known for call in calls):
        return names[id(known)]
    width = output.logits.shape[-1]
    wide = [c for c in calls if c.name and c.tensor is not None and c.tensor.shape[-1] == width]
    if not wide:
        raise _missing("head", source, [name for name, module in modules.items() if isinstance(module, nn.Linear)])
    return max(wide, key=lambda call: call.start).name


def _find_base(calls: list[ModuleCall], first: ModuleCall, last: ModuleCall, source: ModelSource) -> ModuleCall:
    """Return the outermost module below the network that runs all blocks and hands on a last hidden state."""
    for call in calls:
        around = call.name and call.start < first.start and last.end < call.end
        if around and isinstance(getattr(call.returned, "last_hidden_state", None), Tensor):
            return call
    raise BuildError(f"unsupported model: {source.name} has no base model around its blocks")


def _find_norm(calls: list[ModuleCall], last: ModuleCall, base: ModuleCall, stream: Tensor) -> str | None:
    """Return the module of the base that reads the last block's output, or None where there is none."""
    for call in calls:
        if not last.end < call.start < base.end:
            continue
        read, returned = call.given, call.tensor
        if read is None or returned is None or isinstance(call.module, (nn.Dropout, nn.Identity)):
            continue
        if read.shape == returned.shape == stream.shape:
            return call.name
    return None


def _find_embedding(network: Any, calls: list[ModuleCall], modules: dict[str, nn.Module], source: ModelSource) -> str:
    known = network.get_input_embeddings()
    names = {id(module): name for name, module in modules.items()}
    if known is not None and any(call.module is known for call in calls):
        return names[id(known)]
    tables = [call.name for call in calls if isinstance(call.module, nn.Embedding)]
    if not tables:
        raise _missing("embedding", source, [name for name, m in modules.items() if isinstance(m, nn.Embedding)])
    return tables[0]
