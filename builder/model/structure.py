"""`Structure`: the embedding, blocks, final norm, head and down projections of a causal LM, found by running it once.

Nothing here knows a model's name. One forward pass over two short texts is traced: which modules ran, in which
order, inside which, and what went in and came out. The blocks are the longest list of modules that ran one after
another on the residual stream; the norm is what ran between the last block and the head; a block's down projection
is the linear map that reads the widest hidden vector and returns to the stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import BuildError, nearest
from .trace import first_tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..site import ModelSource

__all__ = ["Structure", "find_structure"]


@dataclass(frozen=True)
class Structure:
    """Modules of a network by their role, with their dotted names in `names`.

    `base` is the network without its head. `norm` is None where nothing of the base stands after the last block. A
    block's down projection is None where no linear map reads its MLP's hidden vectors (in a mixture of experts they
    are in one tensor), and that of the shared expert where there is one.
    """

    base: nn.Module
    embedding: nn.Module
    blocks: tuple[nn.Module, ...]
    norm: nn.Module | None
    head: nn.Module
    down_projections: tuple[nn.Module | None, ...]
    d_model: int
    names: dict[str, str]
    attention: bool
    causal: bool
    block_outputs: tuple[type, ...] = field(repr=False)
    """The type each block returns (a tensor, or a tuple that begins with it)."""
    base_output: type = field(repr=False)


@dataclass
class _Call:
    """One call of a module in the traced pass; `start` and `end` are ticks of one clock."""

    name: str
    module: nn.Module
    start: int
    end: int = 0
    given: Tensor | None = None
    returned: Any = None

    @property
    def tensor(self) -> Tensor | None:
        return first_tensor(self.returned)


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
    return Structure(
        base=base.module,
        base_output=type(base.returned),
        embedding=modules[embedding_name],
        blocks=blocks,
        norm=modules[norm_name] if norm_name else None,
        head=modules[head_name],
        down_projections=tuple(_find_down(ran[id(block)], calls) for block in blocks),
        d_model=stream.shape[-1],
        names=names,
        attention=bool(_attentions(output)),
        causal=max(before) <= 0.05 * at or max(before) <= 1e-5 * logits.abs().max().item(),
        block_outputs=tuple(type(ran[id(block)].returned) for block in blocks),
    )


def _trace(network: Any, modules: dict[str, nn.Module]) -> tuple[list[_Call], Any]:
    """Run two texts of four tokens that differ in the last one; return the calls in order of their start."""
    calls: list[_Call] = []
    pending: list[_Call] = []
    tick = iter(range(1 << 62))
    handles = []

    def enter(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = first_tensor(args) if args else kwargs.get("hidden_states")
        call = _Call(name, module, next(tick), given=given if isinstance(given, Tensor) else None)
        calls.append(call)
        pending.append(call)

    def leave(module: nn.Module, returned: Any) -> None:
        while pending:
            call = pending.pop()
            if call.module is module:
                call.end, call.returned = next(tick), returned
                return

    for name, module in modules.items():
        handles.append(
            module.register_forward_pre_hook(lambda m, a, k, name=name: enter(name, m, a, k), with_kwargs=True)
        )
        handles.append(module.register_forward_hook(lambda m, _, r: leave(m, r)))
    size = network.get_input_embeddings().weight.shape[0]
    ids = torch.tensor([[3, 5, 7, 11], [3, 5, 7, 13]], device=network.device) % size
    try:
        with torch.no_grad():
            output = network(input_ids=ids, use_cache=False, output_attentions=True)
    finally:
        for handle in handles:
            handle.remove()
    return [call for call in calls if call.end], output


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


def _find_blocks(calls: list[_Call], modules: dict[str, nn.Module], source: ModelSource) -> str:
    """Return the longest list whose modules ran one after another, each handing on vectors of one width."""
    spans: dict[int, _Call] = {}
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
    network: Any, calls: list[_Call], output: Any, modules: dict[str, nn.Module], source: ModelSource
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


def _find_base(calls: list[_Call], first: _Call, last: _Call, source: ModelSource) -> _Call:
    """Return the outermost module below the network that runs all blocks and hands on a last hidden state."""
    for call in calls:
        around = call.name and call.start < first.start and last.end < call.end
        if around and isinstance(getattr(call.returned, "last_hidden_state", None), Tensor):
            return call
    raise BuildError(f"unsupported model: {source.name} has no base model around its blocks")


def _find_norm(calls: list[_Call], last: _Call, base: _Call, stream: Tensor) -> str | None:
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


def _find_embedding(network: Any, calls: list[_Call], modules: dict[str, nn.Module], source: ModelSource) -> str:
    known = network.get_input_embeddings()
    names = {id(module): name for name, module in modules.items()}
    if known is not None and any(call.module is known for call in calls):
        return names[id(known)]
    tables = [call.name for call in calls if isinstance(call.module, nn.Embedding)]
    if not tables:
        raise _missing("embedding", source, [name for name, m in modules.items() if isinstance(m, nn.Embedding)])
    return tables[0]


def _find_down(block: _Call, calls: list[_Call]) -> nn.Module | None:
    """Return the projection in a block that reads the MLP's hidden vector: the last one from wide to narrow.

    A linear map here is any module with a matrix `weight` (GPT-2's `Conv1D` too) that maps [..., n] to [..., d_model].
    """
    stream = block.tensor
    assert stream is not None
    width = stream.shape[-1]
    inside = [call for call in calls if block.start < call.start < block.end]
    attentions = [call for call in inside if _returns_weights(call.returned)]  # their output projection is none of ours
    found: list[tuple[int, int, nn.Module]] = []
    for call in inside:
        weight, read, returned = getattr(call.module, "weight", None), call.given, call.tensor
        if any(attention.start < call.start < attention.end for attention in attentions):
            continue
        if not isinstance(weight, Tensor) or weight.dim() != 2 or read is None or returned is None:
            continue
        if sorted(weight.shape) == sorted((read.shape[-1], width)) and returned.shape[-1] == width:
            found.append((read.shape[-1], call.start, call.module))
    return max(found, key=lambda entry: entry[:2])[2] if found else None


def _returns_weights(returned: Any) -> bool:
    """Whether a call returned attention weights beside its output: [B, heads, T, T]."""
    if not isinstance(returned, (tuple, list)):
        return False
    return any(
        isinstance(part, Tensor) and part.dim() == 4 and part.shape[-1] == part.shape[-2] for part in returned[1:]
    )
