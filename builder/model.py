"""`Model` and `Run`: all that an analysis may ask of a network."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from .checkpoint import Checkpoint
from .errors import BuildError
from .figure import RunSpec
from .structure import Structure, find_structure, first_tensor
from .tokens import Pieces, describe_tokens

__all__ = ["Model", "Run"]


class Model:
    """A causal language model with frozen weights, in eval mode, with attention that can be looked at (eager).

        model = Model.load(fetch(source, root))
        run = model.run(RunSpec(model="smollm2", prompt="1, 1, 1,", generate=8))
        run.block_outputs      # [n_layers, T, d_model]
        model.unembed(run.block_outputs[12])       # the logit lens after block 12

    `structure` names the modules; they are found by running the network once, so there is no list of models.
    """

    def __init__(self, checkpoint: Checkpoint, network: Any, tokenizer: Any, *, unused: tuple[str, ...] = ()) -> None:
        self.checkpoint = checkpoint
        self.name = checkpoint.source.name
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.pieces = Pieces(tokenizer)
        self.unused = unused
        self._eos = _end_tokens(network)
        self.network.generation_config = _bare_generation_config(network, self._eos)
        self.structure: Structure = find_structure(network, checkpoint.source)
        if not self.structure.causal:
            raise BuildError(
                f"unsupported model: {self.name} ({type(network).__name__}) is not a causal language model: "
                "what it says at a position depends on later tokens"
            )
        self.n_layers = len(self.structure.blocks)
        self.d_model = self.structure.d_model
        self.has_attention = self.structure.attention
        self.vocab_size = self._vocab_size()
        self.context: int | None = _context(network.config)
        # runs live as long as somebody uses them: their tensors are large
        self._runs: weakref.WeakValueDictionary[tuple[Any, ...], Run] = weakref.WeakValueDictionary()
        self._check_head()

    @classmethod
    def load(cls, checkpoint: Checkpoint, *, device: str = "cpu") -> Model:
        """Load a checkpoint's own class with its own weights; nothing is asked of the network or drawn at random.

        Raises `BuildError` for an architecture that is no causal LM, for weights that are missing, of another shape
        or cannot be read, and for a tokenizer that cannot be loaded.
        """
        network, tokenizer, unused = _load(checkpoint, device)
        return cls(checkpoint, network, tokenizer, unused=unused)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return torch.device(self.network.device)

    def run(self, spec: RunSpec) -> Run:
        """Tokenise the prompt and continue it; a run that is still in use is handed out again.

        Raises `BuildError` for a prompt without tokens and for one that, with what is to be generated, is longer
        than the model's context.
        """
        key = tuple(value for name, value in asdict(spec).items() if name != "model")
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = self._run(spec)
        return run

    def _run(self, spec: RunSpec) -> Run:
        prompt, added = self.encode(spec.prompt)
        if not prompt:
            raise BuildError(f"missing prompt: the prompt is empty, model {self.name} has nothing to read")
        start = added + prompt
        continuation = self.encode_output(spec.prompt, prompt, spec.output) if spec.output is not None else []
        wanted = len(start) + (spec.generate if spec.output is None else len(continuation))
        if self.context is not None and wanted > self.context:
            what = f"generate {spec.generate}" if spec.output is None else f"an output of {len(continuation)}"
            raise BuildError(
                f"invalid prompt: {len(start)} tokens and {what} are {wanted} tokens, "
                f"but the context of model {self.name} is {self.context}"
            )
        ids = torch.tensor([start + continuation], device=self.device)
        if spec.output is None and spec.generate:
            ids = self._generate(ids, spec)
        return Run(self, spec, ids[0], n_input=len(start))

    def encode(self, text: str) -> tuple[list[int], list[int]]:
        """Return a text's own tokens, and those the tokenizer puts before them (a BOS), never twice.

        What a tokenizer puts *after* a text (an EOS, a SEP) would end it, and is left out.
        """
        plain = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        full = list(self.tokenizer(text)["input_ids"])
        starts = (i for i in range(len(full) - len(plain) + 1) if full[i : i + len(plain)] == plain)
        added = full[: next(starts, 0)] if plain else []
        if added and plain[: len(added)] == added:  # the author wrote the BOS out
            added = []
        return plain, added

    def encode_output(self, prompt: str, prompt_ids: list[int], output: str) -> list[int]:
        """Return the tokens that continue `prompt_ids` to `prompt + output`; the prompt's own tokens stay as they are."""
        whole = list(self.tokenizer(prompt + output, add_special_tokens=False)["input_ids"])
        if whole[: len(prompt_ids)] == prompt_ids:
            return whole[len(prompt_ids) :]
        alone = list(self.tokenizer(output, add_special_tokens=False)["input_ids"])
        mark = list(self.tokenizer("\n", add_special_tokens=False)["input_ids"])
        marked = list(self.tokenizer("\n" + output, add_special_tokens=False)["input_ids"])
        after = marked[len(mark) :] if marked[: len(mark)] == mark else alone
        return min(alone, after, key=lambda ids: b"".join(self.pieces[i] for i in ids) != output.encode())

    def _generate(self, ids: Tensor, spec: RunSpec) -> Tensor:
        """Continue by transformers' own `generate` with a configuration that holds only what the spec says."""
        chosen: dict[str, Any] = {"do_sample": False}
        if spec.do_sample:
            chosen = {name: getattr(spec, name) for name in ("do_sample", "temperature", "top_k", "top_p")}
        config = _bare_generation_config(self.network, self._eos, max_new_tokens=spec.generate, **chosen)
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            torch.manual_seed(spec.seed)
            done = self.network.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
        return done  # type: ignore[no-any-return]

    def unembed(self, hidden: Tensor) -> Tensor:
        """Block outputs [..., d_model] → logits [..., vocab] by the model's own norm, head, soft cap and scale.

        Differentiable. For the last block this is exactly the model's output.
        """
        if self._plain_tail:
            norm = self.structure.norm
            return self.head_logits(norm(hidden) if norm is not None else hidden)
        return self._own_tail(hidden)

    def head_logits(self, final: Tensor) -> Tensor:
        """Final hidden states [..., d] as `forward_embeddings` returns them → logits [..., vocab]; differentiable."""
        if self.head_is_linear:
            return self.structure.head(final)  # type: ignore[no-any-return]
        return self._own_head(final)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids [...] → input embeddings [..., d], as `forward_embeddings` takes them (scaling included)."""
        return self.structure.embedding(ids)  # type: ignore[no-any-return]

    def forward_embeddings(self, embeddings: Tensor) -> Tensor:
        """Input embeddings [B, T, d] → final hidden states [B, T, d], after the final norm; differentiable.

        Raises `BuildError` for an architecture whose blocks read the token ids too.
        """
        if not self._reads_embeddings:
            raise BuildError(f"unsupported model: {self.name} cannot be run from its input embeddings alone")
        return self._base(inputs_embeds=embeddings)

    def token_text(self, token: int) -> str:
        """Return the text of one token of the vocabulary by itself."""
        return self.pieces.text(token)

    def provenance(self) -> dict[str, Any]:
        """Return what a reader needs to repeat this: model, revision, class, versions, dtype, device, structure."""
        import transformers

        source = self.checkpoint.source
        return {
            "model": source.source,
            "revision": self.checkpoint.revision,
            "license": self.checkpoint.license,
            "class": type(self.network).__name__,
            "structure": dict(self.structure.names),
            "dtype": str(self.network.dtype).removeprefix("torch."),
            "device": self.device.type,
            "attention": "eager",
            "added_tokens": [self.token_text(token) for token in self.encode("a")[1]],
            "stop_tokens": [self.token_text(token) for token in sorted(self._eos)],
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
            **({"unused_weights": list(self.unused[:8])} if self.unused else {}),
        }

    # How the network itself goes from a residual stream to logits, whatever stands there.

    def _base(self, **inputs: Any) -> Tensor:
        """Run the network without its head."""
        base = self.network.base_model
        return base(use_cache=False, **inputs).last_hidden_state  # type: ignore[no-any-return]

    def _own_head(self, final: Tensor) -> Tensor:
        """The network's forward, its base model replaced by one that returns `final`."""
        base = self.network.base_model
        flat = final.reshape(1, -1, final.shape[-1])

        def replaced(*args: Any, **kwargs: Any) -> Any:
            from transformers.modeling_outputs import BaseModelOutputWithPast

            return BaseModelOutputWithPast(last_hidden_state=flat)

        ids = torch.zeros(flat.shape[:2], dtype=torch.long, device=flat.device)
        with _replaced(base, replaced):
            logits = self.network(input_ids=ids, use_cache=False).logits
        return logits.reshape(*final.shape[:-1], -1)  # type: ignore[no-any-return]

    def _own_tail(self, hidden: Tensor) -> Tensor:
        """The network's forward on one token per vector, its blocks skipped and the last one made to return `hidden`.

        What follows the last block works on each position by itself, so [N, d] may go as N texts of one token.
        """
        flat = hidden.reshape(-1, 1, hidden.shape[-1])
        ids = torch.zeros(flat.shape[:2], dtype=torch.long, device=flat.device)
        with contextlib.ExitStack() as stack:
            for block, kind in zip(self.structure.blocks, self.structure.block_outputs, strict=True):
                answer = flat if issubclass(kind, Tensor) else (flat, None, None)
                stack.enter_context(_replaced(block, lambda *args, answer=answer, **kwargs: answer))
            logits = self.network(input_ids=ids, use_cache=False).logits
        return logits.reshape(*hidden.shape[:-1], -1)  # type: ignore[no-any-return]

    def _check_head(self) -> None:
        """Find out which short cuts give the very same numbers as the network's own forward."""
        ids = torch.tensor([[3, 5, 7, 11]], device=self.device) % self.vocab_size
        with torch.no_grad():
            with _recording(self.structure.blocks[-1:]) as recorded:
                logits = self.network(input_ids=ids, use_cache=False).logits
                final = self._base(input_ids=ids)
            last = recorded[0]
            self.head_is_linear = torch.equal(self.structure.head(final), logits)
            norm = self.structure.norm
            self._plain_tail = torch.equal(norm(last) if norm is not None else last, final)
            error = (self.unembed(last) - logits).abs().max().item()
            if error > 1e-4 * max(1.0, logits.abs().max().item()):
                raise BuildError(
                    f"unsupported model: {self.name}: its last block's output does not lead to its logits "
                    f"(off by {error:.2g}); check blocks, norm and head in [tool.fanlight.models.{self.name}]"
                )
            try:
                again = self._base(inputs_embeds=self.embed(ids))
                self._reads_embeddings = torch.allclose(again, final, rtol=1e-4, atol=1e-4)
            except (TypeError, ValueError, RuntimeError, AttributeError):
                self._reads_embeddings = False

    def _vocab_size(self) -> int:
        return int(self.network.get_input_embeddings().weight.shape[0])


class Run:
    """One sequence of tokens through one model. All below is computed once, when it is first asked for.

    Positions count from 0; the logits at position i are about token i + 1, so `logits[t]` stands for
    `targets[t]` and was read at position `targets[t] - 1`.
    """

    def __init__(self, model: Model, spec: RunSpec, ids: Tensor, *, n_input: int) -> None:
        self.model = model
        self.spec = spec
        self.ids = ids
        self.n_input = n_input

    @cached_property
    def tokens(self) -> list[dict[str, Any]]:
        """`data.tokens` of every published result: text, id, type, and bytes where text alone would lie."""
        return describe_tokens(self.model.pieces, self.ids.tolist(), self.n_input, self.spec.prompt)

    @property
    def targets(self) -> list[int]:
        """The positions that are explained: the output's, or all from 1 on where only a prompt is analysed."""
        start = max(self.n_input, 1) if len(self.ids) > self.n_input else 1
        return list(range(start, len(self.ids)))

    @cached_property
    def _trace(self) -> tuple[Tensor, Tensor, Tensor]:
        """One forward pass: embeddings [T, d], block outputs [n_layers, T, d], final hidden states [T, d]."""
        with torch.no_grad(), _recording(self.model.structure.blocks) as recorded:
            final = self.model._base(input_ids=self.ids[None])
        outputs = torch.stack([recorded[layer][0].float() for layer in range(self.model.n_layers)])
        return recorded[-1][0].float(), outputs, final[0]

    @property
    def embeddings(self) -> Tensor:
        """What enters block 0's residual stream, [T, d_model] (position embeddings included where they are added)."""
        return self._trace[0]

    @property
    def block_outputs(self) -> Tensor:
        """The residual stream after each block, [n_layers, T, d_model], before the final norm (hooks, not hidden_states)."""
        return self._trace[1]

    @property
    def final(self) -> Tensor:
        """What the head reads, [T, d], after the final norm."""
        return self._trace[2]

    @cached_property
    def logits(self) -> Tensor:
        """The logits that predict each target, [len(targets), vocab], read at position target − 1."""
        with torch.no_grad():
            where = torch.tensor(self.targets, dtype=torch.long, device=self.ids.device) - 1
            return self.model.head_logits(self.final[where]).float()

    def forward_embeddings(self, embeddings: Tensor) -> Tensor:
        """Input embeddings [B, T', d] → final hidden states [B, T', d]; see `Model.forward_embeddings`."""
        return self.model.forward_embeddings(embeddings)


@contextlib.contextmanager
def _recording(blocks: tuple[torch.nn.Module, ...]) -> Iterator[dict[int, Tensor]]:
    """Within: the main output of each block by its index, and under -1 what entered the first one."""
    recorded: dict[int, Tensor] = {}
    handles = []

    def enter(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = first_tensor(args) if args else kwargs.get("hidden_states")
        if isinstance(given, Tensor):
            recorded[-1] = given

    def leave(layer: int) -> Callable[..., None]:
        def hook(module: Any, args: Any, returned: Any) -> None:
            tensor = first_tensor(returned)
            assert tensor is not None
            recorded[layer] = tensor

        return hook

    handles.append(blocks[0].register_forward_pre_hook(enter, with_kwargs=True))
    handles += [block.register_forward_hook(leave(layer)) for layer, block in enumerate(blocks)]
    try:
        yield recorded
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _replaced(module: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """Within: `module.forward` is another function."""
    module.forward = forward  # an instance attribute, which hides the class's method until it is deleted
    try:
        yield
    finally:
        del module.forward


def _load(checkpoint: Checkpoint, device: str) -> tuple[Any, Any, tuple[str, ...]]:
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    source, name = checkpoint.source, checkpoint.source.name
    dtype = getattr(torch, source.dtype, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise BuildError(f"invalid dtype: {source.dtype} of model {name} is not one of float32, bfloat16, float16")
    common = {"local_files_only": True, "trust_remote_code": source.trust_remote_code}
    try:
        network, report = AutoModelForCausalLM.from_pretrained(
            checkpoint.folder,
            dtype=dtype,
            attn_implementation="eager",
            use_safetensors=True,
            output_loading_info=True,
            **common,
        )
    except Exception as error:
        raise _unloadable(name, checkpoint, error) from error
    wrong = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if wrong:
        listed = ", ".join(wrong[:4]) + (f" and {len(wrong) - 4} more" if len(wrong) > 4 else "")
        raise BuildError(
            f"missing weights: the checkpoint of model {name} is not a whole {type(network).__name__}: it lacks {listed}"
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, **common)
    except Exception as error:
        raise BuildError(f"broken tokenizer: that of model {name} cannot be loaded: {_first_line(error)}") from error
    return network.to(device), tokenizer, tuple(sorted(report["unexpected_keys"]))


def _unloadable(name: str, checkpoint: Checkpoint, error: Exception) -> BuildError:
    line = _first_line(error)
    if "Unrecognized configuration class" in str(error):
        line = line.split(" for this kind of AutoModel")[0]
        return BuildError(f"unsupported model: {name} is no causal language model that transformers knows: {line}")
    return BuildError(f"broken checkpoint: model {name} cannot be loaded from {checkpoint.folder.name}: {line}")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _context(config: Any) -> int | None:
    """Return how many positions a model was made for; None where its configuration does not say."""
    text = config.get_text_config(decoder=True)
    for key in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"):
        value = getattr(text, key, None)
        if isinstance(value, int) and value > 0:
            return value
    return None


def _end_tokens(network: Any) -> frozenset[int]:
    """Return the ids that end a text: those of the generation configuration and of the model's own."""
    text = network.config.get_text_config(decoder=True)
    given = [getattr(holder, "eos_token_id", None) for holder in (network.generation_config, text)]
    ids = {token for value in given for token in (value if isinstance(value, (list, tuple)) else [value])}
    return frozenset(token for token in ids if isinstance(token, int))


def _bare_generation_config(network: Any, eos: frozenset[int], **chosen: Any) -> Any:
    """Return a configuration that holds nothing of the checkpoint's (penalties, sampling) but where a text ends."""
    from transformers import GenerationConfig

    ends = sorted(eos) or None
    return GenerationConfig(eos_token_id=ends, pad_token_id=ends[0] if ends else 0, **chosen)
